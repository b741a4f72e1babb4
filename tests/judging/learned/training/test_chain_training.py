"""Training: what is in the labels is learned, the same each time, and impossible labels are refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from dlcot_ray.judging.learned.arrays import Ints
from dlcot_ray.judging.learned.chain import best_path, scores_of
from dlcot_ray.judging.learned.features import Features
from dlcot_ray.judging.learned.states import APPROACH, CHECK, CONCLUSION, LOOK, TASK, UNDERSTAND, WORK
from dlcot_ray.judging.learned.training.chain import Case, Options, fit, rows_of, train

OPTIONS = Options(penalty=0.1, least_uses=1)


def case(states: list[int], seed: int) -> Case:
    """Columns that show the state, with noise, and one word that says nothing."""
    rng = np.random.default_rng(seed)
    columns = np.eye(7)[states]
    columns[rng.random(columns.shape) < 0.05] = 1.0
    words: tuple[Ints, ...] = tuple(np.array([int(rng.integers(50))]) for _ in states)
    return Case(Features(columns, words, *(np.zeros((2, len(states)), dtype=np.bool_))), tuple(states))


def cases() -> list[Case]:
    path = [
        TASK,
        UNDERSTAND,
        APPROACH,
        WORK,
        WORK,
        CHECK,
        LOOK,
        CHECK,
        APPROACH,
        WORK,
        CHECK,
        LOOK,
        CONCLUSION,
    ]
    return [case(path[: 5 + seed % 9] + ([CONCLUSION] if seed % 2 else []), seed) for seed in range(30)]


def test_states_that_the_features_show_are_learned() -> None:
    weights = train(cases(), OPTIONS)
    right = total = 0
    for seed in range(100, 110):
        new = case([TASK, APPROACH, WORK, WORK, CHECK, LOOK, LOOK, CONCLUSION], seed)
        scores = scores_of(new.features.columns, new.features.words, weights.columns, weights.words)
        path = best_path(scores, weights.transitions, weights.starts)
        right += sum(one == other for one, other in zip(path, new.states, strict=True))
        total += len(path)
    assert right / total > 0.95


def test_training_again_gives_the_same_weights() -> None:
    assert train(cases(), OPTIONS).fingerprint == train(cases(), OPTIONS).fingerprint


def test_a_reading_may_stop_before_the_trace_does() -> None:
    whole = case([TASK, APPROACH, WORK, CHECK, CONCLUSION], 1)
    assert train([Case(whole.features, whole.states[:2])], OPTIONS).columns.any()


def test_labels_without_a_legal_path_are_refused() -> None:
    with pytest.raises(ValueError, match="no legal path"):
        train([case([CONCLUSION, WORK], 1)], OPTIONS)
    with pytest.raises(ValueError, match="no cases"):
        train([])


def test_training_stops_where_cases_held_back_get_no_better() -> None:
    rows = [rows_of(item) for item in cases()]
    steps: list[tuple[int, float]] = []
    options = Options(penalty=0.0, least_uses=1, iterations=200, patience=3)
    stopped = fit(rows[:-1], options, rows[-1:], lambda step, loss: steps.append((step, loss)))
    assert len(steps) < 200
    best = min(loss for _, loss in steps)
    assert steps[-1][1] > best or steps[-1][1] == best
    assert [step for step, _ in steps] == list(range(1, len(steps) + 1))
    assert np.abs(stopped.columns).sum() > 0
