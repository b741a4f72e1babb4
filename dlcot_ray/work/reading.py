"""The first step of a work unit: reads its rows, and the stored annotations that a policy is applied to.

No Ray here. A failure is a value: a unit that cannot be read comes back with an `error`. It stays unfinished,
and the next run does it again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import closing

import pyarrow as pa

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, read_table
from dlcot_ray.inputs.readers.registry import open_reader
from dlcot_ray.outputs.layout import ANNOTATIONS
from dlcot_ray.plan.tasks import ReadTask, UnitTask
from dlcot_ray.storage.retries import retrying, with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.work.spec import ReadUnit, WorkSpec

_UNIT_BYTES = 64 << 20
_MOST_UNIT_BYTES = 4 * _UNIT_BYTES
_MOST_TIMES = 4
"""A unit of several rows may decode to so many times `bytes_per_unit`, at least to `_MOST_UNIT_BYTES`."""


def read_units(task: ReadTask, spec: WorkSpec) -> Iterator[ReadUnit]:
    """Read the units of a sweep, in order, one at a time.

    After a transient error the sweep starts again with the units that are left, `spec.retries` times at most.
    If the file cannot be read any further, the units that are left come back with an error.
    """
    waiting = deque(task.units)
    try:
        for attempt in retrying(spec.retries):
            with attempt:
                # Nothing is left if the error came when the file was closed.
                for unit, table in _sweep(task, tuple(waiting), spec) if waiting else ():
                    waiting.popleft()
                    if isinstance(table, str):
                        yield ReadUnit(unit, error=f"cannot be read ({table})")
                    else:
                        yield _with_annotations(unit, table, spec)
    except READ_ERRORS as error:
        for unit in waiting:
            yield ReadUnit(unit, error=f"cannot be read ({reason_of(error)})")


def _sweep(
    task: ReadTask, units: tuple[UnitTask, ...], spec: WorkSpec
) -> Iterator[tuple[UnitTask, pa.Table | str]]:
    """The rows of each unit, cut out of one pass over the row groups of the task; or why it has none."""
    most = max(_MOST_UNIT_BYTES, _MOST_TIMES * spec.bytes_per_bundle)
    size = 0
    store = Store(task.store_url, spec.input_options)
    waiting = deque(units)
    parts: list[pa.RecordBatch] = []
    stop = task.first_row
    with closing(open_reader(store, task.relative, units[0].file, task.known)) as reader:
        batches = reader.batches(
            range(task.first_group, task.stop_group),
            max_rows=max(unit.stop - unit.start for unit in units),
        )
        for batch in batches:
            start, stop = stop, stop + batch.num_rows
            while waiting and waiting[0].start < stop:
                unit = waiting[0]
                first = max(unit.start, start)
                part = batch.slice(first - start, min(unit.stop, stop) - first)
                size += _bytes_of(part)
                parts.append(part)
                if is_too_large := size > most and unit.stop - unit.start > 1:
                    parts.clear()
                if unit.stop > stop:
                    break
                waiting.popleft()
                yield unit, _too_large(unit, size) if is_too_large else pa.Table.from_batches(parts)
                parts, size = [], 0
            if not waiting:
                return
    raise InputFault(units[0].file, f"its rows end at {stop}, before the end of unit {waiting[0].name}")


def _bytes_of(batch: pa.RecordBatch) -> int:
    """Bytes of decoded rows, without dictionaries, which many batches share."""
    columns = (column.indices if pa.types.is_dictionary(column.type) else column for column in batch.columns)
    return sum(column.nbytes for column in columns)


def _too_large(unit: UnitTask, size: int) -> str:
    rows = unit.stop - unit.start
    return (
        f"its {rows:,} rows decode to {size >> 20:,} MiB, because the file stores long texts once for many "
        f"rows; run with rows_per_unit={max(1, rows * _UNIT_BYTES // size)} and another output"
    )


def _with_annotations(unit: UnitTask, table: pa.Table, spec: WorkSpec) -> ReadUnit:
    if spec.annotations is None:
        return ReadUnit(unit, table)
    store = Store(spec.annotations, spec.annotations_options)
    relative = f"{ANNOTATIONS}/{unit.name}.parquet"

    def read() -> pa.Table:
        with closing(open_reader(store, relative, store.url(relative))) as reader:
            return read_table(reader)

    try:
        return ReadUnit(unit, table, with_retries(spec.retries, read))
    except READ_ERRORS as error:
        return ReadUnit(unit, error=f"its annotations cannot be read ({reason_of(error)})")
