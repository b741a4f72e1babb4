"""Work that first reaches the right answer is no check.

In: the runs of a trace and what its segments state. Out: the runs, corrected where the trace ends on the
truth, no approach does, and the answer is first worked out in what was taken for a check. A result that was
put outright before it stays an approach of its own; a value in passing was a step of the same approach.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import Label, ReferenceKind, SectionKind
from dlcot_ray.judging.rules.labels import STRONG, SegmentAnswers, label_range
from dlcot_ray.judging.rules.runs import Run

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def reach(runs: list[Run], answers: SegmentAnswers, kind: ReferenceKind) -> list[Run]:
    """The runs, with the check in which the right answer is worked out as work."""
    if not answers.ends_right:
        return runs
    found = [label_range(answers, r.start, r.stop, kind) for r in runs if r.kind is EXPLORE]
    if not found or any(item.label is Label.CORRECT for item in found):
        return runs
    inside = next((i for i, run in enumerate(runs) if _arrives_in(run, answers, kind)), None)
    if inside is not None:
        return _cut(runs, inside, answers)
    at, segment = _arrival(runs, answers)
    begun = max((i for i in range(at) if runs[i].kind is EXPLORE), default=None)
    if at < 0 or begun is None:
        return runs
    ends = label_range(answers, runs[begun].start, runs[begun].stop, kind)
    if ends.label is not Label.INCORRECT or ends.segment is None:
        return runs
    outright = _is_outright(answers, ends.segment, ends.answer)
    first = at if outright else begun
    work = Run(EXPLORE, runs[first].start, segment + 1)
    rest = [Run(VERIFY, segment + 1, runs[at].stop)] if segment + 1 < runs[at].stop else []
    return [*runs[:first], work, *rest, *runs[at + 1 :]]


def _is_outright(answers: SegmentAnswers, segment: int, text: str | None) -> bool:
    return any(a.form in STRONG and a.text == text for a in answers.stated[segment])


def _arrives_in(run: Run, answers: SegmentAnswers, kind: ReferenceKind) -> bool:
    """Whether work arrives at the answer, and only a value in passing behind it says otherwise."""
    if run.kind is not EXPLORE or not any(answers.arrived[run.start : run.stop]):
        return False
    ends = label_range(answers, run.start, run.stop, kind)
    if ends.label is not Label.INCORRECT or ends.segment is None:
        return False
    return not _is_outright(answers, ends.segment, ends.answer)


def _cut(runs: Sequence[Run], at: int, answers: SegmentAnswers) -> list[Run]:
    """The runs, with what stands behind the first arrival in run `at` as a check."""
    run = runs[at]
    stop = next(i for i in range(run.start, run.stop) if answers.arrived[i]) + 1
    rest = [Run(VERIFY, stop, run.stop)] if stop < run.stop else []
    return [*runs[:at], Run(EXPLORE, run.start, stop), *rest, *runs[at + 1 :]]


def _arrival(runs: Sequence[Run], answers: SegmentAnswers) -> tuple[int, int]:
    """The first check in which the right answer arrives, and the segment; -1 twice where there is none."""
    for at, run in enumerate(runs):
        for segment in range(run.start, run.stop) if run.kind is VERIFY else ():
            if answers.arrived[segment]:
                return at, segment
    return -1, -1
