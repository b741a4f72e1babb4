"""Tally: the summed counts of an output's complete units, without opening each unit.

Every unit has its counts in its own footer, but reading ten million footers takes hours. A run therefore
keeps a journal: each entry has some thousand units, the size of each object, and the sum of their counts. An
entry is used only if the LIST has every unit of it with that size, and none was counted before. The footers
of all other units are read. A lost journal costs time and changes no count.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.counts import UnitStats, add_up
from dlcot_ray.outputs.layout import ENHANCED, FOLDERS, JOURNAL, Output
from dlcot_ray.plan.completed import Sizes, UnitIndex, capped, complete_units
from dlcot_ray.plan.names import unit_name
from dlcot_ray.plan.plan import Numbers, Plan
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.tables import read_arrow_file, to_arrow_file

if TYPE_CHECKING:
    # For annotations only: `dlcot status` counts, but needs no columns.
    from dlcot_ray.outputs.results import UnitResult

_ENTRY_UNITS = 2_000
"""Most units per entry. If one unit of an entry is written again, a resumed job reads all their footers."""
_ENTRY_S = 30.0
"""Most seconds between entries. After a driver crash, the next run reads the footers of the units after the
last entry."""
_SUM_UNITS = 4_096
_COLUMNS = ("rows", "enhanced", "unchanged", "rejected")
_SCHEMA = pa.schema(
    [("unit", pa.string()), ("size", pa.uint32()), *((name, pa.int64()) for name in _COLUMNS)]
)
_STATS_KEY = b"dlcot.stats"
_JOB_KEY = b"dlcot.job"


class Journal:
    """Writes the counts of a run's units to the journal. An entry that cannot be written is skipped.

    Args:
        output: the output of the job.
        job: fingerprint of the job.
        clock: current time, in seconds.
    """

    def __init__(self, output: Output, job: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._output, self._job = output, job
        self._clock = clock
        self._run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        self._entries = 0
        self._waiting: list[UnitResult] = []
        self._since = clock()

    def add(self, result: UnitResult) -> None:
        """Add a written unit to the next entry; write the entry if it is full or due."""
        self._waiting.append(result)
        if len(self._waiting) >= _ENTRY_UNITS or self._clock() - self._since >= _ENTRY_S:
            self.flush()

    def flush(self) -> None:
        """Write an entry with the units added since the last one, if there are any."""
        waiting, self._waiting, self._since = self._waiting, [], self._clock()
        if not waiting:
            return
        self._entries += 1
        with suppress(JobError):
            self._output.store.put(
                f"{JOURNAL}/{self._run}-{self._entries:06d}.arrow", _entry(waiting, self._job)
            )


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """The complete units of an output.

    Attributes:
        stats: sum of the counts of all complete units.
        units: number of complete units of each file; shape (files,).
        rows: input rows of these units, of each file; shape (files,).
        enhanced, unchanged, rejected: traces of these units by status, of each file; shape (files,).
        footers_read: number of units that were in no valid journal entry.
    """

    stats: UnitStats
    units: Numbers
    rows: Numbers
    enhanced: Numbers
    unchanged: Numbers
    rejected: Numbers
    footers_read: int = 0


def survey(plan: Plan, output: Output) -> tuple[Sizes, dict[str, dict[str, int]]]:
    """LIST an output: the sizes of its complete units, and objects and bytes of each folder.

    Raises:
        JobError: it cannot be listed.
    """
    totals = {folder: {"objects": 0, "bytes": 0} for folder in FOLDERS}

    def seen(folder: str) -> Iterator[tuple[str, int]]:
        mine = totals[folder]
        for name, size in output.objects(folder):
            mine["objects"] += 1
            mine["bytes"] += size
            yield name, size

    def exhaust(folder: str) -> None:
        for _ in seen(folder):
            pass

    with ThreadPoolExecutor(len(FOLDERS)) as threads:
        others = [threads.submit(exhaust, folder) for folder in FOLDERS if folder != ENHANCED]
        sizes = complete_units(plan, output.units(seen(ENHANCED)))
        for other in others:
            other.result()
    return sizes, totals


def count(plan: Plan, output: Output, sizes: Sizes, job: str = "") -> Tally:
    """Add up the complete units.

    Args:
        plan: the plan of the job.
        output: its output.
        sizes: bytes of each unit's `enhanced/` object, from a new LIST.
        job: fingerprint of the job; "" takes the units of any job.

    Raises:
        JobError: a unit's object is damaged, another job wrote it, or its counts do not add up to its rows.
    """
    counted = np.zeros(plan.unit_count, np.bool_)
    by_file = np.zeros((len(_COLUMNS), len(plan.shards)), np.int64)
    total = UnitStats()
    index = UnitIndex(plan)
    unit_rows = plan.unit_rows

    def settle(units: Numbers, parts: Numbers, stats: UnitStats) -> None:
        """Add the counts of some units; `parts` has shape (len(_COLUMNS), units)."""
        nonlocal total
        files = np.searchsorted(plan.file_units, units, side="right") - 1
        wrong = np.flatnonzero(parts[0] != unit_rows[units])
        if len(wrong):
            raise JobError(
                f"the unit {name_of(plan, int(units[wrong[0]]))} does not hold the rows that it is named for",
                "another program wrote to the output: set overwrite=true to start over",
            )
        for column, values in zip(by_file, parts, strict=True):
            np.add.at(column, files, values)
        counted[units] = True
        total = add_up((total, stats))

    for entry in _entries(output, job):
        units = index.numbers(entry["unit"].to_pylist())
        told = entry["size"].to_numpy()
        new = units.min() >= 0 and len(np.unique(units)) == len(units) and not counted[units].any()
        if new and (sizes[units] == told).all():
            settle(units, np.stack([entry[name].to_numpy() for name in _COLUMNS]), _stats(entry))
    rest = np.flatnonzero((sizes > 0) & ~counted)

    def look(unit: int) -> tuple[int, UnitStats]:
        name = name_of(plan, unit)
        stats, writer = output.footer(name)
        if job and writer not in ("", job):
            raise JobError(
                f"another job wrote the unit {name} with other settings while this job ran",
                "choose another output, or set overwrite=true to start over",
            )
        return unit, stats

    waiting: list[tuple[int, UnitStats]] = []

    def settle_waiting() -> None:
        if waiting:
            parts = np.array([[getattr(stats, name) for _, stats in waiting] for name in _COLUMNS], np.int64)
            settle(np.array([unit for unit, _ in waiting]), parts, add_up(stats for _, stats in waiting))
            waiting.clear()

    for found in map_in_order(look, rest.tolist()):
        waiting.append(found)
        if len(waiting) >= _SUM_UNITS:
            settle_waiting()
    settle_waiting()
    units = np.add.reduceat((sizes > 0).astype(np.int64), plan.file_units[:-1])
    return Tally(total, units, by_file[0], by_file[1], by_file[2], by_file[3], len(rest))


def name_of(plan: Plan, unit: int) -> str:
    """The name of a unit of the plan."""
    file = int(np.searchsorted(plan.file_units, unit, side="right")) - 1
    start, stop = (plan.cuts[unit : unit + 2] - plan.file_rows[file]).tolist()
    return unit_name(plan.shards[file].name, start, stop)


def _entry(results: list[UnitResult], job: str) -> bytes:
    stats = [result.stats for result in results]
    table = pa.table(
        {
            "unit": [result.name for result in results],
            "size": capped([result.size for result in results]),
            **{name: [getattr(item, name) for item in stats] for name in _COLUMNS},
        },
        _SCHEMA.with_metadata({_STATS_KEY: add_up(stats).to_json(), _JOB_KEY: job}),
    )
    return to_arrow_file(table)


def _entries(output: Output, job: str) -> Iterator[pa.Table]:
    """All readable journal entries of a job (of any job: ""), newest first.

    That is because the LIST shows the newest size of a unit.
    """
    names = sorted((info.relative for info in output.store.scan(JOURNAL)), reverse=True)

    def read(name: str) -> pa.Table | None:
        with suppress(JobError, pa.ArrowException, ValueError, KeyError):
            table = read_arrow_file(output.store.read_bytes(name))
            is_ours = not job or table.schema.metadata[_JOB_KEY].decode() == job
            if table.schema.equals(_SCHEMA) and table.num_rows and is_ours:
                _stats(table)
                return table
        return None

    return (table for table in map_in_order(read, names) if table is not None)


def _stats(table: pa.Table) -> UnitStats:
    return UnitStats.from_json(table.schema.metadata[_STATS_KEY].decode())
