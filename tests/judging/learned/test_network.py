"""The network: numpy says what torch says, and each reader sees its side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dlcot_ray.judging.learned.arrays import Floats, Ints
from dlcot_ray.judging.learned.features import BUCKETS
from dlcot_ray.judging.learned.network import Network, read_segments
from dlcot_ray.judging.learned.states import COUNT

COLUMNS, LAYER, WORD, STATE = 5, 4, 3, 2


def network(seed: int = 0) -> Network:
    rng = np.random.default_rng(seed)
    own = LAYER + WORD
    reader = [(own, 3 * STATE), (3 * STATE,), (STATE, 3 * STATE), (3 * STATE,)]
    shapes = [
        (COLUMNS, LAYER),
        (LAYER,),
        (BUCKETS, WORD),
        *reader,
        *reader,
        (2 * STATE + own, COUNT),
        (COUNT,),
    ]
    return Network(*(rng.normal(size=shape) for shape in shapes))


def segments(count: int, seed: int = 1) -> tuple[Floats, tuple[Ints, ...]]:
    rng = np.random.default_rng(seed)
    columns = (rng.random((count, COLUMNS)) < 0.5).astype(float)
    return columns, tuple(
        np.sort(rng.choice(BUCKETS, rng.integers(0, 6), replace=False)) for _ in range(count)
    )


def test_the_chances_of_each_segment_sum_to_one() -> None:
    chances = np.exp(read_segments(network(), *segments(9)).states)
    assert chances.shape == (9, COUNT)
    assert np.allclose(chances.sum(axis=1), 1.0)


def test_a_segment_is_seen_from_both_sides() -> None:
    columns, words = segments(6)
    before = read_segments(network(), columns, words).states
    for place in (0, 5):
        other = columns.copy()
        other[place] = 1 - other[place]
        moved = np.abs(read_segments(network(), other, words).states - before).max(axis=1)
        assert (moved > 0).all()


def test_without_state_each_segment_stands_alone() -> None:
    made = network()
    none = {name: np.zeros_like(getattr(made, name)) for name in ("ahead_state", "back_state")}
    shut = {
        name: np.where(np.arange(3 * STATE) // STATE == 1, -50.0, getattr(made, name))
        for name in ("ahead_shift", "back_shift")
    }
    alone = replace(made, **none, **shut)
    columns, words = segments(4)
    whole = read_segments(alone, columns, words).states
    for i in range(4):
        assert np.allclose(whole[i], read_segments(alone, columns[i : i + 1], words[i : i + 1]).states[0])


def test_numpy_and_torch_say_the_same() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'dlcot-ray[network]'")
    made = network()
    reader = torch.nn.GRU(LAYER + WORD, STATE, bidirectional=True, batch_first=True)
    with torch.no_grad():
        for way, end in (("ahead", ""), ("back", "_reverse")):
            for ours, theirs in (
                ("", "weight_ih"),
                ("_shift", "bias_ih"),
                ("_state", "weight_hh"),
                ("_state_shift", "bias_hh"),
            ):
                getattr(reader, f"{theirs}_l0{end}").copy_(torch.tensor(getattr(made, f"{way}{ours}").T))
        columns, words = segments(7)
        means = np.stack([made.words[w].mean(axis=0) if len(w) else np.zeros(WORD) for w in words])
        own = np.hstack([np.maximum(columns @ made.columns + made.columns_shift, 0), means])
        read, _ = reader(torch.tensor(own, dtype=torch.float32)[None])
        scores = np.hstack([read[0].numpy(), own]) @ made.out + made.out_shift
        theirs = torch.log_softmax(torch.tensor(scores), 1).numpy()
    assert np.allclose(read_segments(made, columns, words).states, theirs, atol=1e-5)
