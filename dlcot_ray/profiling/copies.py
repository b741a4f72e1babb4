"""Finds texts that are the same or nearly the same, by marks of fixed size (MinHash, Broder 1997).

In: texts, one at a time. Out: a mark for each, and the number of the earlier text that each one repeats.
Time and memory are linear in the number of texts.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIMILAR = 0.8
"""Share of common runs of words from which two texts are near copies."""
RUN = 5
"""Words of a run."""

_HASHES = 64
_BANDS = 16
_WORD = re.compile(r"\w+")
_PRIME = np.uint64(0x9E3779B97F4A7C15)
_random = np.random.default_rng(20_240_601)
_FACTORS = _random.integers(1, 2**63, _HASHES, dtype=np.uint64) | np.uint64(1)
_SHIFT = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is kept of a text: a hash of its words, and the least hashes of its runs of words."""

    exact: bytes
    runs: NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Copies:
    """For each text the earlier one that it repeats, word for word or nearly; -1 where there is none."""

    exact: tuple[int, ...]
    near: tuple[int, ...]


def mark_of(text: str) -> Mark:
    """The mark of a text; white space, punctuation and case do not count."""
    words = _WORD.findall(text.lower())
    exact = hashlib.blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=16).digest()
    known: dict[str, int] = {}
    for word in words:
        if word not in known:
            known[word] = zlib.crc32(word.encode("utf-8", "replace"))
    codes = np.array([known[word] for word in words] or [0], np.uint64)
    width = min(RUN, len(codes))
    runs = np.zeros(len(codes) - width + 1, np.uint64)
    for place in range(width):
        runs = (runs + codes[place : place + len(runs)]) * _PRIME
    runs = np.unique(runs ^ (runs >> _SHIFT))
    least = np.array([int(((runs * factor) >> _SHIFT).min()) for factor in _FACTORS], np.uint32)
    return Mark(exact, least)


def find_copies(marks: Sequence[Mark]) -> Copies:
    """Which texts repeat an earlier one. A near copy is compared with the first text of each bucket."""
    first: dict[bytes, int] = {}
    buckets: dict[tuple[int, bytes], int] = {}
    exact, near = [], []
    for number, mark in enumerate(marks):
        exact.append(first.setdefault(mark.exact, number))
        bands = [(band, part.tobytes()) for band, part in enumerate(np.split(mark.runs, _BANDS))]
        candidates = {buckets.setdefault(band, number) for band in bands} - {number}
        alike = [other for other in sorted(candidates) if _similarity(mark, marks[other]) >= SIMILAR]
        near.append(alike[0] if alike else -1)
    return Copies(tuple(-1 if n == i else n for i, n in enumerate(exact)), tuple(near))


def _similarity(one: Mark, other: Mark) -> float:
    return float(np.mean(one.runs == other.runs))
