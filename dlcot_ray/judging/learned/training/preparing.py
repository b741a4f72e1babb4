"""From labelled traces to what the model is trained on, and from trained weights to calibrated ones.

In: traces with the path that labels give each. Out: sparse rows, and a calibration that is fitted on traces
that the weights never saw. Needs scipy (`dlcot-ray[train]`).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.judge import case_of, eagerness_of, read_scores, scores_by
from dlcot_ray.judging.learned.results import Results
from dlcot_ray.judging.learned.sureness import calibrated_odds, fit_line, shares_right
from dlcot_ray.judging.learned.training.chain import Case, Rows, features_in, rows_of
from dlcot_ray.judging.learned.weights import PLAIN, Weights

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """A trace and the states of its first segments, as labels give them.

    `dropped`: the ranges of characters that a reader drops, where labels say so.
    `results`: where the right answer first stands and what approaches end on, where labels say so.
    """

    trace: Trace
    path: tuple[int, ...]
    dropped: Ranges | None = None
    results: Results | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A labelled trace, ready to train on.

    Attributes:
        offsets: of the segments that have a state.
        eagerness: see `judge.eagerness_of`, of each of them.
        rows: their features and states.
    """

    offsets: tuple[int, ...]
    eagerness: Floats
    rows: Rows


def prepared_of(offsets: tuple[int, ...], case: Case) -> Prepared:
    """A case whose features are known; `offsets` are those of the whole trace."""
    count = len(case.states)
    return Prepared(offsets[: count + 1], eagerness_of(case.features)[:count], rows_of(case))


def prepare(labelled: Sequence[Labelled]) -> list[Prepared | None]:
    """Compute the features of traces; None for one that has fewer segments than its labels."""
    with AnswerChecker() as checker:
        return [_prepared(item, checker) for item in labelled]


def _prepared(item: Labelled, checker: AnswerChecker) -> Prepared | None:
    found = find(item.trace, checker)
    count = len(item.path)
    if not 0 < count <= len(found.segments):
        return None
    features = case_of(found, item.trace.problem)
    dropped = None if item.dropped is None else dropped_segments(found.offsets[: count + 1], item.dropped)
    # Labels of the first segments alone do not tell where something first stands in the trace.
    results = item.results if count == len(found.segments) else None
    return prepared_of(found.offsets, Case(features, item.path, dropped, results))


def dropped_segments(offsets: Sequence[int], ranges: Ranges) -> tuple[bool, ...]:
    """Whether most characters of each segment lie in some ranges."""
    inside = np.zeros(offsets[-1] + 1)
    for start, stop in ranges:
        inside[start:stop] = 1
    total = np.concatenate([[0.0], np.cumsum(inside)])
    return tuple(bool(total[b] - total[a] > (b - a) / 2) for a, b in itertools.pairwise(offsets))


@dataclass(frozen=True, slots=True)
class Sureness:
    """Confidences of traces before a calibration, and the shares that were right, in the same order."""

    sections: tuple[tuple[float, float], ...]
    openings: tuple[tuple[float, float], ...]
    drops: tuple[tuple[float, float], ...] = ()
    """One pair for each segment, not for each trace."""
    labels: tuple[tuple[float, float], ...] = ()
    """One pair for each approach that a reader labelled."""


def sureness_of(weights: Weights, cases: Sequence[Prepared]) -> Sureness:
    """How sure some weights are of cases, and how right."""
    sections, openings = [], []
    drops: list[tuple[float, float]] = []
    labels: list[tuple[float, float]] = []
    for case in cases:
        outlook = scores_by(weights, *features_in(case.rows))
        reading = read_scores(outlook.states, case.eagerness, case.offsets, weights)
        if outlook.needless is not None and case.rows.dropped is not None:
            chances = calibrated_odds(outlook.needless, PLAIN[2]).tolist()
            drops += zip(chances, map(float, case.rows.dropped), strict=True)
        if outlook.results is not None and case.rows.results is not None:
            for end, label in case.rows.results.ends:
                likely = outlook.results.labels[end]
                labels.append((float(np.exp(likely.max())), float(likely.argmax() == label)))
        right, hits = shares_right(reading.path, case.rows.states, case.offsets)
        sections.append((reading.sections, right))
        openings.append((reading.openings, hits))
    return Sureness(tuple(sections), tuple(openings), tuple(drops), tuple(labels))


def calibrate(weights: Weights, seen: Sureness) -> Weights:
    """The weights with a calibration that fits what was seen."""
    kinds = (seen.sections, seen.openings, seen.drops, seen.labels)
    lines = [
        fit_line(*zip(*pairs, strict=True)) if pairs else plain
        for pairs, plain in zip(kinds, PLAIN, strict=True)
    ]
    return replace(weights, calibration=np.stack(lines))
