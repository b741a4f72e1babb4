"""Chooses among the traces of one problem: the shortest correct one, the one with the lowest rank-surprisal
ratio, or several that differ most.

Two traces are alike as far as they share word triples. That is estimated from the least hashes of the triples
(MinHash), so that a trace costs a few bytes however long it is.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

Signature = tuple[int, ...]
_HASHES = 48
ALIKE = 0.7
"""Two traces that share more of their word triples than this are the same solution told again."""
_MULTIPLIERS = np.random.default_rng(2503).integers(1, 2**62, _HASHES, dtype=np.uint64) * 2 + 1


class Select(StrEnum):
    """Which traces of a problem are taken."""

    SHORTEST_CORRECT = "shortest_correct"
    LOWEST_RSR = "lowest_rsr"
    K_DISTINCT = "k_distinct"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace that reaches its ground truth.

    Attributes:
        unit, row: where it is.
        tokens: of the enhanced reasoning.
        signature: of its words; empty where they do not matter.
        rsr: its rank-surprisal ratio, or None where no model scored it.
    """

    unit: int
    row: int
    tokens: int
    signature: Signature = ()
    rsr: float | None = None


def chooser(select: Select, k: int) -> Callable[[Sequence[Candidate]], list[Candidate]]:
    """The choice among the candidates of one problem."""
    if select is Select.LOWEST_RSR:
        return lowest_rsr
    return shortest if select is Select.SHORTEST_CORRECT else partial(distinct, k=k)


def shortest(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The one with the fewest tokens; of equals the first."""
    return [min(candidates, key=_rank)] if candidates else []


def lowest_rsr(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The one with the lowest rank-surprisal ratio (arXiv 2601.14249), among those that were scored."""
    scored = [item for item in candidates if item.rsr is not None]
    return [min(scored, key=lambda item: (item.rsr, *_rank(item)))] if scored else []


def distinct(candidates: Sequence[Candidate], k: int) -> list[Candidate]:
    """Up to `k` that differ: the shortest, then again and again the one that is least like those taken.

    One that is nearly the same as one of those is not taken.
    """
    left = sorted(candidates, key=_rank)
    taken: list[Candidate] = []
    closest = [0.0] * len(left)
    while left and len(taken) < k:
        at = min(range(len(left)), key=lambda i: (closest[i], _rank(left[i])))
        if closest[at] > ALIKE:
            break
        taken.append(left.pop(at))
        closest.pop(at)
        closest = [
            max(old, likeness(taken[-1].signature, item.signature))
            for old, item in zip(closest, left, strict=True)
        ]
    return taken


def signature_of(text: str) -> Signature:
    """The least hashes of the word triples of a text; empty for a text without words."""
    words = text.lower().split()
    triples = {" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))} if words else set()
    if not triples:
        return ()
    marks = np.fromiter((zlib.crc32(triple.encode()) + 1 for triple in triples), np.uint64, len(triples))
    return tuple(int(((marks * multiplier) >> np.uint64(32)).min()) for multiplier in _MULTIPLIERS)


def likeness(one: Signature, other: Signature) -> float:
    """The estimated share of common word triples, 0..1."""
    if not one or not other:
        return float(one == other)
    return sum(mine == theirs for mine, theirs in zip(one, other, strict=True)) / len(one)


def _rank(candidate: Candidate) -> tuple[int, int, int]:
    return candidate.tokens, candidate.unit, candidate.row
