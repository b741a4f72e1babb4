"""Whether the text ends on another answer than the one at which the kept work stands.

In: a trace and its settled annotation. Out: whether the reply or the closing words give a value that is
certainly another one, and whether a trace that breaks off has concluded anything. What lies between holds the
move from one value to the other, so nothing of it may go. Answers that only may differ (another form, a
rounding) do not count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer, find_answers
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.gating.wholeness import closing_words
from dlcot_ray.core.policies.standing import conclusion_start, first_correct, trunk_stop
from dlcot_ray.core.stating.facts import is_asked, is_stated
from dlcot_ray.core.stating.question import Question, read_question
from dlcot_ray.core.stating.stated import SAID, accepted_answers, is_accepted, is_letter, is_wording, states
from dlcot_ray.core.trace import Trace

REPLY_CHARS = 1000
"""Characters at the end of a reply that are searched for its answer."""

CONCLUSIVE = frozenset({*SAID, AnswerForm.CONCLUSION})
"""Forms in which a text concludes a value; an equation may only be a step."""

_ROUGHLY = re.compile(
    r"\b(?:approximately|about|roughly|around|nearly)\s+[$\\(]{0,3}\s?(?P<value>[-−]?\d+\.\d+)"
)
"""A decimal that closing words give without a concluding verb before it."""
_PLAIN = re.compile(r"[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<places>\d+))?")


def ends_elsewhere(trace: Trace, annotation: Annotation) -> bool:
    """Whether the reply or the closing words give a value that is certainly not the one that stands."""
    return _replies_otherwise(trace, annotation) or _closes_otherwise(trace, annotation)


def never_concludes(trace: Trace, annotation: Annotation) -> bool:
    """Whether a trace that breaks off without a reply has nowhere concluded the answer.

    A value that it only mentions or supposes ("at p = 75") is no answer: what follows may be the way to it.
    """
    trunk, accepted = trunk_stop(annotation), accepted_answers(annotation)
    if trunk is None or not accepted or not annotation.truncated or trace.response:
        return False
    text, question = trace.reasoning[: annotation.segment_offsets[trunk]], read_question(trace.problem)
    return not any(
        _is_concluded(text, answer, question)
        for answer in find_answers(text)
        if is_accepted(answer.text, accepted)
    )


def _is_concluded(text: str, answer: StatedAnswer, question: Question) -> bool:
    """Whether a text concludes a value; a figure of the problem only outright, or as what is asked."""
    if not is_stated(text, answer):
        return False
    given = answer.text.strip(" $") in question.given
    return answer.form in (SAID if given else CONCLUSIVE) or is_asked(text, answer, question)


def _replies_otherwise(trace: Trace, annotation: Annotation) -> bool:
    tail = (trace.response or "")[-REPLY_CHARS:]
    said = [a for a in find_answers(tail, passing=False) if a.form in SAID and is_stated(tail, a)]
    boxed = [answer for answer in said if answer.form is AnswerForm.BOXED]
    return _is_other(tail, [answer.text for answer in boxed or said[-1:]], _standing(annotation))


def _closes_otherwise(trace: Trace, annotation: Annotation) -> bool:
    count = len(annotation.segment_offsets) - 1
    start = conclusion_start(annotation)
    start = closing_words(trace.reasoning, annotation) if start == count else start
    closing, stand = trace.reasoning[annotation.segment_offsets[start] :], _standing(annotation)
    if annotation.truncated or _shows(closing, stand) or states(closing, stand):
        return False
    concluded = [a.text for a in find_answers(closing) if a.form in CONCLUSIVE and is_stated(closing, a)]
    return _is_other(closing, concluded or _ROUGHLY.findall(closing)[-1:], stand)


def _standing(annotation: Annotation) -> tuple[str, ...]:
    """The value at which the kept work stands, as it was written there, and the accepted ones."""
    index = first_correct(annotation)
    written = None if index is None else annotation.approaches[index].answer
    accepted = accepted_answers(annotation)
    return accepted if written is None else (written, *accepted)


def _shows(text: str, values: Sequence[str]) -> bool:
    """Whether one of some values stands in a text as written, not only inside a longer one."""
    return any(re.search(rf"(?<![\w.,]){re.escape(value)}(?!\w|[.,]\d)", text) for value in values)


def _is_other(text: str, said: Sequence[str], stand: Sequence[str]) -> bool:
    """Whether all answers that a text gives are certainly other ones than those that stand."""
    return bool(said) and bool(stand) and all(_differs(text, answer, stand) for answer in said)


def _differs(text: str, answer: str, stand: Sequence[str]) -> bool:
    """Whether a value is certainly another one. The first plain number that stands decides about a plain one.

    "0.003 arcseconds = 3 mas" is one value in two units, so for other values the text must not show those.
    """
    plain = next((value for value in stand if _other_decimal(answer, value) is not None), None)
    if plain is not None:
        return _is_another(answer, plain)
    if is_wording(answer) or any(is_letter(answer) != is_letter(value) for value in stand):
        return False
    return not _shows(text, stand) and all(_is_another(answer, value) for value in stand)


def _is_another(one: str, other: str) -> bool:
    """Whether two values certainly differ, by more than a rounding."""
    apart = _other_decimal(one, other)
    return quick_equivalent(one, other) is False if apart is None else apart


def _other_decimal(one: str, other: str) -> bool | None:
    """Whether two plain decimals are certainly no roundings of one number; None where one is none."""
    first, second = (_PLAIN.fullmatch(text.strip("$ .")) for text in (one, other))
    if first is None or second is None:
        return None
    apart = abs(_decimal(first) - _decimal(second))
    if not first["places"] and not second["places"]:
        return apart != 0
    return apart > Decimal(1).scaleb(-min(len(found["places"] or "") for found in (first, second)))


def _decimal(found: re.Match[str]) -> Decimal:
    return Decimal(found.group().replace(",", "").replace("−", "-"))
