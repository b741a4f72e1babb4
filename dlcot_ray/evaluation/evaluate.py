"""Scores a judge on cases whose traces have been judged, one result per kind, in the order of the method."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from dlcot_ray.core.annotation import Annotation, Section, SectionKind
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    ChecksCase,
    DroppedCase,
    EquivalenceCase,
    FirstErrorCase,
    MethodPairCase,
    SectionsCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.dropping import Dropped
from dlcot_ray.evaluation.kinds import (
    approaches,
    arrival,
    dropped,
    equivalence,
    first_error,
    methods,
    sections,
    segmentation,
    starts,
)
from dlcot_ray.evaluation.scores import ROUNDS, SEED, Scores
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.protocol import MethodComparer

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Options:
    """How to score: the tolerance of positions, the bootstrap, and the policy whose drops are compared."""

    tolerance: int = segmentation.TOLERANCE
    within: int = arrival.WITHIN
    rounds: int = ROUNDS
    seed: int = SEED
    policy: Policy = field(default_factory=lambda: parse_policy(DEFAULT_POLICY))


def traces_of(cases: Sequence[Case]) -> list[Trace]:
    """What has to be judged, each trace once, in order."""
    found = {case.trace.trace_id: case.trace for case in cases if not isinstance(case, EquivalenceCase)}
    return list(found.values())


def fitted(traces: Sequence[Trace], annotations: Mapping[str, Annotation]) -> dict[str, Annotation]:
    """The annotations in the segments that labels count.

    A trace that could not be judged has one segment, which labels cannot be compared with. It gets the
    segments of its text, all of them explored, and stays without approaches.
    """
    found = dict(annotations)
    for trace in traces:
        annotation = annotations[trace.trace_id]
        offsets = split_segments(trace.reasoning)
        if len(annotation.segment_offsets) != len(offsets):
            whole = (Section(SectionKind.SOLUTION_EXPLORE, 0, len(offsets) - 1),)
            found[trace.trace_id] = replace(annotation, segment_offsets=offsets, sections=whole)
    return found


def dropped_traces_of(cases: Sequence[Case]) -> list[Trace]:
    """The traces of which a policy has to show what it drops, each once, in order."""
    found = {case.trace.trace_id: case.trace for case in _of(cases, DroppedCase)}
    return list(found.values())


def score_cases(
    cases: Sequence[Case],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    drops: Mapping[str, Dropped],
    comparer: MethodComparer | None,
    checker: AnswerChecker,
    options: Options,
) -> list[Scores]:
    """Scores of every kind that has cases.

    Args:
        annotations: by trace id.
        judge: its identity, for the tables.
        drops: what is dropped of each of `dropped_traces_of(cases)`, by trace id.
        comparer: the judge's own similarity of methods, where it has one.
        checker: compares answers.
    """
    draws = {"rounds": options.rounds, "seed": options.seed}
    near = {"within": options.within, **draws}
    found: list[Scores] = []
    if chosen := _of(cases, SegmentationCase):
        found.append(segmentation.score(chosen, annotations, judge, tolerance=options.tolerance, **draws))
    if chosen_sections := _of(cases, SectionsCase):
        found.append(sections.score(chosen_sections, annotations, judge, **draws))
    found += _score_approaches(_of(cases, ApproachesCase), annotations, judge, draws, near)
    if chosen_errors := _of(cases, FirstErrorCase):
        found.append(first_error.score(chosen_errors, annotations, judge, **draws))
    if chosen_pairs := _of(cases, MethodPairCase):
        found.append(methods.score(chosen_pairs, annotations, judge, comparer, **draws))
    if chosen_checks := _of(cases, ChecksCase):
        found.append(starts.score_checks(chosen_checks, annotations, judge, **near))
        found.append(starts.score_kinds(chosen_checks, annotations, judge, **near))
    if chosen_answers := _of(cases, EquivalenceCase):
        found.append(equivalence.score(chosen_answers, checker, **draws))
    if chosen_arrivals := _of(cases, ArrivalCase):
        found.append(arrival.score(chosen_arrivals, annotations, judge, **near))
    if chosen_drops := _of(cases, DroppedCase):
        found.append(dropped.score(chosen_drops, annotations, drops, judge, **draws))
    return found


def _score_approaches(
    cases: Sequence[ApproachesCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    draws: Mapping[str, int],
    near: Mapping[str, int],
) -> Iterator[Scores]:
    """Boundaries of all approaches, labels and methods of those that have one."""
    if not cases:
        return
    yield starts.score_approaches(cases, annotations, judge, **near)
    if labelled := [case for case in cases if any(a.label for a in case.approaches)]:
        yield approaches.score_labels(labelled, annotations, judge, **draws)
    told = [c for c in cases if c.approaches and all(a.method is not None for a in c.approaches)]
    if told:
        yield approaches.score_clusters(told, annotations, judge, **draws)


def _of(cases: Sequence[Case], kind: type[C]) -> list[C]:
    return [case for case in cases if isinstance(case, kind)]
