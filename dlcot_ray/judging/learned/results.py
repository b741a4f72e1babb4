"""Where the right answer first stands and what each approach ends on: the network chooses, evidence allows.

In: the network's scores and what each segment states. Out: findings whose first correct segment is the
likeliest one, and the label of a range of segments. The right answer stands, and an approach is correct,
only where a value is stated that evidence finds equal to the reference; an approach is incorrect only where
it states some value. Without a reference the rules decide alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlcot_ray.core.annotation import Label, ReferenceKind, Source
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.sureness import calibrated
from dlcot_ray.judging.rules.labels import ApproachLabel, SegmentAnswers, label_range

LABELS = (Label.CORRECT, Label.INCORRECT, Label.INCOMPLETE)
"""What an approach may end on, in the order of the network's scores."""


@dataclass(frozen=True, slots=True)
class Results:
    """What a reader says of results, to learn from.

    Attributes:
        first: the first segment where the right answer stands, or None.
        ends: for each labelled approach its last segment and the place of its label in `LABELS`.
    """

    first: int | None
    ends: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ResultScores:
    """What the network makes of the results in n segments.

    Attributes:
        first: (n,), how much likelier the right answer first stands here than nowhere (log-odds).
        labels: (n, 3), the log-probability of each label for an approach that ends with the segment.
    """

    first: Floats
    labels: Floats


def with_first(found: Findings, scores: ResultScores) -> Findings:
    """The findings; of all places that state the right answer it first stands in the likeliest.

    It stands nowhere where no place states it, or where nowhere is likelier than all places together.
    """
    if found.reference is None:
        return found
    answers = found.answers
    places = [i for i in range(len(found.segments)) if _states_right(answers, i)]
    best = max(places, key=lambda i: scores.first[i], default=None)
    somewhere = np.logaddexp.reduce(scores.first) > 0
    first = best if somewhere else None
    arrived = tuple(
        first is not None and (i == first or (i > first and here)) for i, here in enumerate(answers.arrived)
    )
    return replace(found, answers=replace(answers, arrived=arrived), first_correct_segment=first)


def label_by(
    scores: ResultScores, line: Floats, answers: SegmentAnswers, start: int, stop: int, kind: ReferenceKind
) -> ApproachLabel:
    """The likeliest label of the approach in segments `[start, stop)` that evidence allows.

    Args:
        line: the calibration of labels.
    """
    by_rules = label_range(answers, start, stop, kind)
    if kind is ReferenceKind.NONE:
        return by_rules
    inside = range(start, stop)
    right = [i for i in inside if _states_right(answers, i)]
    allowed = (bool(right) and any(answers.arrived), any(answers.stated[i] for i in inside), True)
    place = int(np.where(allowed, scores.labels[stop - 1], -np.inf).argmax())
    label, sure = LABELS[place], calibrated(float(np.exp(scores.labels[stop - 1, place])), line)
    if label is by_rules.label:
        return by_rules._replace(sure=sure)
    if label is Label.CORRECT:
        segment = next((i for i in right if answers.arrived[i]), right[-1])
        return ApproachLabel(label, answers.correct[segment], segment, Source.MODEL, sure)
    if label is Label.INCORRECT:
        return ApproachLabel(label, *_last_value(answers, inside), Source.MODEL, sure)
    return ApproachLabel(label, None, None, Source.MODEL, sure)


def _states_right(answers: SegmentAnswers, i: int) -> bool:
    return answers.arrived[i] or answers.fresh[i] or answers.correct[i] is not None


def _last_value(answers: SegmentAnswers, inside: Sequence[int]) -> tuple[str | None, int | None]:
    """The last other answer of a range, or else the last value that is not the right one, and its segment."""
    for i in reversed(inside):
        other = answers.other[i] or answers.closing[i]
        if other is not None:
            return other, i
    for i in reversed(inside):
        values = [answer.text for answer in answers.stated[i] if answer.text != answers.correct[i]]
        if values:
            return values[-1], i
    return None, None
