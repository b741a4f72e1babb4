"""Agreement between two labellings, from their confusion counts.

In: arrays of shape (..., k, k): [..., i, j] counts items that the reference puts into class i and the other
into class j. Leading axes are resamples, so a bootstrap is one call. Out: figures of the leading shape; nan
where a figure is not defined (no items, no variation). scikit-learn takes label lists, one resample at a
time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Figures = NDArray[np.float64]


def ratio(part: Figures, whole: Figures) -> Figures:
    """Part over whole; nan where the whole is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole == 0, np.nan, part / whole)


def harmonic_mean(a: Figures, b: Figures) -> Figures:
    """2ab / (a + b); 0 where both are 0."""
    return np.where(a + b == 0, 0.0, ratio(2 * a * b, a + b))


def accuracy(confusion: Figures) -> Figures:
    """Share of items on which both agree."""
    return ratio(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum((-2, -1)))


def cohen_kappa(confusion: Figures) -> Figures:
    """Agreement beyond chance (Cohen 1960). 0 where one side uses a single class and they differ at all."""
    total = confusion.sum((-2, -1))
    observed = accuracy(confusion)
    expected = ratio((confusion.sum(-1) * confusion.sum(-2)).sum(-1), total**2)
    return ratio(observed - expected, 1 - expected)


def one_against_rest(confusion: Figures, index: int) -> Figures:
    """The 2x2 confusion of one class against all others together."""
    own = confusion[..., index, index]
    reference = confusion[..., index, :].sum(-1)
    other = confusion[..., :, index].sum(-1)
    total = confusion.sum((-2, -1))
    rows = [[own, reference - own], [other - own, total - reference - other + own]]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def class_f1(confusion: Figures, index: int) -> Figures:
    """F1 of one class; nan where neither side uses it."""
    own = confusion[..., index, index]
    return ratio(2 * own, confusion[..., index, :].sum(-1) + confusion[..., :, index].sum(-1))
