"""Answers and labels of approaches, from evidence (DLCoT steps 2.3 and 3).

In: segments and the reference. Out: what each segment states, and the label of a range of segments. An approach is correct when it arrives at an answer that is equivalent to the reference. Exact
comparison comes first. The CAS is asked only about answers that a trace states outright (boxed, bold, "the
answer is"), at most `CAS_LOOKUPS` times per trace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Label, ReferenceKind
from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer, find_answers, last_answer
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker

STRONG = frozenset({AnswerForm.BOXED, AnswerForm.PHRASE, AnswerForm.BOLD, AnswerForm.OPTION})
"""Forms that state an answer outright."""

CAS_LOOKUPS = 3
"""Maximum CAS comparisons per trace; one costs as much as judging a trace."""

_PROSE = re.compile(r"(?<![\\a-zA-Z])(?!(?:sqrt|sin|cos|tan|log|exp|and|mod)\b)[a-zA-Z]{3,}")
_MATHEMATICAL = re.compile(r"[\d\\^_+*/=(√π]")

_DIGITS = re.compile(r"\d+")
_GROUPING = re.compile(r"(?<=\d),(?=\d{3}(?!\d))|(?<=\d)\{,\}(?=\d)|(?<=\d)\\,(?=\d)")
_OTHER_DIGITS = re.compile(r"[½⅓⅔¼¾⅕⅙⅛⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉]")
"""Digits in another notation than the reference's; a segment with them is read in full."""
_VALUE_OF = re.compile(r"^\W*[A-Za-z](?:_\{?\w+\}?)?(?:\([A-Za-z](?:,\s?[A-Za-z])*\))?\s*=")
_MARKUP = re.compile(r"\\(?:text|mathrm|operatorname|mbox)\s?\{[^{}]*\}|\\[a-zA-Z]+|[A-Za-z]{2,}")
_LETTER = re.compile(r"[A-Za-z]")
_RELATION = re.compile(r"[<>≤≥∈=]|\\(?:in|le|ge|lt|gt|leq|geq|ne|neq|cup|cap)\b")


@dataclass(frozen=True, slots=True)
class SegmentAnswers:
    """What each segment states: all answers, the one that equals the reference, whether one is final."""

    stated: tuple[tuple[StatedAnswer, ...], ...]
    correct: tuple[str | None, ...]
    candidate: tuple[bool, ...]


def find_reference(trace: Trace) -> tuple[str | None, ReferenceKind]:
    """The answer to compare with: ground truth, else the response's answer, else the trace's own."""
    if trace.ground_truth and trace.ground_truth.strip():
        return trace.ground_truth.strip(), ReferenceKind.GROUND_TRUTH
    if trace.response and (found := last_answer(trace.response)) is not None:
        return found.text, ReferenceKind.RESPONSE
    if (found := last_answer(trace.reasoning[-6000:])) is not None:
        return found.text, ReferenceKind.TRACE
    return None, ReferenceKind.NONE


def read_answers(segments: Sequence[str], reference: str | None, checker: AnswerChecker) -> SegmentAnswers:
    """Find the answers of every segment and compare them with the reference.

    In passing, an answer only counts where the reference's own figures are written: "2^2 * 71" on the way
    to 284 is a coincidence more often than an arrival. So is "x = 1" on the way to 1: a reference of one
    character has to be concluded, not just equated.
    """
    short = reference is not None and len(reference.strip("$ .")) == 1
    lookups = CAS_LOOKUPS
    known: dict[str, bool] = {}
    figures = _figures(reference) if reference is not None else ()
    stated = tuple(find_answers(segment, passing=_has_figures(segment, figures)) for segment in segments)
    correct: list[str | None] = []
    candidate: list[bool] = []
    for answers in stated:
        hit: str | None = None
        for answer in answers:
            if reference is None:
                break
            if short and answer.form is AnswerForm.EQUATION:
                continue
            if answer.text not in known:
                quick = quick_equivalent(answer.text, reference)
                if quick is None and lookups > 0 and _worth_a_lookup(answer, reference):
                    lookups -= 1
                    quick = checker.equivalent(answer.text, reference)
                known[answer.text] = bool(quick)
            if known[answer.text]:
                hit = answer.text
        correct.append(hit)
        candidate.append(hit is not None or any(answer.form in STRONG for answer in answers))
    return SegmentAnswers(stated, tuple(correct), tuple(candidate))


def label_range(
    answers: SegmentAnswers, start: int, stop: int, kind: ReferenceKind
) -> tuple[Label, str | None, int | None]:
    """Label, answer and its segment for the approach in segments `[start, stop)`.

    Correct: the last answer stated outright equals the reference, or, where none is, the reference is
    arrived at in passing. The segment is where a correct answer first stands.
    """
    first_correct = next((i for i in range(start, stop) if answers.correct[i] is not None), None)
    last_strong: tuple[StatedAnswer, int] | None = None
    for i in range(start, stop):
        for answer in answers.stated[i]:
            if answer.form in STRONG:
                last_strong = answer, i
    if first_correct is not None and (last_strong is None or answers.correct[last_strong[1]] is not None):
        return Label.CORRECT, answers.correct[first_correct], first_correct
    if last_strong is not None:
        if kind is ReferenceKind.NONE:
            return Label.UNKNOWN, last_strong[0].text, last_strong[1]
        return Label.INCORRECT, last_strong[0].text, last_strong[1]
    return Label.INCOMPLETE, None, None


def _figures(reference: str) -> tuple[str, ...]:
    """The digits that a segment must show to state the reference in passing; none if it has no digits."""
    return tuple(dict.fromkeys(_DIGITS.findall(_GROUPING.sub("", reference))))


def _has_figures(segment: str, figures: Sequence[str]) -> bool:
    if all(map(segment.__contains__, figures)):
        return True
    if _OTHER_DIGITS.search(segment):
        return True
    return "," in segment and all(map(_GROUPING.sub("", segment).__contains__, figures))


def _same_names(answer: str, reference: str) -> bool:
    """Whether two values contain the same single-letter names; relations are left to the CAS.

    Names could cancel out, but answers are rarely written so.
    """
    values = [_VALUE_OF.sub("", text) for text in (answer, reference)]
    if any(map(_RELATION.search, values)):
        return True
    one, other = (frozenset(_LETTER.findall(_MARKUP.sub(" ", value))) - {"e", "i"} for value in values)
    return one == other


def _worth_a_lookup(answer: StatedAnswer, reference: str) -> bool:
    """Whether a CAS could find the two equal: stated outright, short, mathematical, with the same names."""
    return (
        answer.form in STRONG
        and len(answer.text) <= 80
        and bool(_MATHEMATICAL.search(answer.text))
        and (not _PROSE.search(answer.text) or bool(_PROSE.search(reference)))
        and _same_names(answer.text, reference)
    )
