"""The weights of the model: what they are, how they are stored, and the name that they give the judge.

Stored as safetensors: numbers and a version, no code. The identity is a hash of the numbers, so annotations
of other weights are never taken for these.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as serialize

from dlcot_ray.judging.learned import features
from dlcot_ray.judging.learned import network as networks
from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.network import Network
from dlcot_ray.judging.learned.states import COUNT

FILE = "structure.safetensors"
"""Name of the weights, in the package and in the folder of a trained judge."""

SHIPPED = Path(__file__).with_name(FILE)
"""The weights of the package."""

_NETWORK = "network."
"""Stands before the names of the network's weights in a file."""

_NAMES = ("columns", "words", "transitions", "starts", "calibration")

PLAIN = np.array([[1.0, 0.0]] * 4)
"""The calibration that changes nothing."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the chain, and of the network beside it; 7 is the number of states.

    Attributes:
        columns: (c, 7), for the columns of `Features`.
        words: (BUCKETS, 7), for the buckets of `Features`.
        transitions: (7, 7), from row to column.
        starts: (7,), for the first segment.
        calibration: (4, 2), for sections, for openings, for what a reader drops and for labels: slope and
            shift of the log-odds of a confidence.
        network: None where the chain judges alone.
    """

    columns: Floats
    words: Floats
    transitions: Floats
    starts: Floats
    calibration: Floats = field(default_factory=PLAIN.copy)
    network: Network | None = None

    def arrays(self) -> Iterator[tuple[str, Floats]]:
        """All numbers by name, in the order in which they are stored."""
        for name in _NAMES:
            yield name, getattr(self, name)
        for name, numbers in self.network.arrays() if self.network is not None else ():
            yield f"{_NETWORK}{name}", numbers

    @property
    def fingerprint(self) -> str:
        """12 hex digits over the version of the features and all numbers, as they are stored."""
        digest = hashlib.blake2b(f"features/{features.VERSION}".encode(), digest_size=6)
        for _, numbers in self.arrays():
            digest.update(np.ascontiguousarray(numbers, dtype="<f2").tobytes())
        return digest.hexdigest()


def to_bytes(weights: Weights) -> bytes:
    """The weights as a file, in half-precision numbers."""
    arrays = {name: np.ascontiguousarray(numbers, dtype=np.float16) for name, numbers in weights.arrays()}
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
            network = _network(file)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} holds no weights of the learned judge ({error})") from error
    if version != str(features.VERSION):
        raise ValueError(
            f"{path} belongs to features {version}; this package has features {features.VERSION}"
        )
    weights = Weights(**arrays, network=network)
    shapes = (weights.words.shape, weights.transitions.shape, weights.calibration.shape)
    if shapes != ((features.BUCKETS, COUNT), (COUNT, COUNT), PLAIN.shape):
        raise ValueError(f"{path} has weights of another shape")
    return weights


def _network(file: Any) -> Network | None:
    """The network in an open file, if it has one."""
    names = [f"{_NETWORK}{name}" for name in networks.NAMES]
    if names[0] not in file.keys():  # noqa: SIM118 - a file is no mapping
        return None
    return Network(*(file.get_tensor(name).astype(np.float64) for name in names))
