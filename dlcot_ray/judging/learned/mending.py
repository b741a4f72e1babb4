"""What evidence mends in the structure that the model finds.

In: runs of a trace and what its segments state. Out: runs in which no label contradicts where they end.
Readers almost never end an approach before its answer and begin a check with it. Behind a correct approach
they hardly ever call an approach what reaches nothing. A check goes on where it ends in doubt and another
look follows: what settles the doubt belongs to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlcot_ray.core.annotation import Label, ReferenceKind, SectionKind, VerificationKind
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.labels import SegmentAnswers, label_range
from dlcot_ray.judging.rules.runs import Run

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def mend(runs: Sequence[Run], found: Findings) -> list[Run]:
    """The runs, with approaches that reach the answer behind them, and whole checks."""
    answers = found.answers
    looked = _looked_on(_reached(runs, answers), answers, found.reference_kind)
    return _settled(looked, found.segments)


def _reached(runs: Sequence[Run], answers: SegmentAnswers) -> list[Run]:
    """Give an approach without an answer the part of the check behind it in which the right one arrives."""
    out: list[Run] = []
    for run in runs:
        before = out[-1] if out else None
        stop = _arrival(before, run, answers)
        if before is None or stop is None:
            out.append(run)
            continue
        out[-1] = replace(before, stop=stop)
        if stop < run.stop:
            out.append(replace(run, start=stop))
    return out


def _arrival(before: Run | None, check: Run, answers: SegmentAnswers) -> int | None:
    """The segment behind the arrival in a check of an approach that states no answer, or None."""
    if before is None or before.kind is not EXPLORE or check.kind is not VERIFY:
        return None
    if any(answers.candidate[before.start : before.stop]):
        return None
    return next((i + 1 for i in range(check.start, check.stop) if answers.arrived[i]), None)


def _looked_on(runs: Sequence[Run], answers: SegmentAnswers, kind: ReferenceKind) -> list[Run]:
    """Make an approach that reaches nothing, behind a correct one, a check."""
    out: list[Run] = []
    solved = False
    for run in runs:
        label = label_range(answers, run.start, run.stop, kind)[0] if run.kind is EXPLORE else None
        idle = solved and label is Label.INCOMPLETE
        out.append(replace(run, kind=VERIFY) if idle else run)
        solved = solved or label is Label.CORRECT
    return out


def _settled(runs: Sequence[Run], segments: Sequence[str]) -> list[Run]:
    """Join a check that ends in doubt with the check that follows it directly."""
    out: list[Run] = []
    for run in runs:
        before = out[-1] if out else None
        if before is not None and before.kind is run.kind is VERIFY and _doubts(before, segments):
            out[-1] = replace(before, stop=run.stop)
        else:
            out.append(run)
    return out


def _doubts(check: Run, segments: Sequence[str]) -> bool:
    kind = verification_kind("".join(segments[check.start : check.stop]))
    return kind is not VerificationKind.AFFIRMATION
