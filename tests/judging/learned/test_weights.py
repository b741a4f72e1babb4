"""Weights: stored without loss of identity, refused where they do not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from dlcot_ray.judging.learned.features import BUCKETS, VERSION
from dlcot_ray.judging.learned.network import Network
from dlcot_ray.judging.learned.states import COUNT
from dlcot_ray.judging.learned.weights import SHIPPED, Weights, load, save


def weights(seed: int = 0) -> Weights:
    rng = np.random.default_rng(seed)
    shapes = [(5, COUNT), (BUCKETS, COUNT), (COUNT, COUNT), (COUNT,)]
    columns, words, transitions, starts = (rng.normal(size=shape) for shape in shapes)
    return Weights(columns, words, transitions, starts)


def network() -> Network:
    """A small network; 1 column, sizes 2, 3 and 1."""
    rng = np.random.default_rng(3)
    reader = [(5, 3), (3,), (1, 3), (3,)]
    shapes = [(5, 2), (2,), (BUCKETS, 3), *reader, *reader, (7, COUNT), (COUNT,)]
    return Network(*(rng.normal(size=shape) for shape in shapes))


def test_stored_weights_keep_their_name(tmp_path: Path) -> None:
    made = weights()
    save(made, tmp_path / "w.safetensors")
    read = load(tmp_path / "w.safetensors")
    assert read.fingerprint == made.fingerprint != weights(1).fingerprint
    assert np.allclose(read.columns, made.columns, atol=2e-3)


def test_a_network_is_stored_with_the_chain(tmp_path: Path) -> None:
    made = replace(weights(), network=network())
    save(made, tmp_path / "w.safetensors")
    read = load(tmp_path / "w.safetensors")
    assert read.network is not None
    assert made.network is not None
    assert read.fingerprint == made.fingerprint != weights().fingerprint
    assert np.allclose(read.network.out, made.network.out, atol=2e-3)
    assert load(SHIPPED).fingerprint != read.fingerprint


def test_the_package_has_weights_of_moderate_size() -> None:
    assert load().columns.shape[1] == COUNT
    assert SHIPPED.stat().st_size < 8_000_000


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    with pytest.raises(ValueError, match="holds no weights"):
        load(path)
    path.write_bytes(b"not weights")
    with pytest.raises(ValueError, match="holds no weights"):
        load(path)
    arrays = {
        name: np.zeros((2, 2), np.float16)
        for name in ("columns", "words", "transitions", "starts", "calibration")
    }
    save_file(arrays, path, metadata={"features": "0"})
    with pytest.raises(ValueError, match="belongs to features 0"):
        load(path)
    save_file(arrays, path, metadata={"features": str(VERSION)})
    with pytest.raises(ValueError, match="another shape"):
        load(path)
