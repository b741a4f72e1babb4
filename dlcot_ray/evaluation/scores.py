"""From tallies of single cases to figures with confidence intervals.

In: named counts per case. Out: tables of figures. Every figure is a function of the sums of the counts. So
one resample of the cases is one matrix product, and a thousand take milliseconds. An interval says how far a
figure would move with other cases of the same kind, not with another kind: sets are small and come from few
sources.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from dlcot_ray.evaluation.metrics.agreement import Figures

Tally = Mapping[str, float]
"""Named counts of one case."""

ROUNDS = 1000
SEED = 20250316

_PERCENTILES = (2.5, 97.5)


class Sums:
    """Summed tallies of one or many resamples; a name that no case counted is zero."""

    def __init__(self, names: Sequence[str], values: Figures) -> None:
        self._columns = {name: values[:, index] for index, name in enumerate(names)}
        self._zero = np.zeros(len(values))

    def __getitem__(self, name: str) -> Figures:
        return self._columns.get(name, self._zero)

    def confusion(self, classes: Sequence[str]) -> Figures:
        """The counts called ``reference>predicted`` as an array (resamples, k, k)."""
        rows = [np.stack([self[f"{one}>{other}"] for other in classes], -1) for one in classes]
        return np.stack(rows, -2)


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure and how it follows from sums.

    Attributes:
        higher: whether higher is better.
        whole: the figure is a count, not a share.
    """

    name: str
    of: Callable[[Sums], Figures]
    higher: bool = True
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure with its 95 % interval; nan where it is not defined."""

    name: str
    value: float
    low: float
    high: float
    higher: bool = True
    whole: bool = False

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        shape = ",.0f" if self.whole else ".3f"
        if math.isnan(self.low):
            return f"{self.value:{shape}}"
        return f"{self.value:{shape}} ({self.low:{shape}}-{self.high:{shape}})"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a judge, a human, or a baseline."""

    name: str
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the same metrics; the judge's own row comes first."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class BadCase:
    """A case that was not scored as right.

    Attributes:
        case: its id.
        loss: how bad, for the order; 0 is right.
        start, stop: the segments (or steps) to look at.
        what: what is wrong, without a word of the text.
        text: the passage, which leaves this process only into local files.
    """

    case: str
    loss: float
    start: int
    stop: int
    what: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Graded:
    """The confidence of a judge in a case, and its score.

    Attributes:
        confidence: of the step that the case is about, 0..1.
        trace_confidence: of the whole trace, as `cascade` sees it.
        score: 0..1; 1 is right.
    """

    case: str
    confidence: float
    trace_confidence: float
    score: float


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a judge on one kind of case.

    Attributes:
        kind: e.g. ``segmentation``.
        cases: how many.
        tables: the first row of the first one holds the headline figures.
        bad: all that is not right, worst first.
        notes: sentences that belong to the figures.
        curves: figures over a variable, by name.
        graded: every judged case, for the calibration.
    """

    kind: str
    cases: int
    tables: tuple[Table, ...]
    bad: tuple[BadCase, ...] = ()
    notes: tuple[str, ...] = ()
    curves: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)
    graded: tuple[Graded, ...] = ()

    def headline(self) -> dict[str, float]:
        """The judge's own figures by name, ``kind.metric``."""
        return {f"{self.kind}.{m.name}": m.value for m in self.tables[0].rows[0].metrics}


def summarise(
    name: str,
    tallies: Sequence[Tally],
    measures: Sequence[Measure],
    *,
    groups: Sequence[Hashable] | None = None,
    rounds: int = ROUNDS,
    seed: int = SEED,
) -> Row:
    """Figures and bootstrap intervals over cases.

    Args:
        tallies: one per case.
        groups: cases of one group (annotations of one text) are drawn together; None: each for itself.
        rounds: resamples; 0 gives no intervals.
        seed: makes them repeatable.
    """
    names = sorted({key for tally in tallies for key in tally})
    merged: dict[Hashable, np.ndarray] = {}
    for index, tally in enumerate(tallies):
        group = index if groups is None else groups[index]
        vector = np.array([tally.get(key, 0.0) for key in names], float)
        merged[group] = merged[group] + vector if group in merged else vector
    matrix = np.stack(list(merged.values())) if merged else np.zeros((0, len(names)))
    whole = Sums(names, matrix.sum(0, keepdims=True))
    count = len(matrix)
    drawn = None
    if rounds and count > 1:
        weights = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=rounds)
        drawn = Sums(names, weights @ matrix)
    metrics = []
    for measure in measures:
        low = high = math.nan
        value = float(measure.of(whole)[0])
        if drawn is not None and not math.isnan(value):
            figures = measure.of(drawn)
            low, high = (float(x) for x in np.nanpercentile(figures, _PERCENTILES))
        metrics.append(Metric(measure.name, value, low, high, measure.higher, measure.whole))
    return Row(name, tuple(metrics))


def worst_first(bad: Sequence[BadCase]) -> tuple[BadCase, ...]:
    """By loss, then by id, without those that are right."""
    return tuple(sorted((b for b in bad if b.loss > 0), key=lambda b: (-b.loss, b.case)))
