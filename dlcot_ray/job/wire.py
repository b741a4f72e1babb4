"""A work unit as one row between the steps of the Ray graph: its tables are single Arrow IPC cells.

Nothing that Ray Data does to blocks (split, merge, coalesce) can tear such a unit apart; the price is one
copy of its bytes per step, which is noise beside judging.
"""

from __future__ import annotations

import pickle

import pyarrow as pa

from dlcot_ray.job.work import UnitTask


def pack_unit(task: UnitTask, error: str, tables: dict[str, pa.Table | None], stats: str = "") -> pa.Table:
    """One unit as one row; `error` says why there are no tables, `stats` is `UnitStats.to_json()`."""
    columns: dict[str, pa.Array] = {
        "unit": pa.array([pickle.dumps(task)], pa.binary()),
        "error": pa.array([error], pa.string()),
        "stats": pa.array([stats], pa.string()),
    }
    for name, table in tables.items():
        columns[name] = pa.nulls(1, pa.large_binary()) if table is None else _packed(table)
    return pa.table(columns)


def unit_of(batch: pa.Table, index: int) -> tuple[UnitTask, str]:
    """Which unit a row is, and why it has no tables (empty if it has)."""
    return pickle.loads(batch.column("unit")[index].as_py()), batch.column("error")[index].as_py()


def table_of(batch: pa.Table, index: int, name: str) -> pa.Table | None:
    """One table of a row, without a copy, or None where the row has none of that name."""
    cell = batch.column(name)[index]
    return pa.ipc.open_stream(cell.as_buffer()).read_all() if cell.is_valid else None


def _packed(table: pa.Table) -> pa.Array:
    """A table as the one cell of a binary array, copied once."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue()
    offsets = pa.array([0, data.size], pa.int64()).buffers()[1]
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, data])
