"""Which answers of a segment are read, and what a trace finally answers.

In: segments and the question. Out: the answers found in each. Most segments state nothing that matters, and a
search for answers in passing is the dearest part of judging. So it is made only where the figures of the
reference or of the trace's last answer are written, or where words of the question are concluded from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer, find_answers
from dlcot_ray.core.stating.facts import OUTRIGHT, is_stated
from dlcot_ray.core.stating.question import Question

LAST_SEGMENTS = 3
"""Segments at the end of a trace that are searched for what it finally answers."""

_UNSPACED = str.maketrans("", "", " {}$*")
_NUMBER_WORD = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|zero|no)\b", re.IGNORECASE
)
_ANNOUNCES = re.compile(
    r"(?:\b(?:is|are|be|equals|answer|becomes|get|have|gives|obtain)|[:=])[\s*]*$", re.IGNORECASE
)
_LAYOUT = "*" + "".join(filter(str.isspace, map(chr, range(0x3001))))
"""Asterisks and all white space."""
_LAST_WORDS = ("is", "are", "be", "equals", "answer", "becomes", "get", "have", "gives", "obtain", ":", "=")
"""One of these ends every announcement, apart from layout; looking for them first is cheaper."""
_LONGEST_WORD = 8
LEAST_EQUATION, LONGEST_EQUATION = 6, 120
"""Characters of a reference that is looked for as an equation."""
"""Characters of the longest one, at least."""
_CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|there (?:are|is)|total|answer|which means|gives?"
    r"|we (?:get|have|find)|is|equals)\b",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
_GROUPING = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))|\{,\}(?<=\d\{,\})(?=\d)|\\,(?<=\d\\,)(?=\d)")
"""Separators of thousands. Each branch begins with its sign, for fast search."""
_GROUPED = re.compile(r",\}?\d")
"""The end of every separator in `_GROUPING`; few segments have one."""
_REWRITABLE = re.compile(r"\d\.\d|[a-zA-Z]\s?[\^(]|\\(?:sin|cos|tan|log|ln|exp|infty)")
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mbox)\s?\{([^{}]*)\}")
_PLAIN_WORDS = frozenset({"yes", "true", "false", "none"})
_IS = re.compile(
    r"(?:\b(?:is|are|be|was)|['’]s)\s(?:(?:indeed|definitely|clearly|an?|the)\s)*(?:[$*\\]|text\{){0,6}\Z"
)
_CLAUSE_END = re.compile(r"[$*\\})]{0,6}(?:[.,;!\n]|\Z)")
_IS_FRACTION = re.compile(
    r"[\s$]*[-−]?\s?(?:\d+\s?/\s?\d+|\\[dt]?frac\s?\{-?\d+\}\s?\{\d+\}|\\[dt]?frac\d\d)[\s$.]*"
)
_FRACTION = re.compile(r"\d\s?/\s?\d|frac\{-?\d")
_OTHER_DIGITS = re.compile(r"[½⅓⅔¼¾⅕⅙⅛⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]")
"""Digits in another notation than the reference's; a segment with them is read in full."""


def last_result(segments: Sequence[str]) -> str | None:
    """What the trace finally answers: its last outright answer, else the last value that it concludes."""
    concluded: str | None = None
    for i in range(len(segments) - 1, max(-1, len(segments) - 1 - LAST_SEGMENTS), -1):
        answers = [a for a in answers_of(segments, i, passing=True) if is_stated(segments[i], a)]
        outright = [a for a in answers if a.form in OUTRIGHT]
        if outright:
            return outright[-1].text
        ending = [a for a in answers if a.form is AnswerForm.CONCLUSION]
        concluded = concluded or (ending[-1].text if ending else None)
    return concluded


def answers_of(segments: Sequence[str], i: int, *, passing: bool) -> tuple[StatedAnswer, ...]:
    """The answers of segment i; an announcement at the end of the segment before it belongs to them."""
    lead = _announcement(segments[i - 1]) if i else ""
    if not lead:
        return find_answers(segments[i], passing=passing)
    size = len(lead)
    return tuple(
        replace(answer, start=answer.start - size, stop=answer.stop - size)
        for answer in find_answers(lead + segments[i], passing=passing)
        if answer.start >= size
    )


def word_of(reference: str | None) -> str | None:
    """The reference, if it is one word that is no number, yes or no, nor an option; else None."""
    word = _TEXT.sub(r"\1", reference or "").strip("$ .").casefold()
    plain = len(word) > 2 and word.isalpha() and word not in _PLAIN_WORDS
    return word if plain and not _NUMBER_WORD.fullmatch(word) else None


def concluded_words(segment: str, word: str) -> tuple[StatedAnswer, ...]:
    """Where a segment ends a clause with "is WORD"; `word` is in lower case."""
    found = []
    lower = segment.lower()
    at = lower.find(word) if len(lower) == len(segment) else -1
    while at >= 0:
        stop = at + len(word)
        if _IS.search(segment[max(0, at - 40) : at]) and _CLAUSE_END.match(segment, stop):
            found.append(StatedAnswer(segment[at:stop], at, stop, AnswerForm.CONCLUSION))
        at = lower.find(word, stop)
    return tuple(found)


def equation_of(reference: str | None) -> re.Pattern[str] | None:
    """A pattern of the reference with any white space and braces, if it is an equation; else None."""
    plain = (reference or "").translate(_UNSPACED).rstrip(".")
    sides = plain.split("=")
    if len(sides) != 2 or not LEAST_EQUATION <= len(plain) <= LONGEST_EQUATION or not all(sides):
        return None
    return re.compile(r"[\s{}]*".join(map(re.escape, plain)))


def written_equations(segment: str, equation: re.Pattern[str]) -> tuple[StatedAnswer, ...]:
    """Where a segment writes the reference, an equation, as such."""
    return tuple(
        StatedAnswer(found.group(), found.start(), found.end(), AnswerForm.CONCLUSION)
        for found in equation.finditer(segment)
    )


def _announcement(segment: str) -> str:
    """The last line of a segment that ends in the middle of "The final answer is", else nothing."""
    if not segment.rstrip(_LAYOUT)[-_LONGEST_WORD:].lower().endswith(_LAST_WORDS):
        return ""
    line = segment[-300:].rstrip().rpartition("\n")[2]
    return line + "\n" if _ANNOUNCES.search(line) else ""


def concludes(segment: str, question: Question) -> bool:
    """Whether a segment may conclude something about what is asked; cheap."""
    lower = segment.lower()
    shared = sum(map(lower.__contains__, question.words))
    counted = any(map(lower.__contains__, question.counted))
    if not counted and (not shared or shared * 3 < len(question.words)):
        squeezed = segment.translate(_UNSPACED) if question.names else ""
        if not any(map(squeezed.__contains__, question.names)):
            return False
    digits = any(map(segment.__contains__, "0123456789")) or _NUMBER_WORD.search(segment)
    return bool(digits) and _CONCLUDES.search(segment) is not None


def is_fraction(reference: str) -> bool:
    """Whether a reference is a fraction of two whole numbers, which a trace may first write unreduced."""
    return _IS_FRACTION.fullmatch(reference) is not None


def shows_fraction(segment: str) -> bool:
    """Whether a segment shows a fraction of whole numbers."""
    return _FRACTION.search(segment) is not None


def figures(reference: str) -> tuple[str, ...]:
    """The digits that a segment must show to state the reference in passing; none if it has no digits.

    A decimal may be rounded and an expression written otherwise, so nothing is demanded for them.
    """
    if _REWRITABLE.search(reference):
        return ()
    return tuple(dict.fromkeys(_DIGITS.findall(_GROUPING.sub("", reference))))


def has_figures(segment: str, figures: Sequence[str]) -> bool:
    """Whether a segment shows all the figures; decimals may be rounded, so that any digit counts."""
    if all(map(segment.__contains__, figures)):
        return True
    if _OTHER_DIGITS.search(segment):
        return True
    if _GROUPED.search(segment) is None:
        return False
    return all(map(_GROUPING.sub("", segment).__contains__, figures))
