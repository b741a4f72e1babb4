"""The segment in which the right answer first stands as a result, not as a value on the way to one.

In: segments and what each states. Out: a segment number or None. What follows tells the two apart (``BD² =
16`` on the way to the answer 16): a trace that has arrived turns to checking, concluding or another way; one
that has not computes on. Where no statement is followed like that, the first one stated outright counts, else
none. Only `AHEAD` segments behind a statement are examined.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.judging.rules import cues
from dlcot_ray.judging.rules.labels import STRONG, SegmentAnswers

AHEAD = 2
"""Segments after a statement within which a trace that has reached its answer turns to something else."""

LAST = 2
"""Number of segments at the end of a trace; a value in them is its result."""

_DENIED = re.compile(r"(?:\b(?:not|if|when|for|suppose|let|try)|n't|≠|\\ne)\W{0,4}(?:\w{1,3}\W{0,4})?$", re.I)
"""Text before a value that is denied or supposed, not stated."""


def find_first_correct(segments: Sequence[str], answers: SegmentAnswers, problem: str) -> int | None:
    """The segment, or None where the reference is never reached. `problem`: figures it gives are no
    results."""
    outright: int | None = None
    for i, hit in enumerate(answers.correct):
        if hit is None:
            continue
        statements = [answer for answer in answers.stated[i] if answer.text == hit]
        statements = [a for a in statements if not _DENIED.search(segments[i], max(0, a.start - 12), a.start)]
        if outright is None and any(answer.form in STRONG for answer in statements):
            outright = i
        if any(_arrives(segments, answers, i, answer, given=hit in problem) for answer in statements):
            return i
    return outright


def _arrives(
    segments: Sequence[str], answers: SegmentAnswers, i: int, answer: StatedAnswer, *, given: bool
) -> bool:
    if answer.form in STRONG:
        return True
    if given and answer.form is AnswerForm.EQUATION:
        return False
    if (
        i >= len(segments) - LAST
        or cues.LOOKS_BACK.search(segments[i], answer.stop)
        or cues.ANSWER.search(segments[i])
    ):
        return True
    return any(
        _turns(segments[j])
        or any(later.form in STRONG and later.text == answers.correct[j] for later in answers.stated[j])
        for j in range(i + 1, min(len(segments), i + 1 + AHEAD))
    )


def _turns(segment: str) -> bool:
    """Whether a segment opens a check, a second look, a conclusion or another way."""
    return cues.announces_approach(segment) or any(
        pattern.match(segment)
        for pattern in (cues.VERIFY, cues.RECONSIDER, cues.ALTERNATIVELY, cues.CONCLUDE, cues.LOOKS_BACK)
    )
