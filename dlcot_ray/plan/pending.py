"""The units of a plan that are left to do, as read tasks that are made on access.

The Ray graph takes one `ReadTask` at a time. Units are stored as cuts and a bitmap, a few bytes each, so that
a job may have ten million of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

from dlcot_ray.plan.completed import UnitIndex, complete_units
from dlcot_ray.plan.duplicate_ids import Duplicates
from dlcot_ray.plan.names import unit_name
from dlcot_ray.plan.plan import Numbers, Plan
from dlcot_ray.plan.tasks import ReadTask, UnitTask

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Units(Sequence[UnitTask]):
    """Some units of one file, in order; each object is made on access.

    Attributes:
        file: label of the file, for messages.
        shard_name: name of the file's outputs.
        starts, stops: the rows ``[start, stop)`` of each unit within the file; shape (units,).
        duplicates: row of the file whose id occurred before -> where it occurred first.
    """

    file: str
    shard_name: str
    starts: Numbers
    stops: Numbers
    duplicates: Mapping[int, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[UnitTask]:
        # One pass over units and repeats together, because a large sweep may have many of both.
        repeats = deque(sorted(self.duplicates.items()))
        for start, stop in zip(self.starts.tolist(), self.stops.tolist(), strict=True):
            while repeats and repeats[0][0] < start:
                repeats.popleft()
            mine: dict[int, str] = {}
            while repeats and repeats[0][0] < stop:
                row, place = repeats.popleft()
                mine[row] = place
            yield self._unit(start, stop, mine)

    @overload
    def __getitem__(self, index: int) -> UnitTask: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[UnitTask]: ...
    def __getitem__(self, index: int | slice) -> UnitTask | Sequence[UnitTask]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        start, stop = int(self.starts[index]), int(self.stops[index])
        return self._unit(
            start, stop, {row: place for row, place in self.duplicates.items() if start <= row < stop}
        )

    def _unit(self, start: int, stop: int, duplicates: Mapping[int, str]) -> UnitTask:
        name = unit_name(self.shard_name, start, stop)
        return UnitTask(name, self.file, self.shard_name, start, stop, duplicates)


class Pending(Sequence[ReadTask]):
    """The read tasks for the units that are available and not complete; each is made on access.

    Args:
        plan: all units.
        done: whether each unit is complete; shape (units,).
        available: whether each unit can be done now (`derive` needs its annotations); None means all can.
        duplicates: rows that repeat an id; None means there are none.

    Attributes:
        units: number of units left.
        rows: number of rows left.
    """

    def __init__(
        self, plan: Plan, done: Mask, available: Mask | None = None, duplicates: Duplicates | None = None
    ) -> None:
        self._plan = plan
        self._duplicates = duplicates
        left = ~done
        self._missing = left & ~available if available is not None else np.zeros_like(left)
        self._left = left & ~self._missing
        self._ends = np.append(plan.sweep_units[1:], plan.unit_count)
        # Numbers of the sweeps with units left; no task is made for the others.
        self._sweeps = np.unique(np.searchsorted(self._ends, np.flatnonzero(self._left), side="right"))
        self._firsts = plan.file_rows
        self.units = int(self._left.sum())
        self.rows = int(plan.unit_rows[self._left].sum())

    def remaining(self, complete: Iterable[tuple[str, int]], failed: Iterable[str]) -> Pending:
        """The part of these units that is left after an attempt.

        Args:
            complete: names of units and sizes of their `enhanced/` objects (bytes), from a new LIST.
            failed: names of units that are not tried again.
        """
        gone = complete_units(self._plan, complete) > 0
        numbers = UnitIndex(self._plan).numbers(failed)
        gone[numbers[numbers >= 0]] = True
        return Pending(self._plan, gone | ~self._left, None, self._duplicates)

    def __len__(self) -> int:
        return len(self._sweeps)

    @overload
    def __getitem__(self, index: int) -> ReadTask: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ReadTask]: ...
    def __getitem__(self, index: int | slice) -> ReadTask | Sequence[ReadTask]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        plan, sweep = self._plan, int(self._sweeps[index])
        number = int(np.searchsorted(plan.file_sweeps, sweep, side="right")) - 1
        first, stop = int(plan.sweep_units[sweep]), int(self._ends[sweep])
        cuts = plan.cuts[first : stop + 1] - self._firsts[number]
        mask = self._left[first:stop]
        starts, stops = cuts[:-1][mask], cuts[1:][mask]
        repeats: Mapping[int, str] = {}
        if self._duplicates is not None:
            repeats = self._duplicates.within(number, int(starts[0]), int(stops[-1]))
        shard = plan.shards[number]
        first_group, stop_group = plan.sweep_groups[sweep].tolist()
        known = plan.known.get(number)
        if known is not None:
            known = known.part(first_group, stop_group)
            first_group, stop_group = 0, stop_group - first_group
        return ReadTask(
            shard.store_url,
            shard.relative,
            first_group,
            stop_group,
            int(cuts[0]),
            Units(shard.file, shard.name, starts, stops, repeats),
            known,
        )

    def missing(self) -> Iterator[UnitTask]:
        """The units that are neither complete nor available."""
        plan = self._plan
        numbers = np.flatnonzero(self._missing)
        files = np.searchsorted(plan.file_units, numbers, side="right") - 1
        firsts = plan.file_rows
        for unit, number in zip(numbers.tolist(), files.tolist(), strict=True):
            start, stop = (int(cut - firsts[number]) for cut in plan.cuts[unit : unit + 2])
            shard = plan.shards[number]
            yield UnitTask(unit_name(shard.name, start, stop), shard.file, shard.name, start, stop)
