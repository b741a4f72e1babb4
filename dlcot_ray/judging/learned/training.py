"""Train the model from labelled traces: a conditional random field, by L-BFGS with an L2 penalty.

In: cases, each a trace's features and its states as a reader gave them (all of them, or those of its first
segments only). Out: weights. Deterministic. Needs scipy (`dlcot-ray[train]`); judging does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from dlcot_ray.judging.learned.arrays import Floats, Ints
from dlcot_ray.judging.learned.features import BUCKETS, Features
from dlcot_ray.judging.learned.states import COUNT, MAY_FOLLOW, MAY_START
from dlcot_ray.judging.learned.weights import Weights


@dataclass(frozen=True, slots=True)
class Case:
    """A trace to learn from.

    Attributes:
        features: of all its segments.
        states: what a reader made of them; fewer where only the beginning was read.
    """

    features: Features
    states: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Options:
    """How to train.

    Attributes:
        penalty: L2 penalty of the features' weights; chosen by cross-validation.
        penalty_of_transitions: the same for transitions.
        least_uses: columns and words that fewer segments show get no weight.
        iterations: maximum iterations of L-BFGS; stopping early is part of the regularisation.
    """

    penalty: float = 20.0
    penalty_of_transitions: float = 1.0
    least_uses: int = 5
    iterations: int = 40


def train(cases: Sequence[Case], options: Options = Options()) -> Weights:
    """Fit the weights to the cases.

    Raises:
        ValueError: no cases, or the states of one have no legal path.
    """
    if not cases:
        raise ValueError("no cases to train on")
    states = np.concatenate([np.asarray(case.states, dtype=np.int64) for case in cases])
    matrix = sparse.vstack([_rows(case) for case in cases], format="csr")
    used = np.flatnonzero(np.asarray(matrix.getnnz(axis=0)) >= options.least_uses)
    problem = _Problem(matrix[:, used], states, [len(case.states) for case in cases], options)
    size = len(used) * COUNT
    found = minimize(
        problem.loss,
        np.zeros(size + COUNT * COUNT + COUNT),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": options.iterations},
    ).x
    features = np.zeros((matrix.shape[1], COUNT))
    features[used] = found[:size].reshape(-1, COUNT)
    return Weights(
        features[:-BUCKETS],
        features[-BUCKETS:],
        found[size : size + COUNT * COUNT].reshape(COUNT, COUNT),
        found[-COUNT:],
    )


def _rows(case: Case) -> sparse.csr_matrix:
    """Columns and one-hot words of the segments that have a state."""
    count = len(case.states)
    words = case.features.words[:count]
    at = np.repeat(np.arange(count), [len(buckets) for buckets in words])
    hot = sparse.csr_matrix((np.ones(len(at)), (at, np.concatenate(words))), shape=(count, BUCKETS))
    return sparse.hstack([sparse.csr_matrix(case.features.columns[:count]), hot], format="csr")


class _Problem:
    """The loss and its gradient; sequences are worked through side by side, the longest first."""

    def __init__(
        self, matrix: sparse.csr_matrix, states: Ints, lengths: Sequence[int], options: Options
    ) -> None:
        self._matrix, self._turned = matrix, matrix.T.tocsr()
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
