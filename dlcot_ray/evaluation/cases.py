"""Labelled cases of each kind, as frozen facts, independent of the file that they came from.

A case that needs a judgement carries its trace; cases about one trace share its id, so that it is judged
once. The trace holds the ground truth where a job would have it. Where finding an error is the task it is
left out, as in ProcessBench.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcot_ray.core.annotation import Label
from dlcot_ray.core.trace import Trace


@dataclass(frozen=True, slots=True)
class SegmentationCase:
    """One annotator's segmentation of one trace.

    Attributes:
        spans: (start, stop, class) in characters, in order; gaps of white space belong to none.
    """

    trace: Trace
    annotator: str
    spans: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class FirstErrorCase:
    """A solution in steps and its first wrong one (0-based), or None where all are right.

    Attributes:
        starts: where each step begins in the trace's reasoning.
    """

    trace: Trace
    steps: tuple[str, ...]
    starts: tuple[int, ...]
    first_error: int | None


@dataclass(frozen=True, slots=True)
class LabelledApproach:
    """An approach as a human sees it: segments `[start, stop)`; `method` equal means the same method."""

    start: int
    stop: int
    label: Label | None
    method: int | None


@dataclass(frozen=True, slots=True)
class ApproachesCase:
    """The approaches of one trace."""

    trace: Trace
    approaches: tuple[LabelledApproach, ...]


@dataclass(frozen=True, slots=True)
class MethodPairCase:
    """Two solutions to one problem in one trace; `same`: both use the same method.

    Attributes:
        second_start: where the second one begins in the trace's reasoning.
        how: where the pair comes from, e.g. ``human`` or ``reworded``.
        group: pairs of one problem.
    """

    trace: Trace
    first: str
    second: str
    second_start: int
    same: bool
    how: str
    group: str


@dataclass(frozen=True, slots=True)
class EquivalenceCase:
    """A reference answer, an answer, and whether they are equivalent."""

    case_id: str
    gold: str
    answer: str
    equivalent: bool


@dataclass(frozen=True, slots=True)
class ArrivalCase:
    """The first segment of a trace that states the right answer, or None where none does."""

    trace: Trace
    first_correct_segment: int | None


JudgedCase = SegmentationCase | FirstErrorCase | ApproachesCase | MethodPairCase | ArrivalCase
Case = JudgedCase | EquivalenceCase
