"""Work units: which rows of which file are read, judged and written as one, fixed before anything runs.

A plan depends on the inputs' footers and two settings alone, so every run of a job arrives at the same
units under the same names, and a LIST of the output tells what is left. Small row groups are joined
into one unit; a large one is cut into equal parts that are read in one sweep (a `Segment`), because
Parquet cannot seek inside a row group: reading each part on its own would decode the group once per
part.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.job.datasets import ColumnMap, DatasetPreset, resolve_columns
from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.storage import Shard, Store

_READ_BYTES = 8 << 20
_FOOTER_THREADS = 16
"""Footers are small ranged reads that wait for the network, not for the CPU."""


@dataclass(frozen=True, slots=True)
class WorkUnit:
    """Rows `[start, stop)` of one file; `name` is that of its output objects, without suffix."""

    name: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Row groups `[first_group, stop_group)` of a file and the cuts between the units in them.

    Attributes:
        cuts: row numbers within the file; unit i is rows ``[cuts[i], cuts[i+1])``.
    """

    first_group: int
    stop_group: int
    cuts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One readable input file and how it is cut.

    Attributes:
        shard: where it lies; `shard.name` is unique within the job.
        rows: how many rows it has.
        columns: which of its columns make a trace.
        segments: they cover all rows, in order.
    """

    shard: Shard
    rows: int
    columns: ColumnMap
    segments: tuple[Segment, ...]

    def units_of(self, segment: Segment) -> Iterator[WorkUnit]:
        """The units of one segment, in order."""
        for start, stop in zip(segment.cuts, segment.cuts[1:], strict=False):
            yield WorkUnit(unit_name(self.shard.name, start, stop), start, stop)

    def units(self) -> Iterator[WorkUnit]:
        """The units of the file, in order."""
        for segment in self.segments:
            yield from self.units_of(segment)


@dataclass(frozen=True, slots=True)
class Plan:
    """All work of a job, in order, and the files that cannot be used."""

    files: tuple[PlannedFile, ...]
    faults: tuple[InputFault, ...]

    @property
    def rows(self) -> int:
        """Rows of all readable files."""
        return sum(file.rows for file in self.files)

    @property
    def unit_count(self) -> int:
        """Units of all readable files."""
        return sum(len(segment.cuts) - 1 for file in self.files for segment in file.segments)


def unit_name(shard_name: str, start: int, stop: int) -> str:
    """The deterministic name of a unit, e.g. ``math/train-00001.r000000000-000000256``."""
    return f"{shard_name}.r{start:09d}-{stop:09d}"


def assign_names(shards: Sequence[Shard], recorded: Mapping[str, str]) -> list[Shard]:
    """Order and name the shards so that neither changes when inputs are added later.

    Args:
        shards: as found now.
        recorded: label -> name of the files that an earlier run planned, in its order; they come first
            and keep their names. A new file whose name is taken gets a short hash of its label.
    """
    by_label = {shard.label: shard for shard in shards}
    ordered = [replace(by_label[label], name=name) for label, name in recorded.items() if label in by_label]
    taken = set(recorded.values())
    for shard in shards:
        if shard.label in recorded:
            continue
        name = shard.name
        if name in taken:
            name = f"{name}-{sha256(shard.label.encode()).hexdigest()[:8]}"
        taken.add(name)
        ordered.append(replace(shard, name=name))
    return ordered


def make_plan(
    shards: Iterable[Shard],
    preset: DatasetPreset,
    *,
    rows_per_unit: int,
    bytes_per_unit: int,
    options: Mapping[str, object] | None = None,
) -> Plan:
    """Plan the shards, in the order given, from their footers alone.

    A file that is empty, corrupt, not Parquet, without rows, or without the columns that the preset
    needs becomes a fault; the others are planned.
    """

    def attempt(shard: Shard) -> PlannedFile | InputFault:
        try:
            return _plan_file(shard, preset, rows_per_unit, bytes_per_unit, options)
        except InputFault as fault:
            return fault

    with ThreadPoolExecutor(_FOOTER_THREADS) as threads:
        results = list(threads.map(attempt, shards))
    return Plan(
        tuple(result for result in results if isinstance(result, PlannedFile)),
        tuple(result for result in results if isinstance(result, InputFault)),
    )


def cut_rows(
    group_rows: Sequence[int], group_bytes: Sequence[int], rows_per_unit: int, bytes_per_unit: int
) -> tuple[Segment, ...]:
    """Cut a file, given the rows and uncompressed bytes of its row groups, into segments and units.

    No unit has more than `rows_per_unit` rows; its bytes stay below `bytes_per_unit` as far as the
    average row of its row group tells, but a unit always has at least one row.
    """
    segments: list[Segment] = []
    open_from: int | None = None
    open_rows = open_bytes = row = open_row = 0

    def close(stop_group: int) -> None:
        nonlocal open_from
        if open_from is not None and open_rows:
            segments.append(Segment(open_from, stop_group, (open_row, open_row + open_rows)))
        open_from = None

    for group, (rows, size) in enumerate(zip(group_rows, group_bytes, strict=True)):
        parts = max(-(-rows // rows_per_unit), min(rows, -(-size // bytes_per_unit)))
        fits = open_rows + rows <= rows_per_unit and open_bytes + size <= bytes_per_unit
        if parts > 1 or not fits:
            close(group)
        if parts > 1:
            segments.append(Segment(group, group + 1, _even_cuts(row, rows, parts)))
        elif open_from is None:
            open_from, open_row, open_rows, open_bytes = group, row, rows, size
        else:
            open_rows, open_bytes = open_rows + rows, open_bytes + size
        row += rows
    close(len(group_rows))
    return tuple(segments)


def _even_cuts(start: int, rows: int, parts: int) -> tuple[int, ...]:
    return tuple(start + rows * part // parts for part in range(parts + 1))


def _plan_file(
    shard: Shard,
    preset: DatasetPreset,
    rows_per_unit: int,
    bytes_per_unit: int,
    options: Mapping[str, object] | None,
) -> PlannedFile:
    if shard.size == 0:
        raise InputFault(shard.label, "the file is empty (0 bytes)", "write it again or remove it")
    with open_parquet(Store(shard.store_url, options), shard.relative, shard.label) as file:
        footer = file.metadata
        if footer.num_rows == 0:
            raise InputFault(shard.label, "the file has no rows", "remove it")
        try:
            schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise InputFault(
                shard.label, f"its schema cannot be read ({_reason(error)})", "write the file again"
            ) from error
        columns = resolve_columns(preset, schema, shard.label)
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        segments = cut_rows(
            [group.num_rows for group in groups],
            [group.total_byte_size for group in groups],
            rows_per_unit,
            bytes_per_unit,
        )
        return PlannedFile(shard, footer.num_rows, columns, segments)


def open_parquet(store: Store, relative: str, label: str) -> pq.ParquetFile:
    """Open a Parquet file of an input store; only its footer is read.

    Raises:
        InputFault: it is missing, unreadable, or no Parquet file.
    """
    try:
        # So that a sweep over a large row group holds a few megabytes, not its whole column chunks.
        return pq.ParquetFile(store.open(relative), pre_buffer=False, buffer_size=_READ_BYTES)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputFault(
            label, f"not a readable Parquet file ({_reason(error)})", "write it again or remove it"
        ) from error
    except JobError as error:
        raise InputFault(label, error.message, error.remedy) from error


def _reason(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")[:200] or type(error).__name__
