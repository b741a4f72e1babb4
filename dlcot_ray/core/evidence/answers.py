"""Where a text states an answer: boxed, "the answer is ...", bold, conclusions, equation tails, options.

In: a text. Out: the answers with their places and forms. A cue says where an answer may begin. One pattern of
mathematical notation (plain, Unicode or LaTeX) reads it up to where prose goes on: "15 feet, as expected"
yields ``15``, "m + n = 13+54=67" yields ``67``. Many statements are found; callers weigh them by form. The
cost is linear in the text. An answer that is spelled out over several lines is found by its last line alone.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import StrEnum

from dlcot_ray.core.evidence import answer_patterns as patterns


class AnswerForm(StrEnum):
    """How an answer is stated, strongest first."""

    BOXED = "boxed"
    PHRASE = "phrase"
    BOLD = "bold"
    OPTION = "option"
    CONCLUSION = "conclusion"
    EQUATION = "equation"


@dataclass(frozen=True, slots=True)
class StatedAnswer:
    """An answer as written; `start`/`stop` are code-point offsets of it in the text given."""

    text: str
    start: int
    stop: int
    form: AnswerForm


_STRENGTH = {
    AnswerForm.BOXED: 3.0,
    AnswerForm.PHRASE: 2.0,
    AnswerForm.BOLD: 2.0,
    AnswerForm.OPTION: 2.0,
    AnswerForm.CONCLUSION: 1.5,
    AnswerForm.EQUATION: 0.5,
}
_FADE = {AnswerForm.BOXED: 6000}
_FADE_OTHERS = 400
"""Characters from the end over which a statement loses one point of strength; later statements count more."""


def find_answers(text: str, *, passing: bool = True) -> tuple[StatedAnswer, ...]:
    """Every place where an answer may be stated, in order of position.

    Without `passing`, only answers that are stated outright: no conclusions and no equation tails, which
    are most of the statements in a trace and take most of the time.
    """
    found: dict[tuple[int, int], StatedAnswer] = {}
    if "box" in text:
        _add_boxed(found, text)
    lower = text.lower()
    if "answer" in lower or "result" in lower or "solution" in lower or "####" in text:
        _add_phrases(found, text)
    if "option" in lower or "choice" in lower or "answer" in lower:
        _add_options(found, text)
    if "**" in text:
        _add_bold(found, text)
    if passing and (any(map(text.__contains__, patterns.DIGITS)) or patterns.WORD_VALUE.search(text)):
        _add_conclusions(found, text)
    if passing and patterns.RELATION.search(text):
        _add_equations(found, text)
    if passing and ": " in text:
        for noted in patterns.NOTED.finditer(text):
            _add(found, text, *_after_equals(text, *noted.span("answer")), AnswerForm.EQUATION)
    return tuple(sorted(found.values(), key=lambda a: (a.start, a.stop)))


def last_answer(text: str) -> StatedAnswer | None:
    """The answer with the strongest form; the strength of a form decreases with its distance from the end."""
    end = len(text.rstrip())
    return max(
        find_answers(text),
        key=lambda a: (_STRENGTH[a.form] - (end - a.stop) / _FADE.get(a.form, _FADE_OTHERS), a.start),
        default=None,
    )


def _add_boxed(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    for match in patterns.BOXED.finditer(text):
        start = match.end() if match["brace"] else match.start("bare")
        stop = _closing_brace(text, start) if match["brace"] else match.end("bare")
        body = text[start:stop]
        left = len(body) - len(body.lstrip(" \n\t$"))
        body = body.strip(" \n\t$").rstrip("." if match["brace"] else ".,;)")
        if body and len(body) <= 400:
            found[start + left, start + left + len(body)] = StatedAnswer(
                body, start + left, start + left + len(body), AnswerForm.BOXED
            )


def _closing_brace(text: str, start: int) -> int:
    """The offset at which the brace opened before `start` closes; an unclosed one ends with its line."""
    depth = 1
    for brace in patterns.BRACE.finditer(text, start, start + 400):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return brace.start()
    newline = text.find("\n", start)
    return min(len(text), start + 200) if newline < 0 else newline


def _add_phrases(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """Add what follows "the answer is". The result or the solution of a step is a conclusion only."""
    for match in patterns.PHRASE.finditer(text):
        what = (match["what"] or "answer").lower()
        final = "answer" in what or (" " in what and not match["many"])
        form = AnswerForm.PHRASE if final else AnswerForm.CONCLUSION
        _add_value(found, text, match.end(), form, words=final)
    for match in patterns.REVERSED.finditer(text):
        _add(found, text, *match.span("answer"), AnswerForm.PHRASE)


def _add_options(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """Add the letters of options that are given as the answer; an option that is only looked at is none."""
    for match in patterns.OPTION.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        sentence = before[max(map(before.rfind, (". ", "\n", "? "))) + 1 :]
        if match["said"] or patterns.CHOSEN.search(sentence):
            _add(found, text, *match.span("answer"), AnswerForm.OPTION, letter=True)
    for match in patterns.NAMED_OPTION.finditer(text):
        _add(found, text, *match.span("answer"), AnswerForm.OPTION, letter=True)


def _add_bold(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    for match in patterns.BOLD.finditer(text):
        word = patterns.BOLD_WORD.match(match["answer"])
        if word is not None:
            at = match.start("answer")
            start, stop = at + word.start("answer"), at + word.end("answer")
            _add(found, text, start, stop, AnswerForm.BOLD, letter=True)
        elif any(c.isdigit() for c in match["answer"]) and not patterns.HEADING.match(match["answer"]):
            _add_value(found, text, match.start("answer"), AnswerForm.BOLD, words=False)


def _add_conclusions(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """Add what a clause with a concluding word states: the values after its verbs, else its last number."""
    first = patterns.FIRST_CUE.match(text)
    worded = any(map(text.__contains__, patterns.NUMBER_WORDS))
    for cue in itertools.chain((first,) if first else (), patterns.CUE.finditer(text)):
        limit = cue.end() + 400
        end = patterns.SENTENCE_END.search(text, cue.end(), limit)
        start, stop = cue.start(), end.start() + 1 if end else min(len(text), limit)
        hit = False
        for verb in patterns.VERB.finditer(text, start, stop):
            hit |= _add_value(found, text, verb.end(), AnswerForm.CONCLUSION, words=False)
        for word in patterns.WORD_VALUE.finditer(text, start, stop) if worded else ():
            hit |= _add(found, text, *word.span("answer"), AnswerForm.CONCLUSION)
        if not hit:
            numerals = [m.span() for m in patterns.NUMERAL.finditer(text, cue.end(), stop)]
            if numerals:
                _add(found, text, *_after_equals(text, *numerals[-1]), AnswerForm.CONCLUSION)
    if "real numbers" in text:
        for match in patterns.LIMITS.finditer(text):
            _add(found, text, *match.span(), AnswerForm.CONCLUSION)
    for match in patterns.STATES.finditer(text):
        sure = text.endswith(("must be ", "should be "), max(0, match.end() - 12), match.end())
        form = AnswerForm.CONCLUSION if sure else AnswerForm.EQUATION
        _add_value(found, text, match.end(), form, words=False)


def _add_equations(found: dict[tuple[int, int], StatedAnswer], text: str) -> None:
    """Add the part after the last relation of a chain, if the sentence or formula ends with it."""
    for match in patterns.EQUATION.finditer(text):
        start, stop = match.span("answer")
        if text[start] == "$":
            start += 1
        body = text[start:stop]
        if body.isdigit():
            found.setdefault((start, stop), StatedAnswer(body, start, stop, AnswerForm.EQUATION))
            continue
        for part_start, part_stop in _chain(text, start, stop):
            _add(found, text, part_start, part_stop, AnswerForm.EQUATION)
    for match in patterns.FORMULA.finditer(text):
        relations = list(patterns.RELATION.finditer(text, *match.span(match.lastgroup or 0)))
        if relations:
            _add(found, text, relations[-1].end(), match.end(match.lastgroup or 0), AnswerForm.EQUATION)


def _chain(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    parts = []
    at = start
    for relation in re.finditer(r"[=≡≈]", text[start:stop]):
        parts.append((at, start + relation.start()))
        at = start + relation.end()
    parts.append((at, stop))
    return parts


def _after_equals(text: str, start: int, stop: int) -> tuple[int, int]:
    """The part after the last equals sign of a chain, if its left side is more than a name."""
    body = text[start:stop]
    if "=" not in body and "≈" not in body:
        return start, stop
    last = len(body.rstrip(patterns.TRAILING))
    at = max(body.rfind("=", 0, last), body.rfind("≈", 0, last))
    if at <= 0 or (body.count("=") == 1 and len(body[:at].strip(" $\\(")) <= 2):
        return start, stop
    return start + at + 1, stop


def _add_value(
    found: dict[tuple[int, int], StatedAnswer], text: str, at: int, form: AnswerForm, *, words: bool
) -> bool:
    """Read the value that begins at `at`, after filler words; with `words`, a short text counts as a value."""
    lead = patterns.LEAD.match(text, at)
    at = lead.end() if lead else at
    if text.startswith(("\\boxed", "\\fbox", "$\\boxed", "\\(\\boxed"), at):
        return False
    math = patterns.MATH.match(text, at)
    if math is not None and math.lastgroup is not None:
        start, stop = math.span(math.lastgroup)
        if "boxed" in text[start:stop]:
            return False
        return _add(found, text, *_after_equals(text, start, stop), form)
    if patterns.LETTER_IN_PROSE.match(text, at):
        return False
    run = patterns.RUN.match(text, at + 1 if text.startswith("$", at) else at)
    if run is not None:
        start, stop = run.span()
        while words and (more := patterns.LIST.match(text, stop)) is not None:
            stop = more.end()
        start, stop = _after_equals(text, start, stop)
        if _significant(text[start:stop]):
            return _add(found, text, start, stop, form)
    if (
        words
        and not patterns.NO_ANSWER.match(text, at)
        and (match := patterns.WORDS.match(text, at)) is not None
    ):
        return _add(found, text, *match.span(), form)
    return False


def _significant(body: str) -> bool:
    """Whether a run of notation is a value, not a stray letter or sign."""
    bare = body.strip(patterns.TRAILING + " ()[]{}")
    return bare not in ("", "a", "A", "I") and patterns.TELLING.search(bare) is not None


def _add(
    found: dict[tuple[int, int], StatedAnswer],
    text: str,
    start: int,
    stop: int,
    form: AnswerForm,
    *,
    letter: bool = False,
) -> bool:
    """Record ``text[start:stop]`` without surrounding punctuation, markup and unpaired brackets."""
    if not text[start:stop].isdigit():
        start, stop = _clean(text, start, stop)
        if text.startswith(("\\boxed", "\\fbox"), start):
            return False
        if not start < stop <= start + 160 or not (letter or _significant(text[start:stop])):
            return False
    old = found.get((start, stop))
    if old is None or _STRENGTH[form] > _STRENGTH[old.form]:
        found[start, stop] = StatedAnswer(text[start:stop], start, stop, form)
    return True


def _clean(text: str, start: int, stop: int) -> tuple[int, int]:
    start = stop - len(text[start:stop].lstrip(patterns.LEADING))
    while True:
        before = stop
        stop = start + len(text[start:stop].rstrip(patterns.TRAILING + "$"))
        if (text[stop - 2 : stop] in (" a", " A", " I") and stop - 2 > start) or text.endswith(
            ("\\", "\\ "), start, stop
        ):
            stop -= 1
        if (
            patterns.BRACKET.search(text, start, stop)
            and (lone := _lone_bracket(text, start, stop)) is not None
        ):
            stop = lone
        if stop == before:
            return start, stop


def _lone_bracket(text: str, start: int, stop: int) -> int | None:
    """The offset of a bracket without its pair inside the span; intervals may mix ( and ]."""
    opened = []
    for at in range(start, stop):
        if text[at] in patterns.OPENING:
            opened.append(at)
        elif text[at] in patterns.CLOSING:
            if not opened:
                return at
            opened.pop()
    return opened[0] if opened else None
