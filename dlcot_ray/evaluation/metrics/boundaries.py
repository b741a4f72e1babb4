"""How well two segmentations of one text agree on where segments begin.

In: sorted positions of inner boundaries; p means that a segment begins at item p of 0..length-1. Out: counts,
so that texts can be pooled. Windowed measures forgive near misses in proportion to the length of the
segments; boundary F1 forgives them within a fixed tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def matched(reference: Sequence[int], predicted: Sequence[int], tolerance: int) -> int:
    """The largest number of boundaries that can be paired one to one within `tolerance` items."""
    pairs = i = j = 0
    while i < len(reference) and j < len(predicted):
        gap = reference[i] - predicted[j]
        if abs(gap) <= tolerance:
            pairs, i, j = pairs + 1, i + 1, j + 1
        elif gap < 0:
            i += 1
        else:
            j += 1
    return pairs


def window_size(reference: Sequence[int], length: int) -> int:
    """Half the mean segment length of the reference, at least 1 and shorter than the text."""
    return max(1, min(round(length / (len(reference) + 1) / 2), length - 1))


def window_diff(reference: Sequence[int], predicted: Sequence[int], length: int) -> tuple[int, int]:
    """Windows with unequal numbers of boundaries, and windows (Pevzner and Hearst 2002). Lower is better."""
    one, other = _window_counts(reference, predicted, length)
    return int(np.count_nonzero(one != other)), len(one)


def p_k(reference: Sequence[int], predicted: Sequence[int], length: int) -> tuple[int, int]:
    """Windows whose ends one side joins and the other separates, and all windows (Beeferman et al. 1999)."""
    one, other = _window_counts(reference, predicted, length)
    return int(np.count_nonzero((one > 0) != (other > 0))), len(one)


def _window_counts(
    reference: Sequence[int], predicted: Sequence[int], length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Boundaries of either side inside every window; a window lies between items i and i+k."""
    if length < 2:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    k = window_size(reference, length)
    counts = []
    for boundaries in (reference, predicted):
        marks = np.zeros(length, np.int64)
        marks[list(boundaries)] = 1
        sums = np.cumsum(marks)
        counts.append(sums[k:] - sums[: length - k])
    return counts[0], counts[1]
