"""How sure the rules are of each step (docs/explanation/rules-judge.md).

In: the evidence that a step was decided on. Out: 0..1, the share of right answers that hand-labelled sets
show for such evidence: which comparison decided, whether the answer occurs only in passing, how far the
nearest method is from the threshold, how many cues for another approach were passed over. The figures are
coarse, because the labels are too few for a finer fit.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import ReferenceKind, SectionKind
from dlcot_ray.core.evidence.equivalence import is_closed
from dlcot_ray.judging.rules import approaches, cues
from dlcot_ray.judging.rules.labels import SegmentAnswers
from dlcot_ray.judging.rules.runs import Run

SECTIONS = 0.8
"""Share of characters on which the rules agree with a reader, whatever the trace."""

ERROR_FOUND = 0.9
NO_ERROR_FOUND = 0.5
"""A computed error is rarely wrong. No error found says little: most errors are not arithmetic."""

_BY_REFERENCE = {
    ReferenceKind.GROUND_TRUTH: 1.0,
    ReferenceKind.RESPONSE: 0.8,
    ReferenceKind.TRACE: 0.4,
    ReferenceKind.NONE: 0.4,
}
"""Confidence of labels, by the kind of reference."""

_FAR = 0.15
"""Distance of a similarity from the bar at which a decision is as sure as it gets."""


def of_labels(
    kind: ReferenceKind, reference: str | None, answers: SegmentAnswers, first_correct: int | None
) -> float:
    """Confidence in whether and where the reference is reached."""
    if reference is None:
        return _BY_REFERENCE[kind]
    stated = any(hit is not None for hit in answers.correct)
    if not is_closed(reference):
        sure = 0.85 if first_correct is not None else 0.4
    elif first_correct is None:
        sure = 0.5 if stated else 0.95
    else:
        sure = 0.85 if len(reference.strip("$ .")) == 1 else 0.95
    return sure * _BY_REFERENCE[kind]


def of_approaches(segments: Sequence[str], runs: Sequence[Run]) -> float:
    """Confidence in where approaches begin; every further approach and every cue passed over lowers it."""
    opened = {run.start for run in runs if run.kind is SectionKind.SOLUTION_EXPLORE}
    first = min(opened, default=0)
    passed = sum(
        i not in opened and (approaches.announces(segment) or cues.turns_aside(segment))
        for i, segment in enumerate(segments)
        if i > first
    )
    return max(0.45, 0.93 - 0.15 * passed - 0.1 * max(0, len(opened) - 1))


def of_method(similarity: float, bar: float) -> float:
    """Confidence in a decision "same method" or "another method", from the similarity behind it."""
    return 0.5 + 0.45 * min(1.0, abs(similarity - bar) / _FAR)
