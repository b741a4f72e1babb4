"""Finds the complete units of a plan in a LIST of the output.

The LIST may have any order and is not kept in memory. Its names are converted to unit numbers, 100,000 at a
time. What is kept is the size of each unit's object, 4 bytes per unit.
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
"""Bytes of each unit's `enhanced/` object, capped at 4 GiB - 1; 0 if it is not complete. Shape (units,)."""


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
        """The unit number of each name, in order; -1 if the plan has no such unit."""
        parsed = parse_unit_names(names)
        found = parsed.join(self._files, on="shard", how="left", maintain_order="left")
        known = found.with_columns(pl.all().exclude("shard").fill_null(-1))
        file = known["file"].to_numpy()
        base = self._starts[file]
        starts, stops = base + known["start"].to_numpy(), base + known["stop"].to_numpy()
        unit = np.minimum(np.searchsorted(self._cuts, starts), self._count - 1)
        # A range that crosses the end of its file could match the cuts of the next file, so exclude it.
        same = (self._cuts[unit] == starts) & (self._cuts[unit + 1] == stops)
        same &= (starts >= base) & (stops <= self._starts[file + 1]) & (file >= 0)
        return np.where(same, unit, -1)


def complete_units(plan: Plan, objects: Iterable[tuple[str, int]]) -> Sizes:
    """The complete units of a plan.

    Args:
        plan: the plan of the job.
        objects: names of units and sizes of their `enhanced/` objects (bytes), in any order. Names that are
            not in the plan are ignored.
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
    """Sizes in 4 bytes each, between 1 and 4 GiB - 1."""
    return np.array([min(max(size, 1), _LARGEST) for size in sizes], np.uint32)


def _batched(items: Iterable[tuple[str, int]]) -> Iterator[list[tuple[str, int]]]:
    waiting = iter(items)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
