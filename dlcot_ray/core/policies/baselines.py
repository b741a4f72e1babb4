"""Baselines that papers on shorter reasoning compare with: cut by length or by chance, without judgement.

In: an annotation. Out: drops. They know neither answers nor checks, so most of their cuts would fail a gate;
held back by the gates they would be no baselines. So they stand alone in an expression, no gate stops them,
and every row that they change says ``ungated``. They are for comparisons, never for data to train on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.base import Drops, PolicyFunction, drop_range
from dlcot_ray.core.policies.standing import conclusion_start

BASELINE = "baseline"
"""The reason of every drop of a baseline."""

_NAME = re.compile(r"(truncate|random|edges|keep_first)_([1-9]\d?)")


def truncate(annotation: Annotation, percent: int) -> Drops:
    """Keep whole segments from the start, up to `percent` of the characters.

    Source: the truncation baseline of nearly every paper on pruned reasoning, e.g. arXiv 2506.04205.
    """
    return all_but(annotation, within(annotation, range(_count(annotation)), percent))


def at_random(annotation: Annotation, percent: int) -> Drops:
    """Keep segments drawn by chance, up to `percent` of the characters; the same ones in every run.

    Source: the random baseline of e.g. arXiv 2508.03346. The draw depends on the trace's id only.
    """
    return all_but(annotation, within(annotation, _drawn(annotation), percent))


def edges(annotation: Annotation, percent: int) -> Drops:
    """Keep the start and the end, half of `percent` of the characters each, and drop the middle.

    Source: EPiC, arXiv 2506.04205.
    """
    order = range(_count(annotation))
    head = within(annotation, order, percent / 2)
    return all_but(annotation, head | within(annotation, order[::-1], percent / 2))


def keep_first_n(annotation: Annotation, number: int) -> Drops:
    """Keep everything up to the end of approach `number`, right or wrong, and the conclusion.

    Source: the first-N-solutions baselines of arXiv 2412.21187.
    """
    drops: Drops = {}
    if number <= len(annotation.approaches):
        stop = annotation.approaches[number - 1].stop
        drop_range(drops, stop, max(stop, conclusion_start(annotation)), BASELINE)
    return drops


_FUNCTIONS: Mapping[str, Callable[[Annotation, int], Drops]] = {
    "truncate": truncate,
    "random": at_random,
    "edges": edges,
    "keep_first": keep_first_n,
}

HELP: Mapping[str, str] = {
    "truncate_P": "baseline without gates: keep the first P percent of the characters (P from 1 to 99)",
    "random_P": "baseline without gates: keep P percent of the characters, segments drawn by chance",
    "edges_P": "baseline without gates: keep P percent of the characters, half each from start and end",
    "keep_first_N": "baseline without gates: keep the first N approaches and the conclusion",
}


def baseline(name: str) -> PolicyFunction | None:
    """The baseline that is called so, e.g. ``truncate_50``; None if there is none."""
    match = _NAME.fullmatch(name)
    return partial(_called, _FUNCTIONS[match[1]], int(match[2])) if match else None


def _called(function: Callable[[Annotation, int], Drops], number: int, annotation: Annotation) -> Drops:
    return function(annotation, number)


def _count(annotation: Annotation) -> int:
    return len(annotation.segment_offsets) - 1


def within(annotation: Annotation, order: Iterable[int], percent: float) -> frozenset[int]:
    """The first segments of `order` that together hold at most `percent` of the characters; one at least."""
    offsets = annotation.segment_offsets
    left = offsets[-1] * percent / 100
    kept: list[int] = []
    for segment in order:
        left -= offsets[segment + 1] - offsets[segment]
        if left < 0 and kept:
            break
        kept.append(segment)
    return frozenset(kept)


def _drawn(annotation: Annotation) -> Sequence[int]:
    """All segments in an order that the trace's id decides."""

    def key(segment: int) -> bytes:
        return hashlib.blake2b(f"{annotation.trace_id}\0{segment}".encode("utf-8", "replace")).digest()

    return sorted(range(_count(annotation)), key=key)


def all_but(annotation: Annotation, kept: frozenset[int]) -> Drops:
    """Drop everything that is not kept."""
    return {segment: BASELINE for segment in range(_count(annotation)) if segment not in kept}
