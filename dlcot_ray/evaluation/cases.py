"""Labelled cases of each kind, as frozen facts, independent of the file that they came from.

A case that needs a judgement carries its trace; cases about one trace share its id, so that it is judged
once. The trace holds the ground truth where a job would have it. Where finding an error is the task it is
left out, as in ProcessBench.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcot_ray.core.annotation import Label, Section, VerificationKind
from dlcot_ray.core.trace import Trace

Ranges = tuple[tuple[int, int], ...]
"""Half-open ranges of characters (code points)."""


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


@dataclass(frozen=True, slots=True)
class SectionsCase:
    """The sections of one trace, a partition of its segments, by the five kinds of the method.

    Attributes:
        offsets: the n+1 character offsets of the n segments.
    """

    trace: Trace
    offsets: tuple[int, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class LabelledCheck:
    """A verification as a human sees it: segments `[start, stop)`, its kind, the approach it examines."""

    start: int
    stop: int
    kind: VerificationKind
    approach: int | None


@dataclass(frozen=True, slots=True)
class ChecksCase:
    """The verifications of one trace."""

    trace: Trace
    checks: tuple[LabelledCheck, ...]


@dataclass(frozen=True, slots=True)
class DroppedCase:
    """What a reader would drop of one trace, and what has to stay.

    Attributes:
        drop: characters that may go.
        needed: characters that kept text relies on.
        second_methods: the part of `drop` that is a second way to the answer.
        affirmations: the checks that end in agreement.
        answered: where the first segment that states the right answer ends, or None.
    """

    trace: Trace
    drop: Ranges
    needed: Ranges
    second_methods: Ranges = ()
    affirmations: Ranges = ()
    answered: int | None = None


JudgedCase = (
    SegmentationCase
    | FirstErrorCase
    | ApproachesCase
    | MethodPairCase
    | ArrivalCase
    | SectionsCase
    | ChecksCase
    | DroppedCase
)
Case = JudgedCase | EquivalenceCase
