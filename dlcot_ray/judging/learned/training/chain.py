"""Train the model from labelled traces: a conditional random field, by L-BFGS with an L2 penalty.

In: cases, each a trace's features and its states as a reader gave them (all of them, or those of its first
segments only). Out: weights. Cases may be held back to stop early: the weights are then those of the step at
which these were likeliest. Deterministic. Needs scipy (`dlcot-ray[train]`), which is imported where
it is used: judging and the command's help do without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dlcot_ray.judging.learned.arrays import Floats, Ints
from dlcot_ray.judging.learned.features import BUCKETS, Features
from dlcot_ray.judging.learned.results import Results
from dlcot_ray.judging.learned.states import COUNT, MAY_FOLLOW, MAY_START
from dlcot_ray.judging.learned.weights import Weights

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True, slots=True)
class Case:
    """A trace to learn from.

    Attributes:
        features: of all its segments.
        states: what a reader made of them; fewer where only the beginning was read.
        dropped: whether the reader dropped each of them, where readers said so.
        results: where the right answer first stands and what approaches end on, where readers said so.
    """

    features: Features
    states: tuple[int, ...]
    dropped: tuple[bool, ...] | None = None
    results: Results | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How to train.

    Attributes:
        penalty: L2 penalty of the features' weights; chosen by cross-validation.
        penalty_of_transitions: the same for transitions.
        least_uses: columns and words that fewer segments show get no weight.
        iterations: maximum iterations of L-BFGS; stopping early is part of the regularisation.
        patience: steps without a better one, on the cases held back, before training stops.
    """

    penalty: float = 20.0
    penalty_of_transitions: float = 1.0
    least_uses: int = 5
    iterations: int = 40
    patience: int = 5


@dataclass(frozen=True, slots=True)
class Rows:
    """A case in the form that is trained on: a sparse row and a state for each segment that was read."""

    matrix: sparse.csr_matrix
    states: tuple[int, ...]
    dropped: tuple[bool, ...] | None = None
    results: Results | None = None


def train(cases: Sequence[Case], options: Options = Options()) -> Weights:
    """Fit the weights to the cases.

    Raises:
        ValueError: no cases, or the states of one have no legal path.
    """
    return fit([rows_of(case) for case in cases], options)


def fit(
    cases: Sequence[Rows],
    options: Options = Options(),
    held_back: Sequence[Rows] = (),
    progress: Callable[[int, float], None] = lambda step, loss: None,
) -> Weights:
    """Fit the weights to the cases.

    Args:
        held_back: cases that decide which step is the best; none: the last one.
        progress: gets the number of each step, and the loss per segment of the cases held back.

    Raises:
        ValueError: no cases, or the states of one have no legal path.
    """
    if not cases:
        raise ValueError("no cases to train on")
    from scipy import sparse
    from scipy.optimize import minimize

    matrix = sparse.vstack([case.matrix for case in cases], format="csr")
    used = np.flatnonzero(np.asarray(matrix.getnnz(axis=0)) >= options.least_uses)
    watch = None
    if held_back:
        free = replace(options, penalty=0.0, penalty_of_transitions=0.0)
        watch = _Watch(_problem(held_back, used, free), options.patience, progress)
    found = minimize(
        _problem(cases, used, options).loss,
        np.zeros((len(used) + COUNT + 1) * COUNT),
        jac=True,
        method="L-BFGS-B",
        callback=watch,
        options={"maxiter": options.iterations},
    ).x
    return _weights(found if watch is None else watch.best, used, matrix.shape[1])


def _weights(vector: Floats, used: Ints, width: int) -> Weights:
    size = len(used) * COUNT
    features = np.zeros((width, COUNT))
    features[used] = vector[:size].reshape(-1, COUNT)
    return Weights(
        features[:-BUCKETS],
        features[-BUCKETS:],
        vector[size : size + COUNT * COUNT].reshape(COUNT, COUNT),
        vector[-COUNT:],
    )


class _Watch:
    """Called behind each step: tells the progress, keeps the best step, and stops behind `patience` worse."""

    def __init__(self, problem: _Problem, patience: int, progress: Callable[[int, float], None]) -> None:
        self._problem, self._patience, self._progress = problem, patience, progress
        self._step = self._since = 0
        self._least = np.inf
        self.best: Floats = np.zeros(0)

    def __call__(self, vector: Floats) -> None:
        self._step += 1
        loss = self._problem.loss(vector)[0] / self._problem.segments
        self._progress(self._step, loss)
        if loss < self._least:
            self._least, self._since, self.best = loss, 0, vector.copy()
            return
        self._since += 1
        if self._since >= self._patience:
            raise StopIteration


def rows_of(case: Case) -> Rows:
    """Columns and one-hot words of the segments that have a state."""
    from scipy import sparse

    count = len(case.states)
    words = case.features.words[:count]
    at = np.repeat(np.arange(count), [len(buckets) for buckets in words])
    hot = sparse.csr_matrix(
        (np.ones(len(at), np.float32), (at, np.concatenate(words))), shape=(count, BUCKETS)
    )
    columns = sparse.csr_matrix(case.features.columns[:count].astype(np.float32))
    rows = sparse.hstack([columns, hot], format="csr")
    return Rows(rows, case.states, case.dropped, case.results)


def features_in(rows: Rows) -> tuple[Floats, tuple[Ints, ...]]:
    """The columns and the words of a case, as `Features` has them."""
    hot = rows.matrix[:, -BUCKETS:].tocsr()
    hot.sort_indices()
    columns = rows.matrix[:, :-BUCKETS].toarray().astype(np.float64)
    return columns, tuple(part.astype(np.int64) for part in np.split(hot.indices, hot.indptr[1:-1]))


def _problem(cases: Sequence[Rows], used: Ints, options: Options) -> _Problem:
    from scipy import sparse

    matrix = sparse.vstack([case.matrix for case in cases], format="csr")[:, used]
    states = np.concatenate([np.asarray(case.states, dtype=np.int64) for case in cases])
    return _Problem(matrix, states, [len(case.states) for case in cases], options)


class _Problem:
    """The loss and its gradient; sequences are worked through side by side, the longest first."""

    def __init__(
        self, matrix: sparse.csr_matrix, states: Ints, lengths: Sequence[int], options: Options
    ) -> None:
        self._matrix, self._turned = matrix, matrix.T.tocsr()
        self.segments = len(states)
        self._options = options
        starts = np.cumsum([0, *lengths[:-1]])
        inside = np.ones(len(states), dtype=np.bool_)
        inside[starts] = False
        pairs = (states[:-1][inside[1:]], states[1:][inside[1:]])
        if not (MAY_FOLLOW[pairs].all() and MAY_START[states[starts]].all()):
            raise ValueError("the states of a case have no legal path")
        self._pairs = np.zeros((COUNT, COUNT))
        np.add.at(self._pairs, pairs, 1)
        self._firsts = np.bincount(states[starts], minlength=COUNT).astype(float)
        self._seen = self._turned @ np.eye(COUNT)[states]
        order = np.argsort(-np.asarray(lengths), kind="stable")
        sizes = np.asarray(lengths)[order]
        self._steps = [starts[order][: int((sizes > step).sum())] + step for step in range(sizes[0])]

    def loss(self, vector: Floats) -> tuple[float, Floats]:
        """Negative log-likelihood with penalties, and its gradient."""
        size = len(vector) - COUNT * COUNT - COUNT
        features = vector[:size].reshape(-1, COUNT)
        transitions = vector[size:-COUNT].reshape(COUNT, COUNT)
        starts = vector[-COUNT:]
        total, states, pairs, firsts = self._expected(self._matrix @ features, transitions, starts)
        soft, hard = self._options.penalty, self._options.penalty_of_transitions
        likelihood = (
            (self._seen * features).sum() + (self._pairs * transitions).sum() + self._firsts @ starts - total
        )
        gradient = [
            self._seen - self._turned @ states - soft * features,
            np.where(MAY_FOLLOW, self._pairs - pairs, 0.0) - hard * transitions,
            np.where(MAY_START, self._firsts - firsts, 0.0) - hard * starts,
        ]
        penalty = soft * (features**2).sum() + hard * ((transitions**2).sum() + starts @ starts)
        return float(penalty / 2 - likelihood), -np.concatenate([part.ravel() for part in gradient])

    def _expected(
        self, scores: Floats, transitions: Floats, starts: Floats
    ) -> tuple[float, Floats, Floats, Floats]:
        """Log of the sum over all paths; expected states, pairs and first states."""
        highest = scores.max(axis=1, keepdims=True)
        likely = np.exp(scores - highest)
        follow = np.where(MAY_FOLLOW, np.exp(transitions), 0.0)
        forward, backward = np.empty_like(likely), np.ones_like(likely)
        scale = np.empty(len(likely))
        for step, rows in enumerate(self._steps):
            if step:
                now = (forward[self._steps[step - 1][: len(rows)]] @ follow) * likely[rows]
            else:
                now = np.where(MAY_START, np.exp(starts), 0.0) * likely[rows]
            scale[rows] = now.sum(axis=1)
            forward[rows] = now / scale[rows, None]
        pairs = np.zeros((COUNT, COUNT))
        for step in range(len(self._steps) - 1, 0, -1):
            rows = self._steps[step]
            before = self._steps[step - 1][: len(rows)]
            now = backward[rows] * likely[rows] / scale[rows, None]
            backward[before] = now @ follow.T
            pairs += forward[before].T @ now
        states = forward * backward
        total = float(np.log(scale).sum() + highest.sum())
        return total, states, pairs * follow, states[self._steps[0]].sum(axis=0)
