"""Work units: which rows of which file are read, judged and written as one, fixed before anything runs.

A plan depends only on the metadata of the inputs and on two settings. So every run of a job plans the same
units under the same names, and a LIST of the output shows what is left.

A plan holds arrays instead of objects. The rows of all files are numbered consecutively, and the plan stores
the ascending positions of the cuts between units: 8 bytes per unit. A unit is a number, the index of its
first cut. Objects for files, sweeps and units are made on access.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.files.listing import Skipped
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.inputs.readers.protocol import FileMetadata
from dlcot_ray.plan.names import unit_name
from dlcot_ray.plan.unit_ranges import Sweep

if TYPE_CHECKING:
    # For annotations only: `dlcot status` needs plans, but none of what makes traces.
    from dlcot_ray.inputs.columns import ColumnMap

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Rows `[start, stop)` of one file. `name` is the name of its output objects without suffix."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, eq=False)
class PlannedFile:
    """One readable input file and how it is cut: a view into a plan.

    Attributes:
        shard: the file; `shard.name` is unique within the job.
        number: its index in the plan.
        rows: its number of rows.
        columns: the columns that make a trace.
        first_row: position of its first row among all rows of the job.
        first_unit, stop_unit: numbers of its units, the latter exclusive.
        known: its metadata, if readers should be told (`FileMetadata.is_found`), else None.
    """

    shard: Shard
    number: int
    rows: int
    columns: ColumnMap
    first_row: int
    first_unit: int
    stop_unit: int
    known: FileMetadata | None
    plan: Plan = field(repr=False)

    @property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps of the file, in order; together they cover all rows."""
        plan = self.plan
        low, high = plan.file_sweeps[self.number : self.number + 2].tolist()
        ends = [*plan.sweep_units[low:high].tolist(), self.stop_unit]
        groups = plan.sweep_groups[low:high].tolist()
        return tuple(
            Sweep(first, stop, tuple((plan.cuts[start : end + 1] - self.first_row).tolist()))
            for (first, stop), (start, end) in zip(groups, pairwise(ends), strict=True)
        )

    def units_of(self, sweep: Sweep) -> Iterator[WorkUnit]:
        """The units of one sweep, in order."""
        for start, stop in pairwise(sweep.cuts):
            yield WorkUnit(unit_name(self.shard.name, start, stop), start, stop)

    def units(self) -> Iterator[WorkUnit]:
        """The units of the file, in order."""
        for start, stop in pairwise((self.plan.cuts[self.first_unit : self.stop_unit + 1]).tolist()):
            first, end = start - self.first_row, stop - self.first_row
            yield WorkUnit(unit_name(self.shard.name, first, end), first, end)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """All units of a job, in order, and the files that cannot be used.

    Attributes:
        shards: the readable files, in order.
        columns: for each file, the columns that make a trace.
        cuts: ascending positions among all rows of the job, shape (units + 1,). Unit i has the rows
            ``[cuts[i], cuts[i+1])``. There is a cut between any two files.
        file_units: number of the first unit of each file, then the number of units; shape (files + 1,).
        file_sweeps: number of the first sweep of each file, then the number of sweeps; shape (files + 1,).
        sweep_units: number of the first unit of each sweep; shape (sweeps,).
        sweep_groups: row groups ``[first, stop)`` of each sweep within its file; shape (sweeps, 2).
        known: metadata of the files whose readers should be told, by number.
        faults: the files that cannot be used, and why.
        skipped: what is not read, and why that is no fault.
        commits: the place of a hub's repository among the inputs -> the commit that is read.
    """

    shards: tuple[Shard, ...]
    columns: tuple[ColumnMap, ...]
    cuts: Numbers
    file_units: Numbers
    file_sweeps: Numbers
    sweep_units: Numbers
    sweep_groups: npt.NDArray[np.int32]
    known: Mapping[int, FileMetadata]
    faults: tuple[InputFault, ...]
    skipped: tuple[Skipped, ...] = ()
    commits: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> Sequence[PlannedFile]:
        """The readable files; each object is made on access."""
        return _Files(self)

    @property
    def rows(self) -> int:
        """Rows of all readable files."""
        return int(self.cuts[-1])

    @property
    def unit_count(self) -> int:
        """Units of all readable files."""
        return len(self.cuts) - 1

    @property
    def unit_rows(self) -> Numbers:
        """How many rows each unit has."""
        return np.diff(self.cuts)

    @property
    def file_rows(self) -> Numbers:
        """Position of the first row of each file, then the number of rows; shape (files + 1,)."""
        return self.cuts[self.file_units]

    def without(self, number: int, fault: InputFault) -> Plan:
        """The plan without the file `number`; `fault` says why it cannot be used."""
        builder = PlanBuilder()
        for file in self.files:
            if file.number != number:
                builder.add(file.shard, file.columns, file.sweeps, file.known)
        return replace(builder.plan((*self.faults, fault), self.skipped), commits=self.commits)


class _Files(Sequence[PlannedFile]):
    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __len__(self) -> int:
        return len(self._plan.shards)

    @overload
    def __getitem__(self, index: int) -> PlannedFile: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[PlannedFile]: ...
    def __getitem__(self, index: int | slice) -> PlannedFile | Sequence[PlannedFile]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number = range(len(self))[index]
        plan = self._plan
        first, stop = plan.file_units[number : number + 2].tolist()
        start, end = int(plan.cuts[first]), int(plan.cuts[stop])
        return PlannedFile(
            plan.shards[number],
            number,
            end - start,
            plan.columns[number],
            start,
            first,
            stop,
            plan.known.get(number),
            plan,
        )


class PlanBuilder:
    """Appends files to the arrays of a plan."""

    def __init__(self) -> None:
        self._shards: list[Shard] = []
        self._columns: list[ColumnMap] = []
        self._cuts = array("q", [0])
        self._file_units = array("q", [0])
        self._file_sweeps = array("q", [0])
        self._sweep_units = array("q")
        self._groups = array("i")
        self._known: dict[int, FileMetadata] = {}

    def add(
        self,
        shard: Shard,
        columns: ColumnMap,
        sweeps: Iterable[Sweep],
        metadata: FileMetadata | None = None,
    ) -> None:
        """Append a file with its sweeps, which cover all its rows in order."""
        if metadata is not None and metadata.is_found:
            self._known[len(self._shards)] = metadata
        base = self._cuts[-1]
        self._shards.append(shard)
        self._columns.append(columns)
        for sweep in sweeps:
            self._sweep_units.append(len(self._cuts) - 1)
            self._groups.extend((sweep.first_group, sweep.stop_group))
            self._cuts.extend(base + cut for cut in sweep.cuts[1:])
        self._file_units.append(len(self._cuts) - 1)
        self._file_sweeps.append(len(self._sweep_units))

    def plan(self, faults: tuple[InputFault, ...], skipped: tuple[Skipped, ...] = ()) -> Plan:
        """The plan of the files so far, and of what cannot be used or is not read."""
        return Plan(
            tuple(self._shards),
            tuple(self._columns),
            np.frombuffer(self._cuts, np.int64),
            np.frombuffer(self._file_units, np.int64),
            np.frombuffer(self._file_sweeps, np.int64),
            np.frombuffer(self._sweep_units, np.int64),
            np.frombuffer(self._groups, np.int32).reshape(-1, 2),
            self._known,
            faults,
            skipped,
        )


def inputs_digest(plan: Plan) -> str:
    """SHA-256 of the labels, rows and versions of a plan's files, in order (64 hex digits)."""
    files = zip(plan.shards, np.diff(plan.file_rows).tolist(), strict=True)
    return files_digest((shard.file, rows, shard.version) for shard, rows in files)


def files_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """SHA-256 of (label, rows, version) of some files, in order (64 hex digits)."""
    digest = sha256()
    for entry in files:
        digest.update(json.dumps(entry).encode())
    return digest.hexdigest()
