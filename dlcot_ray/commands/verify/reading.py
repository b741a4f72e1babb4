"""What `dlcot verify` reads besides the units: their inputs, and the ids over all units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.cells import ColumnPath
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, FileMetadata, without_bad_lines
from dlcot_ray.inputs.readers.registry import open_reader
from dlcot_ray.outputs.inventory import Finding, ListedUnit
from dlcot_ray.outputs.job_record import InputRecord
from dlcot_ray.outputs.layout import ENHANCED, Output
from dlcot_ray.plan.duplicate_ids import find_duplicates
from dlcot_ray.storage.store import Store

_BY_ID = ColumnMap("", ColumnPath("trace_id", "trace_id"), None, None, None, None, None, None, (), ())


def open_source(item: InputRecord, options: Mapping[str, Any], notes: list[str]) -> InputSource | None:
    """Open an input file. If it is gone or has changed, add the reason to `notes` and return None."""
    head, _, name = item.file.rpartition("/")
    try:
        store = Store(head or "/", options)
        info = store.info(name)
        if info is None:
            notes.append(f"{item.file} is gone: its rows are not compared")
        elif (info.size, info.version) != (item.size, item.version):
            notes.append(f"{item.file} has changed since the job: its rows are not compared")
        else:
            return InputSource(store, name, item.file)
    except (JobError, InputFault) as error:
        notes.append(f"{item.file} is not compared: {error}")
    return None


class InputSource:
    """An input file that is read once from start to end, one unit at a time."""

    def __init__(self, store: Store, relative: str, label: str) -> None:
        self._reader = open_reader(store, relative, label)
        self._batches = self._reader.batches(max_rows=1024)
        self._rest: list[pa.RecordBatch] = []
        self._at = 0

    def take(self, start: int, stop: int) -> pa.Table | None:
        """Rows `[start, stop)`; None if they cannot be read. Calls must be in ascending order of rows."""
        parts: list[pa.RecordBatch] = []
        try:
            while self._at < stop:
                batch = self._rest.pop() if self._rest else next(self._batches)
                first, self._at = self._at, self._at + batch.num_rows
                if self._at > stop:
                    self._rest.append(batch.slice(stop - first))
                    batch, self._at = batch.slice(0, stop - first), stop
                if self._at > start:
                    parts.append(batch.slice(max(0, start - first)))
        except (StopIteration, *READ_ERRORS):
            return None
        table = pa.Table.from_batches(parts) if parts else None
        return without_bad_lines(table.replace_schema_metadata(None)) if table is not None else None

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


@dataclass(frozen=True, slots=True)
class _Ids:
    """The ids of a stored unit."""

    shard: Shard
    rows: int
    columns: ColumnMap = _BY_ID
    known: FileMetadata | None = None


def repeated_ids(output: Output, units: Sequence[ListedUnit]) -> Iterator[Finding]:
    """Rows whose id occurs in an earlier row of any unit, found by the search that the job uses."""
    files = []
    for unit in units:
        relative = f"{ENHANCED}/{unit.name}.parquet"
        with closing(open_reader(output.store, relative, relative)) as reader:
            rows = reader.metadata().rows
        shard = Shard(output.store.given_url, relative, unit.name, 0, "", relative)
        files.append(_Ids(shard, rows))
    if not files:
        return
    found = find_duplicates(files, output.store.options, compare_texts=False)
    for number, file in enumerate(files):
        for row, first in found.within(number, 0, file.rows).items():
            yield Finding(file.shard.relative, row, f"its id is that of {first}")
