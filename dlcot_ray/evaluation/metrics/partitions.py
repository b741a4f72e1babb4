"""How well two partitions of the same items agree, whatever their groups are called."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple


class PairCounts(NamedTuple):
    """Pairs of items by whether reference and prediction put them together."""

    both: int
    only_reference: int
    only_predicted: int
    neither: int


class VMeasure(NamedTuple):
    """Homogeneity, completeness and their harmonic mean, each 0..1."""

    homogeneity: float
    completeness: float
    v: float


def pair_counts(reference: Sequence[Hashable], predicted: Sequence[Hashable]) -> PairCounts:
    """Count all pairs of items."""
    found = Counter(
        (reference[i] == reference[j], predicted[i] == predicted[j])
        for i, j in itertools.combinations(range(len(reference)), 2)
    )
    return PairCounts(found[True, True], found[True, False], found[False, True], found[False, False])


def v_measure(reference: Sequence[Hashable], predicted: Sequence[Hashable]) -> VMeasure:
    """V-measure (Rosenberg and Hirschberg 2007), beta = 1.

    Homogeneity: each predicted group holds one reference group only; completeness: the other way round.
    Either is 1 where its entropy is zero.
    """
    joint = Counter(zip(reference, predicted, strict=True))
    mutual_complement = _conditional_entropy(joint, 1), _conditional_entropy(joint, 0)
    entropies = _entropy(Counter(reference)), _entropy(Counter(predicted))
    homogeneity, completeness = (
        1.0 if whole == 0 else 1 - conditional / whole
        for conditional, whole in zip(mutual_complement, entropies, strict=True)
    )
    both = homogeneity + completeness
    return VMeasure(homogeneity, completeness, 2 * homogeneity * completeness / both if both else 0.0)


def _entropy(counts: Counter[Hashable]) -> float:
    total = counts.total()
    return -math.fsum(n / total * math.log(n / total) for n in counts.values()) if total else 0.0


def _conditional_entropy(joint: Counter[tuple[Hashable, Hashable]], given: int) -> float:
    """Entropy of one side where the side numbered `given` is known."""
    total = joint.total()
    known: Counter[Hashable] = Counter()
    for pair, n in joint.items():
        known[pair[given]] += n
    return -math.fsum(n / total * math.log(n / known[pair[given]]) for pair, n in joint.items())
