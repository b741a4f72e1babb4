"""Spreading a function over items, in this process."""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.cluster.spread import CHUNK, spread


def doubled(items: Sequence[int]) -> list[int]:
    assert len(items) <= CHUNK
    return [2 * item for item in items]


def test_results_keep_the_order_of_the_items() -> None:
    done: list[int] = []
    items = list(range(3 * CHUNK + 1))
    assert spread(doubled, items, "auto", None, done.append) == doubled_all(items)
    assert done[-1] == len(items)
    assert spread(doubled, [], "here", None, done.append) == []


def doubled_all(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]
