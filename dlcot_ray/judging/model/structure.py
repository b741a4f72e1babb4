"""From marks (segments where something begins) to runs, approaches and verifications. Pure.

In: what the model named, and the evidence. Out: parts of an annotation. The model names only where things
begin. Whatever it names, the runs cover all segments, do not overlap, and each approach lies in an
exploration.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    ErrorKind,
    ErrorSpan,
    SectionKind,
    Source,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.arithmetic.alarms import find_errors
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model.labelling import labelled
from dlcot_ray.judging.model.questions.answers import LabelAnswer, NamedError
from dlcot_ray.judging.model.questions.marks import Mark
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.runs import Run

Ranges = tuple[tuple[int, int], ...]

_NAMED = "named by the model"


@dataclass(frozen=True, slots=True)
class Structure:
    """Runs that partition the segments, and what was marked for each check.

    Attributes:
        runs: every approach and every verification is a run of its own.
        kinds: first segment of a check -> how it ends.
        examined: first segment of a check -> index of the approach that it was said to examine.
        completed: segments that were moved from a check into the last approach (DLCoT 2.3).
    """

    runs: tuple[Run, ...]
    kinds: Mapping[int, VerificationKind]
    examined: Mapping[int, int] = field(default_factory=dict)
    completed: int = 0

    def ranges(self, kind: SectionKind) -> Ranges:
        """The runs of one kind."""
        return tuple((run.start, run.stop) for run in self.runs if run.kind is kind)


def structure_from(marks: Sequence[Mark], start: int, stop: int) -> Structure:
    """The structure of segments `[start, stop)`: a run for each mark, the first from `start` on."""
    begins = [start, *(mark.segment for mark in marks[1:]), stop]
    runs = tuple(
        Run(mark.kind, first, last)
        for mark, (first, last) in zip(marks, itertools.pairwise(begins), strict=True)
    )
    marked = list(zip(marks, runs, strict=True))
    return Structure(
        runs,
        {run.start: mark.outcome for mark, run in marked if mark.outcome is not None},
        {run.start: mark.of for mark, run in marked if mark.of is not None},
    )


def structure_of(annotation: Annotation) -> Structure:
    """The structure of an annotation."""
    checks = annotation.verifications
    runs = [Run(SectionKind.SOLUTION_EXPLORE, a.start, a.stop) for a in annotation.approaches]
    runs += [Run(SectionKind.VERIFY, v.start, v.stop) for v in checks]
    others = (SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY)
    runs += [Run(s.kind, s.start, s.stop) for s in annotation.sections if s.kind not in others]
    return Structure(
        tuple(sorted(runs, key=lambda run: run.start)),
        {check.start: check.kind for check in checks},
        {check.start: check.approach for check in checks if check.approach is not None},
    )


def completion_check(structure: Structure, candidate: Sequence[bool]) -> Run | None:
    """The check behind the last approach where that approach states no answer, else None (DLCoT 2.3).

    `candidate[i]`: segment i states an answer.
    """
    last = _last_approach(structure)
    if last is None or last + 1 >= len(structure.runs):
        return None
    run, check = structure.runs[last : last + 2]
    if check.kind is not SectionKind.VERIFY or any(candidate[run.start : run.stop]):
        return None
    return check


def completed(structure: Structure, candidate: Sequence[bool], named: int | None) -> Structure:
    """The structure with the last approach extended into the check behind it, up to the `named` segment.

    Without one, or where the approach states its answer itself, the structure stays as it is. The rest of
    the check keeps its outcome.
    """
    check = completion_check(structure, candidate)
    if check is None or named is None or not check.start <= named < check.stop:
        return structure
    runs, stop = structure.runs, named + 1
    at = runs.index(check)
    grown = replace(runs[at - 1], stop=stop)
    rest = [replace(check, start=stop)] if stop < check.stop else []
    return Structure(
        (*runs[: at - 1], grown, *rest, *runs[at + 1 :]),
        {stop if segment == check.start else segment: kind for segment, kind in structure.kinds.items()},
        {stop if segment == check.start else segment: of for segment, of in structure.examined.items()},
        stop - check.start,
    )


def _last_approach(structure: Structure) -> int | None:
    explored = (i for i, run in enumerate(structure.runs) if run.kind is SectionKind.SOLUTION_EXPLORE)
    return max(explored, default=None)


def approaches_of(
    structure: Structure,
    found: Findings,
    opinions: Mapping[int, LabelAnswer],
    clusters: Sequence[int],
    errors: Sequence[NamedError],
    causes: Mapping[int, str],
) -> tuple[Approach, ...]:
    """Approaches with their labels and errors: computed where that is possible, else the model's.

    Args:
        structure: its exploration runs are the approaches.
        found: the evidence.
        opinions: approach index -> the model's label, where it was asked.
        clusters: one number per approach.
        errors: those that the model names.
        causes: segment -> what the model says is wrong there.
    """
    made = []
    ranges = structure.ranges(SectionKind.SOLUTION_EXPLORE)
    for index, ((start, stop), cluster) in enumerate(zip(ranges, clusters, strict=True)):
        label = labelled(found, start, stop, opinions.get(index))
        computed = find_errors(found.text, found.offsets, start, stop)
        made.append(
            Approach(
                start,
                stop,
                label.label,
                label.source,
                label.answer,
                label.segment,
                cluster,
                (*computed, *_named_errors(errors, causes, computed, found, start, stop)),
                structure.completed if index == len(ranges) - 1 else 0,
                0.9 if label.source is Source.EVIDENCE else 0.7,
            )
        )
    return tuple(made)


def verifications_of(
    structure: Structure, segments: Sequence[str], clusters: Sequence[int]
) -> tuple[Verification, ...]:
    """Verifications in order; a check without an outcome gets the one from the rules.

    A check examines the approach that is named, if that begins before it, else the last one before it.
    """
    made = []
    latest = -1
    numbers = iter(clusters)
    for run in structure.runs:
        latest += run.kind is SectionKind.SOLUTION_EXPLORE
        if run.kind is SectionKind.VERIFY:
            said = structure.kinds.get(run.start)
            kind = said or verification_kind("".join(segments[run.start : run.stop]))
            of = min(structure.examined.get(run.start, latest), latest)
            made.append(Verification(run.start, run.stop, kind, of if of >= 0 else None, next(numbers)))
    return tuple(made)


def numbered_clusters(roots: Sequence[int]) -> tuple[int, ...]:
    """Cluster numbers 0, 1, ... in order of first appearance, from any labels of equality."""
    numbers: dict[int, int] = {}
    return tuple(numbers.setdefault(root, len(numbers)) for root in roots)


def contradicted(segment: str, kind: ErrorKind) -> bool:
    """Whether evidence contradicts an error: a named miscalculation where all arithmetic is right."""
    if kind is not ErrorKind.CALCULATION:
        return False
    claims = [claim.holds for claim in find_claims(segment)]
    return bool(claims) and all(holds is True for holds in claims)


def _named_errors(
    errors: Sequence[NamedError],
    causes: Mapping[int, str],
    computed: Sequence[ErrorSpan],
    found: Findings,
    start: int,
    stop: int,
) -> list[ErrorSpan]:
    known = {span.start for span in computed}
    return [
        ErrorSpan(
            error.kind,
            i,
            i + 1,
            found.offsets[i],
            found.offsets[i + 1],
            Source.MODEL,
            error.noticed,
            causes.get(i) or _NAMED,
        )
        for error in errors
        if start <= (i := error.segment) < stop
        and i not in known
        and not contradicted(found.segments[i], error.kind)
    ]
