"""Which units of a plan are complete: a LIST of the output, laid over the plan page by page.

The listing may come in any order and is never held: names become unit numbers a hundred thousand at a
time, and what stays is 4 bytes per unit, the size of its object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import polars as pl

from dlcot_ray.plan.names import parse_unit_names
from dlcot_ray.plan.plan import Numbers, Plan

_BATCH = 100_000
_LARGEST = 2**32 - 1

Sizes = npt.NDArray[np.uint32]
"""Bytes of each unit's `enhanced/` object, at most 4 GiB - 1 told; 0: the unit is not complete."""


class UnitIndex:
    """Finds the numbers of a plan's units by their names."""

    def __init__(self, plan: Plan) -> None:
        self._cuts = plan.cuts
        self._starts = plan.file_rows
        self._count = plan.unit_count
        self._files = pl.DataFrame(
            {
                "shard": pl.Series([shard.name for shard in plan.shards], dtype=pl.String),
                "file": pl.Series(range(len(plan.shards)), dtype=pl.Int64),
            }
        )

    def numbers(self, names: Iterable[str]) -> Numbers:
        """The unit number of each name; -1 where the plan has no such unit."""
        parsed = parse_unit_names(names)
        found = parsed.join(self._files, on="shard", how="left", maintain_order="left")
        known = found.with_columns(pl.all().exclude("shard").fill_null(-1))
        file = known["file"].to_numpy()
        base = self._starts[file]
        starts, stops = base + known["start"].to_numpy(), base + known["stop"].to_numpy()
        unit = np.minimum(np.searchsorted(self._cuts, starts), self._count - 1)
        # Row ranges that run past their file would be units of the next one.
        same = (self._cuts[unit] == starts) & (self._cuts[unit + 1] == stops)
        same &= (starts >= base) & (stops <= self._starts[file + 1]) & (file >= 0)
        return np.where(same, unit, -1)


def complete_units(plan: Plan, objects: Iterable[tuple[str, int]]) -> Sizes:
    """The complete units of a plan.

    Args:
        objects: names of units and sizes of their `enhanced/` objects (bytes), in any order; those that
            the plan does not know are passed over.
    """
    sizes = np.zeros(plan.unit_count, np.uint32)
    index = UnitIndex(plan)
    for batch in _batched(objects):
        numbers = index.numbers(name for name, _ in batch)
        told = capped([size for _, size in batch])
        known = numbers >= 0
        sizes[numbers[known]] = told[known]
    return sizes


def capped(sizes: Iterable[int]) -> Sizes:
    """Sizes as they are held: 4 bytes, never 0."""
    return np.array([min(max(size, 1), _LARGEST) for size in sizes], np.uint32)


def _batched(items: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    waiting = iter(items)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
