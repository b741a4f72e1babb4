"""The weights of the model: what they are, how they are stored, and the name that they give the judge.

Stored as safetensors: numbers and a version, no code. The identity is a hash of the numbers, so annotations
of other weights are never taken for these.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from dlcot_ray.judging.learned import features
from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.states import COUNT

FILE = "structure.safetensors"
"""Name of the weights, in the package and in the folder of a trained judge."""

SHIPPED = Path(__file__).with_name(FILE)
"""The weights of the package."""

_NAMES = ("columns", "words", "transitions", "starts", "calibration")

PLAIN = np.array([[1.0, 0.0], [1.0, 0.0]])
"""The calibration that changes nothing."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the chain; 7 is the number of states.

    Attributes:
        columns: (c, 7), for the columns of `Features`.
        words: (BUCKETS, 7), for the buckets of `Features`.
        transitions: (7, 7), from row to column.
        starts: (7,), for the first segment.
        calibration: (2, 2), for sections and for openings: slope and shift of the log-odds of a confidence.
    """

    columns: Floats
    words: Floats
    transitions: Floats
    starts: Floats
    calibration: Floats = field(default_factory=PLAIN.copy)

    @property
    def fingerprint(self) -> str:
        """12 hex digits over the version of the features and all numbers, as they are stored."""
        digest = hashlib.blake2b(f"features/{features.VERSION}".encode(), digest_size=6)
        for name in _NAMES:
            digest.update(np.ascontiguousarray(getattr(self, name), dtype="<f2").tobytes())
        return digest.hexdigest()


def to_bytes(weights: Weights) -> bytes:
    """The weights as a file, in half-precision numbers."""
    arrays = {name: np.ascontiguousarray(getattr(weights, name), dtype=np.float16) for name in _NAMES}
    return serialize(arrays, metadata={"features": str(features.VERSION)})


def save(weights: Weights, path: Path) -> None:
    """Write the weights to a file."""
    path.write_bytes(to_bytes(weights))


def load(path: Path = SHIPPED) -> Weights:
    """Read weights from a file, or from the folder of a trained judge.

    Raises:
        ValueError: the file is missing or damaged, or belongs to other features.
    """
    if path.is_dir():
        path = path / FILE
    try:
        with safe_open(path, framework="numpy") as file:
            version = (file.metadata() or {}).get("features")
            arrays = {name: file.get_tensor(name).astype(np.float64) for name in _NAMES}
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} holds no weights of the learned judge ({error})") from error
    if version != str(features.VERSION):
        raise ValueError(
            f"{path} belongs to features {version}; this package has features {features.VERSION}"
        )
    weights = Weights(**arrays)
    shapes = (weights.words.shape, weights.transitions.shape, weights.calibration.shape)
    if shapes != ((features.BUCKETS, COUNT), (COUNT, COUNT), PLAIN.shape):
        raise ValueError(f"{path} has weights of another shape")
    return weights
