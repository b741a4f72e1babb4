"""Names for the arrays of the model, and a few ways to make columns of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


def one_hot(values: Ints, count: int) -> Floats:
    """(n, count) rows with a single 1, at `values`."""
    return np.eye(count)[values]


def bucketed(values: Iterable[float], edges: Sequence[float]) -> Floats:
    """One-hot rows of the interval that each value lies in; `edges` are the lower ends from the second on."""
    places = np.searchsorted(np.asarray(edges, float), np.asarray(list(values), float), "right")
    return one_hot(places, len(edges) + 1)


def shifted(rows: Floats, by: int) -> Floats:
    """Row i of the result is row i + by; zero outside."""
    out = np.zeros_like(rows)
    count = len(rows)
    if abs(by) < count:
        out[max(0, -by) : count - max(0, by)] = rows[max(0, by) : count - max(0, -by)]
    return out


def crossed(left: Floats, right: Floats) -> Floats:
    """Products of every column of `left` with every column of `right`."""
    return (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)


def summed(words: Sequence[Ints], rows: Floats) -> Floats:
    """(n, k): for each of n segments the sum of the rows of its words; zero where it has none."""
    # A segment without a word has no part in the sums: reduceat would give it the next one's.
    full = [i for i, buckets in enumerate(words) if len(buckets)]
    sums = np.zeros((len(words), rows.shape[1]))
    if full:
        sizes = [len(words[i]) for i in full]
        every = np.concatenate([words[i] for i in full])
        sums[full] = np.add.reduceat(rows[every], np.cumsum([0, *sizes[:-1]]), axis=0)
    return sums
