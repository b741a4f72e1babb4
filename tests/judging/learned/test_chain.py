"""The chain of states: only legal structures, the best of them, and honest probabilities."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dlcot_ray.core.annotation import SectionKind
from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.chain import best_path, probabilities, scores_of
from dlcot_ray.judging.learned.states import (
    APPROACH,
    CHECK,
    CONCLUSION,
    COUNT,
    LOOK,
    MAY_END,
    MAY_FOLLOW,
    MAY_START,
    TASK,
    UNDERSTAND,
    WORK,
    runs_of,
    states_of,
)
from dlcot_ray.judging.rules.runs import Run


def legal(path: tuple[int, ...]) -> bool:
    steps = all(MAY_FOLLOW[one, other] for one, other in itertools.pairwise(path))
    return bool(MAY_START[path[0]] and MAY_END[path[-1]] and steps)


def value(path: tuple[int, ...], scores: Floats, transitions: Floats, starts: Floats) -> float:
    steps = sum(transitions[one, other] for one, other in itertools.pairwise(path))
    return float(starts[path[0]] + steps + sum(scores[i, state] for i, state in enumerate(path)))


@pytest.mark.parametrize("seed", range(5))
def test_the_best_path_and_the_probabilities_are_those_of_all_legal_paths(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, transitions, starts = (
        rng.normal(size=(4, COUNT)),
        rng.normal(size=(COUNT, COUNT)),
        rng.normal(size=COUNT),
    )
    paths = [path for path in itertools.product(range(COUNT), repeat=4) if legal(path)]
    values = np.array([value(path, scores, transitions, starts) for path in paths])
    assert tuple(best_path(scores, transitions, starts)) == paths[int(values.argmax())]
    share = np.exp(values) / np.exp(values).sum()
    expected = np.zeros((4, COUNT))
    for path, part in zip(paths, share, strict=True):
        expected[range(4), path] += part
    assert np.allclose(probabilities(scores, transitions, starts), expected)


@pytest.mark.parametrize("count", [1, 2, 3, 40])
def test_whatever_the_scores_the_path_is_legal(count: int) -> None:
    rng = np.random.default_rng(count)
    for _ in range(20):
        path = best_path(rng.normal(size=(count, COUNT)) * 30, np.zeros((COUNT, COUNT)), np.zeros(COUNT))
        assert legal(tuple(path))
        assert APPROACH in path


def test_long_texts_do_not_underflow() -> None:
    rng = np.random.default_rng(1)
    found = probabilities(rng.normal(size=(5000, COUNT)) * 20, np.zeros((COUNT, COUNT)), np.zeros(COUNT))
    assert np.isfinite(found).all()
    assert np.allclose(found.sum(axis=1), 1)


def test_runs_and_paths_say_the_same() -> None:
    path = [
        TASK,
        UNDERSTAND,
        UNDERSTAND,
        APPROACH,
        WORK,
        APPROACH,
        CHECK,
        LOOK,
        CHECK,
        APPROACH,
        WORK,
        CONCLUSION,
        CONCLUSION,
    ]
    runs = runs_of(path)
    assert states_of(runs) == path
    assert runs[2:4] == [Run(SectionKind.SOLUTION_EXPLORE, 3, 5), Run(SectionKind.SOLUTION_EXPLORE, 5, 6)]
    assert runs[4] == Run(SectionKind.VERIFY, 6, 8)
    assert [run.start for run in runs[1:]] == [run.stop for run in runs[:-1]]


def test_scores_are_sums_of_weights_also_where_a_segment_has_no_word() -> None:
    of_columns, of_words = np.array([[1.0, 2.0]]), np.array([[10.0, 0.0], [0.0, 10.0]])
    words = (np.array([0, 1]), np.array([], dtype=np.int64), np.array([1]), np.array([], dtype=np.int64))
    columns = np.array([[1.0], [1.0], [0.0], [0.0]])
    scores = scores_of(columns, words, of_columns, of_words)
    assert scores.tolist() == [[11.0, 12.0], [1.0, 2.0], [0.0, 10.0], [0.0, 0.0]]
    none = tuple(np.array([], dtype=np.int64) for _ in range(2))
    assert scores_of(columns[:2], none, of_columns, of_words).tolist() == [[1.0, 2.0], [1.0, 2.0]]
