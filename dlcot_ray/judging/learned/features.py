"""The features of the segments of a trace, as numbers that the model weighs.

In: the findings of a trace, and what the rules make of its structure. Out: for each segment a row of signs
and evidence (its own, its neighbours', and what stands before it), and the buckets of its hashed words. Pure,
and linear in the text. The weights belong to exactly these columns: a change here needs training again.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.learned.arrays import Bools, Floats, Ints, bucketed, crossed, one_hot, shifted
from dlcot_ray.judging.learned.evidence import Evidence, read_evidence
from dlcot_ray.judging.learned.signs import signs_of
from dlcot_ray.judging.learned.states import APPROACH, COUNT

VERSION = 3
"""Increase it with every change of columns or buckets; weights of another version are refused."""

BUCKETS = 1 << 15
"""Number of buckets for hashed words."""

MOST_WORDS = 50_000
"""Words of one place whose buckets are remembered; the buckets of rarer words are computed again."""

_WORD = re.compile(r"[a-z']+|\d+(?:\.\d+)?|[=?:!+\-*/<>^\\$]")
_WINDOW = (-2, -1, 0, 1, 2)


@dataclass(frozen=True, slots=True)
class Features:
    """The features of n segments.

    Attributes:
        columns: (n, c) zeros and ones.
        words: for each segment the buckets of its words, ascending.
        standing: whether an answer, right or not, was stated before each segment.
        opened: whether the rules open an approach at each segment.
    """

    columns: Floats
    words: tuple[Ints, ...]
    standing: Bools
    opened: Bools


def features_of(found: Findings, problem: str, rules: Sequence[int]) -> Features:
    """The features of a trace with at least one segment. `rules`: the state that the rules give each one."""
    signs = np.array([signs_of(segment) for segment in found.segments], dtype=np.float64)
    evidence = read_evidence(found, problem, signs)
    columns = _columns(found.offsets, evidence, signs, one_hot(np.asarray(rules), COUNT))
    opened = np.asarray(rules) == APPROACH
    return Features(columns, _buckets(found.segments), evidence.standing[:, 1] > 0, opened)


def _columns(offsets: Sequence[int], evidence: Evidence, signs: Floats, rules: Floats) -> Floats:
    count = len(signs)
    index = np.arange(count)
    depth = np.asarray(offsets[:-1], float) / max(1, offsets[-1])
    one = np.ones((count, 1))
    place = bucketed(index, (1, 3, 6, 10))
    own = np.hstack([signs, evidence.rows, rules, one])
    context = np.hstack([evidence.phase, evidence.standing, evidence.since, evidence.closing, place])
    return np.hstack(
        [
            *[shifted(own, by) for by in _WINDOW],
            crossed(signs, context),
            crossed(shifted(rules, -1), rules),
            evidence.before,
            evidence.counts,
            *[_by_count(shifted(evidence.events, by), evidence.counts) for by in (-1, 0, 1)],
            shifted(evidence.events, 2),
            crossed(evidence.begun, np.hstack([evidence.begins, bucketed(index, (1, 2, 3, 5, 8)), one])),
            bucketed(index, (1, 2, 3, 4, 5, 7, 10, 15, 25)),
            bucketed(count - 1 - index, (1, 2, 3, 4, 6, 10, 20)),
            bucketed(depth, (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
            bucketed([count] * count, (10, 25, 50, 100, 200)),
        ]
    )


def _by_count(events: Floats, counts: Floats) -> Floats:
    """Each event in the block that counts how often it has happened."""
    return np.repeat(events, counts.shape[1] // events.shape[1], axis=1) * counts


def _buckets(segments: Sequence[str]) -> tuple[Ints, ...]:
    words = [_WORD.findall(segment.lower()) for segment in segments]
    none: list[str] = []
    out = []
    for i, here in enumerate(words):
        before = words[i - 1] if i else none
        behind = words[i + 1] if i + 1 < len(words) else none
        out.append(np.array(sorted(_buckets_of(before, here, behind)), dtype=np.int64))
    return tuple(out)


class _Buckets(dict[str, int]):
    """Word -> bucket, for words of one place. Computed once; emptied when it holds `MOST_WORDS`."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def __missing__(self, word: str) -> int:
        if len(self) >= MOST_WORDS:
            self.clear()
        bucket = self[word] = zlib.crc32(f"{self._place} {word}".encode()) % BUCKETS
        return bucket


_ANY, _FIRST, _LAST, _PAIR, _THREE = map(_Buckets, ("any", "first", "last", "pair", "three"))
_BEFORE_FIRST, _BEFORE_LAST, _BEHIND = map(_Buckets, ("before first", "before last", "behind first"))
_AT = tuple(_Buckets(str(place)) for place in range(6))


def _buckets_of(before: Sequence[str], here: Sequence[str], behind: Sequence[str]) -> set[int]:
    """Words by where they stand: first ones in place and in pairs, last ones, any, and the neighbours'."""
    found = set(map(_ANY.__getitem__, here))
    found.update(place[word] for place, word in zip(_AT, here, strict=False))
    found.update(map(_FIRST.__getitem__, here[:8]))
    found.update(_PAIR[f"{one} {two}"] for one, two in itertools.pairwise(here[:7]))
    if len(here) > 2:
        found.add(_THREE[f"{here[0]} {here[1]} {here[2]}"])
    found.update(map(_LAST.__getitem__, here[-4:]))
    found.update(map(_BEFORE_FIRST.__getitem__, before[:3]))
    found.update(map(_BEFORE_LAST.__getitem__, before[-4:]))
    found.update(map(_BEHIND.__getitem__, behind[:4]))
    return found
