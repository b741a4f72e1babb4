"""What evidence mends in the structure that the model finds.

In: runs of a trace and what its segments state. Out: runs in which no label contradicts where they end.
Readers almost never end an approach before its answer and begin a check with it. Behind a correct approach
they hardly ever call an approach what reaches nothing. A check goes on where it ends in doubt and another
look follows: what settles the doubt belongs to it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from dlcot_ray.core.annotation import Label, ReferenceKind, SectionKind, VerificationKind
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.judge import Labeller
from dlcot_ray.judging.rules.labels import SegmentAnswers, label_range
from dlcot_ray.judging.rules.runs import Run

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def mend(runs: Sequence[Run], found: Findings, label: Labeller = label_range) -> list[Run]:
    """The runs, with approaches that reach the answer behind them, and whole checks.

    Args:
        label: labels an approach.
    """
    answers = found.answers
    reached = _reached(runs, found, label)
    looked = _looked_on(reached, answers, found.reference_kind, label)
    return _settled(looked, found.segments)


def _reached(runs: Sequence[Run], found: Findings, label: Labeller) -> list[Run]:
    """Give an approach without the answer the checks behind it up to where the right one arrives."""
    out: list[Run] = []
    stop = 0
    for i, run in enumerate(runs):
        if run.kind is EXPLORE:
            stop = _arrival(run, runs[i + 1 :], found, label) or run.stop
            out.append(replace(run, stop=stop))
        elif run.stop > stop:
            out.append(replace(run, start=max(run.start, stop)))
    return out


def _arrival(run: Run, behind: Sequence[Run], found: Findings, label: Labeller) -> int | None:
    """The segment behind the arrival in the checks of an approach that has not arrived, or None.

    The approach states no answer, or it is correct if it ends where the right one first stands.
    """
    checks = list(itertools.takewhile(lambda other: other.kind is VERIFY, behind))
    answers, first = found.answers, found.first_correct_segment
    if not checks:
        return None
    inside = next((i + 1 for i in range(run.stop, checks[0].stop) if answers.arrived[i]), None)
    if inside is not None and not any(answers.candidate[run.start : run.stop]):
        return inside
    if first is None or not run.stop <= first < checks[-1].stop:
        return None
    ends = label(answers, run.start, first + 1, found.reference_kind)
    return first + 1 if ends.label is Label.CORRECT else None


def _looked_on(
    runs: Sequence[Run], answers: SegmentAnswers, kind: ReferenceKind, label: Labeller
) -> list[Run]:
    """Make an approach that reaches nothing, behind a correct one, a check."""
    out: list[Run] = []
    solved = False
    for run in runs:
        ends = label(answers, run.start, run.stop, kind).label if run.kind is EXPLORE else None
        idle = solved and ends is Label.INCOMPLETE
        out.append(replace(run, kind=VERIFY) if idle else run)
        solved = solved or ends is Label.CORRECT
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
