"""Scores a judge on cases whose traces have been judged, one result per kind, in the order of the method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    EquivalenceCase,
    FirstErrorCase,
    MethodPairCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.kinds import approaches, arrival, equivalence, first_error, methods, segmentation
from dlcot_ray.evaluation.scores import ROUNDS, SEED, Scores
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.protocol import MethodComparer

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Options:
    """How to score: the tolerance of positions, and the bootstrap."""

    tolerance: int = segmentation.TOLERANCE
    within: int = arrival.WITHIN
    rounds: int = ROUNDS
    seed: int = SEED


def traces_of(cases: Sequence[Case]) -> list[Trace]:
    """What has to be judged, each trace once, in order."""
    found = {case.trace.trace_id: case.trace for case in cases if not isinstance(case, EquivalenceCase)}
    return list(found.values())


def score_cases(
    cases: Sequence[Case],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    comparer: MethodComparer | None,
    checker: AnswerChecker,
    options: Options,
) -> list[Scores]:
    """Scores of every kind that has cases.

    Args:
        annotations: by trace id.
        judge: its identity, for the tables.
        comparer: the judge's own similarity of methods, where it has one.
        checker: compares answers.
    """
    draws = {"rounds": options.rounds, "seed": options.seed}
    found: list[Scores] = []
    if chosen := _of(cases, SegmentationCase):
        found.append(segmentation.score(chosen, annotations, judge, tolerance=options.tolerance, **draws))
    if chosen_labels := [c for c in _of(cases, ApproachesCase) if any(a.label for a in c.approaches)]:
        found.append(approaches.score_labels(chosen_labels, annotations, judge, **draws))
    if chosen_errors := _of(cases, FirstErrorCase):
        found.append(first_error.score(chosen_errors, annotations, judge, **draws))
    if chosen_groups := [
        c for c in _of(cases, ApproachesCase) if all(a.method is not None for a in c.approaches)
    ]:
        found.append(approaches.score_clusters(chosen_groups, annotations, judge, **draws))
    if chosen_pairs := _of(cases, MethodPairCase):
        found.append(methods.score(chosen_pairs, annotations, judge, comparer, **draws))
    if chosen_answers := _of(cases, EquivalenceCase):
        found.append(equivalence.score(chosen_answers, checker, **draws))
    if chosen_arrivals := _of(cases, ArrivalCase):
        found.append(arrival.score(chosen_arrivals, annotations, judge, within=options.within, **draws))
    return found


def _of(cases: Sequence[Case], kind: type[C]) -> list[C]:
    return [case for case in cases if isinstance(case, kind)]
