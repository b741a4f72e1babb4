"""Weights: stored without loss of identity, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from dlcot_ray.judging.learned.features import BUCKETS, VERSION
from dlcot_ray.judging.learned.states import COUNT
from dlcot_ray.judging.learned.weights import SHIPPED, Weights, load, save


def weights(seed: int = 0) -> Weights:
    rng = np.random.default_rng(seed)
    shapes = [(5, COUNT), (BUCKETS, COUNT), (COUNT, COUNT), (COUNT,)]
    return Weights(*(rng.normal(size=shape) for shape in shapes))


def test_stored_weights_keep_their_name(tmp_path: Path) -> None:
    made = weights()
    save(made, tmp_path / "w.safetensors")
    read = load(tmp_path / "w.safetensors")
    assert read.fingerprint == made.fingerprint != weights(1).fingerprint
    assert np.allclose(read.columns, made.columns, atol=2e-3)


def test_the_package_has_weights_of_moderate_size() -> None:
    assert load().columns.shape[1] == COUNT
    assert SHIPPED.stat().st_size < 4_000_000


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
