"""Training the network: what stands far before is learned, and the same weights come out again."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed: pip install 'dlcot-ray[network]'")
pytest.importorskip("scipy")

from dlcot_ray.judging.learned.arrays import Ints
from dlcot_ray.judging.learned.features import Features
from dlcot_ray.judging.learned.network import Network, read_segments
from dlcot_ray.judging.learned.results import Results
from dlcot_ray.judging.learned.states import APPROACH, CHECK, CONCLUSION, COUNT, LOOK, TASK, WORK
from dlcot_ray.judging.learned.training.chain import Case, rows_of
from dlcot_ray.judging.learned.training.network import NetworkOptions, fit_network

OPTIONS = NetworkOptions(layer=16, word=4, state=8, dropout=0.0, rate=0.02, epochs=25)


def case(seed: int) -> Case:
    """Only the first segment tells whether the last ones look on or go on with the work."""
    looks = seed % 2
    path = [TASK, APPROACH, *([CHECK, LOOK] if looks else [WORK, WORK]), CONCLUSION]
    columns = np.eye(COUNT)[[TASK, APPROACH, WORK, WORK, CONCLUSION]]
    columns[0, CHECK] = looks
    words: tuple[Ints, ...] = tuple(np.array([seed % 7]) for _ in path)
    return Case(Features(columns, words, *(np.zeros((2, len(path)), dtype=np.bool_))), tuple(path))


def test_what_stands_far_before_is_learned() -> None:
    seen: list[float] = []
    made = fit_network(
        [rows_of(case(seed)) for seed in range(32)], OPTIONS, lambda epoch, loss: seen.append(loss)
    )
    assert len(seen) == 25
    assert seen[-1] < seen[0] / 4
    for seed in (100, 101):
        new = case(seed)
        found = read_segments(made, new.features.columns, new.features.words).states.argmax(axis=1)
        assert tuple(found) == new.states


def test_what_readers_drop_is_learned_where_they_say_so() -> None:
    def labelled(seed: int) -> Case:
        made = case(seed)
        return replace(made, dropped=tuple(state in (CHECK, LOOK) for state in made.states))

    # A case that says nothing of drops teaches states only.
    made = fit_network([rows_of(labelled(seed)) for seed in range(32)] + [rows_of(case(3))], OPTIONS)
    for seed in (100, 101):
        new = labelled(seed)
        needless = read_segments(made, new.features.columns, new.features.words).needless
        assert needless is not None
        assert tuple(needless > 0) == new.dropped
    alone = fit_network([rows_of(case(seed)) for seed in range(4)], OPTIONS)
    assert read_segments(alone, new.features.columns, new.features.words).needless is None


def test_results_are_learned_where_readers_tell_them() -> None:
    def labelled(seed: int) -> Case:
        # What stands in the first segment decides where the answer stands and what the approach ends on.
        stands = seed % 2
        return replace(case(seed), results=Results(1 if stands else None, ((2, 0 if stands else 2),)))

    made = fit_network([rows_of(labelled(seed)) for seed in range(32)] + [rows_of(case(3))], OPTIONS)
    for seed in (100, 101):
        new = labelled(seed)
        found = read_segments(made, new.features.columns, new.features.words)
        assert new.results is not None
        assert found.results is not None
        assert found.needless is None
        assert found.results.labels[2].argmax() == new.results.ends[0][1]
        first = found.results.first
        assert (int(first.argmax()) if first.max() > 0 else None) == new.results.first
    dropped = [rows_of(replace(labelled(seed), dropped=(False,) * 5)) for seed in range(4)]
    both = read_segments(fit_network(dropped, OPTIONS), new.features.columns, new.features.words)
    assert both.needless is not None
    assert both.results is not None


def test_training_again_gives_the_same_weights() -> None:
    rows = [rows_of(case(seed)) for seed in range(8)]
    made, again = fit_network(rows, OPTIONS), fit_network(rows, OPTIONS)
    assert all(np.array_equal(getattr(made, f.name), getattr(again, f.name)) for f in fields(Network))


def test_without_cases_there_is_nothing_to_train() -> None:
    with pytest.raises(ValueError, match="no cases"):
        fit_network([])
