"""From marks (segments where something begins) to runs, approaches and verifications. Pure.

In: what the model named, and the evidence. Out: parts of an annotation. The model names only where things
begin. Whatever it names, the runs cover all segments, do not overlap, and each approach lies in an
exploration.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import (
    Approach,
    ErrorKind,
    ErrorSpan,
    Label,
    SectionKind,
    Source,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.arithmetic.alarms import find_errors
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.labels import label_range
from dlcot_ray.judging.rules.runs import Run

Ranges = tuple[tuple[int, int], ...]

_NAMED = "named by the model"


@dataclass(frozen=True, slots=True)
class Structure:
    """Runs that partition the segments, and the kind that was marked for each check.

    Attributes:
        runs: every approach and every verification is a run of its own.
        kinds: segment at which a check was marked -> its kind.
        completed: segments that were moved from a check into the last approach (DLCoT 2.3).
    """

    runs: tuple[Run, ...]
    kinds: Mapping[int, VerificationKind]
    completed: int = 0

    def ranges(self, kind: SectionKind) -> Ranges:
        """The runs of one kind."""
        return tuple((run.start, run.stop) for run in self.runs if run.kind is kind)


def sections_from(marks: Sequence[tuple[int, SectionKind]], count: int) -> tuple[Run, ...]:
    """Runs from ascending section marks; the first one reaches back to segment 0, neighbours are joined."""
    runs: list[Run] = []
    for place, (segment, kind) in enumerate(marks):
        start = 0 if place == 0 else segment
        stop = marks[place + 1][0] if place + 1 < len(marks) else count
        if runs and runs[-1].kind is kind:
            runs[-1] = replace(runs[-1], stop=stop)
        else:
            runs.append(Run(kind, start, stop))
    return tuple(runs)


def window_structure(marks: Sequence[tuple[int, SectionKind]], start: int, stop: int) -> Structure:
    """The sections of the segments `[start, stop)` of one window."""
    runs = sections_from(marks, stop)
    return Structure((replace(runs[0], start=start), *runs[1:]), {})


def cut_runs(runs: Iterable[Run], kind: SectionKind, starts: Iterable[int]) -> tuple[Run, ...]:
    """The runs, with those of `kind` cut at `starts`; starts in other runs are ignored."""
    wanted = sorted(set(starts))
    made: list[Run] = []
    for run in runs:
        inside = [segment for segment in wanted if run.start < segment < run.stop] if run.kind is kind else []
        edges = [run.start, *inside, run.stop]
        made.extend(Run(run.kind, a, b) for a, b in itertools.pairwise(edges))
    return tuple(made)


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
    """The structure with the last approach extended into the check behind it, up to where it answers.

    That is the first segment of the check that states an answer by evidence, else the `named` one. Without
    either, or where the approach states its answer itself, the structure stays as it is.
    """
    check = completion_check(structure, candidate)
    if check is None:
        return structure
    segment = next((i for i in range(check.start, check.stop) if candidate[i]), named)
    if segment is None:
        return structure
    runs, stop = structure.runs, segment + 1
    at = runs.index(check)
    grown = replace(runs[at - 1], stop=stop)
    rest = [replace(check, start=stop)] if stop < check.stop else []
    return replace(
        structure, runs=(*runs[: at - 1], grown, *rest, *runs[at + 1 :]), completed=stop - check.start
    )


def _last_approach(structure: Structure) -> int | None:
    explored = (i for i, run in enumerate(structure.runs) if run.kind is SectionKind.SOLUTION_EXPLORE)
    return max(explored, default=None)


def approaches_of(
    structure: Structure,
    found: Findings,
    opinions: Mapping[int, Label],
    clusters: Sequence[int],
    errors: Sequence[tuple[int, ErrorKind, bool]],
) -> tuple[Approach, ...]:
    """Approaches with their labels and errors: computed where that is possible, else the model's.

    Args:
        structure: its exploration runs are the approaches.
        found: the evidence.
        opinions: approach index -> the model's label, where it was asked.
        clusters: one number per approach.
        errors: segment, kind and "fixed later" of each error that the model names.
    """
    made = []
    ranges = structure.ranges(SectionKind.SOLUTION_EXPLORE)
    for index, ((start, stop), cluster) in enumerate(zip(ranges, clusters, strict=True)):
        label, answer, segment = label_range(found.answers, start, stop, found.reference_kind)
        source = Source.EVIDENCE
        if index in opinions:
            label, source = opinions[index], Source.MODEL
        elif label is Label.UNKNOWN:
            source = Source.RULES
        computed = find_errors(found.segments, found.offsets, start, stop)
        made.append(
            Approach(
                start,
                stop,
                label,
                source,
                answer,
                segment,
                cluster,
                (*computed, *_named_errors(errors, computed, found, start, stop)),
                structure.completed if index == len(ranges) - 1 else 0,
                0.9 if source is Source.EVIDENCE else 0.7,
            )
        )
    return tuple(made)


def verifications_of(
    structure: Structure, segments: Sequence[str], clusters: Sequence[int]
) -> tuple[Verification, ...]:
    """Verifications in order; a check without a kind gets the one from the rules."""
    made = []
    approach = -1
    numbers = iter(clusters)
    for run in structure.runs:
        approach += run.kind is SectionKind.SOLUTION_EXPLORE
        if run.kind is SectionKind.VERIFY:
            marked = [segment for segment in structure.kinds if run.start <= segment < run.stop]
            said = structure.kinds[min(marked)] if marked else None
            kind = said or verification_kind("".join(segments[run.start : run.stop]))
            of = approach if approach >= 0 else None
            made.append(Verification(run.start, run.stop, kind, of, next(numbers)))
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
    errors: Sequence[tuple[int, ErrorKind, bool]],
    computed: Sequence[ErrorSpan],
    found: Findings,
    start: int,
    stop: int,
) -> list[ErrorSpan]:
    known = {span.start for span in computed}
    return [
        ErrorSpan(
            kind, i, i + 1, found.offsets[i], found.offsets[i + 1], Source.MODEL, fixed, "named by the model"
        )
        for i, kind, fixed in errors
        if start <= i < stop and i not in known and not contradicted(found.segments[i], kind)
    ]
