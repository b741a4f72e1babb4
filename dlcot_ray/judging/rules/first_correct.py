"""Where a trace arrives: the segments in which the right answer stands as a result.

In: segments, the values that each states, and the question. Out: per segment, whether the answer arrives.
A stated value arrives if it is given outright, or is said to be what the problem asks, or is followed by a
turn. A trace that has arrived turns to checking, concluding or another way; one that has not computes
on (``BD² = 16`` on the way to the answer 16). A restatement within `AHEAD` segments counts as a turn. Figures
that the problem gives arrive only where they are said to be the answer. Where a largest or smallest value is
asked, a value that is not called so arrives only if the next segment doubts it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.core.stating.facts import OUTRIGHT, is_asked, is_headed, is_other_name, name_of, sentence_of
from dlcot_ray.core.stating.question import EXTREME, Question
from dlcot_ray.judging.rules import cues

AHEAD = 2
"""Segments after a statement within which a trace that has reached its answer turns to something else."""

LAST = 2
"""Number of segments at the end of a trace; a value in them is its result."""


_QUESTIONING = re.compile(
    r"\?|\b(?:check|verif\w+|make sure|sure|certain|confirm|correct|right|mistake\w*|miss(?:ed|ing)|wrong"
    r"|consistent|sense|confident|careful|recheck|double|overlook\w*)\b",
    re.IGNORECASE,
)
"""Marks a second look as a check of a result, not a new thought."""
_DOUBTS = re.compile(
    r"double[- ]?check|verify|make sure|mistake|\bcorrect\b"
    r"|\b(?:is (?:that|this|it)|am i|are we) (?:right|correct|sure|the)",
    re.IGNORECASE,
)
_SIMPLIFIES = re.compile(
    r"\W*(?:(?:now|next|then|so|we can|i can|let me|let's|to)\W+){0,3}simplif", re.IGNORECASE
)
"""Opens the segment behind a value that is not in its final form yet."""
_TRIES = re.compile(r"\b(?:check|verify|test|try) [$\\(]{0,3}\s?\\?[^\W\d]{1,6}\s?=", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """A value that a segment states, and whether it equals the reference (None: not known)."""

    answer: StatedAnswer
    equal: bool | None


def find_arrivals(
    segments: Sequence[str], stated: Sequence[Sequence[Statement]], question: Question, *, short: bool
) -> tuple[bool, ...]:
    """Per segment, whether the right answer arrives. `short`: the reference is one character long."""
    right = [[s.answer for s in statements if s.equal] for statements in stated]
    arrived = [False] * len(segments)
    for i in range(len(segments) - 1, -1, -1):
        arrived[i] = any(
            _arrives(segments, right, arrived, i, answer, question, short=short) for answer in right[i]
        )
    _name_back(segments, right, arrived, question)
    return tuple(arrived)


def _arrives(
    segments: Sequence[str],
    right: Sequence[Sequence[StatedAnswer]],
    arrived: Sequence[bool],
    i: int,
    answer: StatedAnswer,
    question: Question,
    *,
    short: bool,
) -> bool:
    """Whether one right value is a result; `arrived` is known for the later segments."""
    text = segments[i]
    if answer.form in OUTRIGHT:
        return True
    if is_other_name(text, answer, question) or _is_simplified(segments, i, answer):
        return False
    if is_asked(text, answer, question):
        return True
    if question.extreme and i < len(segments) - LAST:
        start, stop = sentence_of(text, answer)
        if not EXTREME.search(text, start, stop):
            return not short and _doubted(segments[i + 1])
    if not short and is_headed(text, answer, question):
        return True
    if short and not _ends_clause(text, answer):
        return False
    if answer.text.strip(" $") in question.given and i < len(segments) - LAST:
        return False
    if short and answer.form is AnswerForm.EQUATION:
        return False
    if i >= len(segments) - LAST or cues.LOOKS_BACK.search(text, answer.stop) or cues.ANSWER.search(text):
        return True
    near = range(i + 1, min(len(segments), i + 1 + AHEAD))
    return any(_turns(segments[j]) or (arrived[j] and right[j]) for j in near)


def _name_back(
    segments: Sequence[str],
    right: Sequence[Sequence[StatedAnswer]],
    arrived: list[bool],
    question: Question,
) -> None:
    """Mark earlier statements that give the same name its value as the first arrival does."""
    first = next((i for i, here in enumerate(arrived) if here), None)
    if first is None:
        return
    if question.extreme:
        return
    names = {name_of(segments[first], answer) for answer in right[first]} - {None}
    for i in range(first):
        again = [answer for answer in right[i] if not _is_simplified(segments, i, answer)]
        if any(name_of(segments[i], answer) in names for answer in again):
            arrived[i] = True


def _is_simplified(segments: Sequence[str], i: int, answer: StatedAnswer) -> bool:
    """Whether the next segment brings an expression into its final form."""
    expression = any(map(str.isalpha, answer.text)) and i + 1 < len(segments)
    return expression and _SIMPLIFIES.match(segments[i + 1]) is not None


def _ends_clause(text: str, answer: StatedAnswer) -> bool:
    """Whether nothing that computes on follows the value in its clause."""
    behind = text[answer.stop : answer.stop + 12].lstrip(" $*)]}\\")
    return not behind or behind[0] in ".!,;\n" or behind[0].isalpha()


def _doubted(segment: str) -> bool:
    """Whether a segment opens with the question whether a result is right."""
    return _DOUBTS.search(segment, 0, 120) is not None and not _TRIES.search(segment, 0, 120)


def _turns(segment: str) -> bool:
    """Whether a segment opens a check, a second look, a conclusion or another way."""
    if cues.RECONSIDER.match(segment) and not _QUESTIONING.search(segment):
        return False
    return cues.announces_approach(segment) or any(
        pattern.match(segment)
        for pattern in (cues.VERIFY, cues.RECONSIDER, cues.ALTERNATIVELY, cues.CONCLUDE, cues.LOOKS_BACK)
    )
