"""Work units between the phases of the Ray graph: one row per unit, with each table in one Arrow IPC cell.

Ray Data may split, merge and coalesce blocks, but it cannot tear a cell apart. The cost is two copies of a
unit's bytes per phase, which is little beside judging. A bundle is one row that holds one ordinary unit, or
as many tiny ones as are no more work than that. Each unit of a bundle is still judged, written and reported
by itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

import pyarrow as pa

from dlcot_ray.outputs.results import Effort, EngineUse
from dlcot_ray.plan.tasks import UnitTask
from dlcot_ray.storage.tables import read_arrow_stream, to_arrow_stream

READ_TABLES = ("table", "annotations")
"""Tables of a unit that was read, as attributes of `ReadUnit`."""
MADE_TABLES = ("annotations", "enhanced", "rejected", "preferences", "masked", "facts")
"""Tables of a unit that was processed, as attributes of `UnitOutput`."""


def pack_unit(
    task: UnitTask,
    error: str,
    tables: dict[str, pa.Table | None],
    stats: str = "",
    use: EngineUse | None = None,
    effort: Effort | None = None,
) -> pa.Table:
    """One unit as one row.

    Args:
        task: which unit.
        error: why there are no tables, or empty.
        tables: by name; None for a table that the unit does not have.
        stats: `UnitStats.to_json()`, or empty.
        use: what the judge's engine did since the unit before.
        effort: what judging took.
    """
    use, effort = use or EngineUse(), effort or Effort()
    columns: dict[str, pa.Array] = {
        "unit": pa.array([pickle.dumps(task)], pa.binary()),
        "error": pa.array([error], pa.string()),
        "stats": pa.array([stats], pa.string()),
        "engine_busy": pa.array([use.busy], pa.float64()),
        "engine_lasted": pa.array([use.lasted], pa.float64()),
        "seconds": pa.array([effort.seconds], pa.float64()),
        "attempt": pa.array([effort.attempt], pa.int32()),
    }
    for name, table in tables.items():
        columns[name] = pa.nulls(1, pa.large_binary()) if table is None else _packed(table)
    return pa.table(columns)


def bundle(units: Iterable[pa.Table]) -> pa.Table:
    """Packed units as one row."""
    return pa.table({"units": _packed(pa.concat_tables(units))})


def unbundle(batch: pa.Table) -> pa.Table:
    """The units of a bundle, one per row, without copying them."""
    (cell,) = batch.column("units")
    return read_arrow_stream(cell.as_buffer()).combine_chunks()


def bundled(units: Iterable[tuple[int, pa.Table]], rows: int, size: int) -> Iterator[pa.Table]:
    """Bundle units as they come, so that tiny ones share a bundle.

    Args:
        units: (rows, packed unit).
        rows: most rows of a bundle of several units.
        size: most bytes of a bundle of several units.
    """
    waiting: list[pa.Table] = []
    held_rows = held_bytes = 0
    for count, unit in units:
        if waiting and (held_rows + count > rows or held_bytes + unit.nbytes > size):
            yield bundle(waiting)
            waiting, held_rows, held_bytes = [], 0, 0
        waiting.append(unit)
        held_rows, held_bytes = held_rows + count, held_bytes + unit.nbytes
    if waiting:
        yield bundle(waiting)


def unit_of(batch: pa.Table, index: int) -> tuple[UnitTask, str]:
    """The unit of a row, and why it has no tables (empty if it has)."""
    return pickle.loads(batch.column("unit")[index].as_py()), batch.column("error")[index].as_py()


def use_of(batch: pa.Table, index: int) -> EngineUse:
    """What the judge's engine did between the unit before and this one."""
    return EngineUse(batch.column("engine_busy")[index].as_py(), batch.column("engine_lasted")[index].as_py())


def effort_of(batch: pa.Table, index: int) -> Effort:
    """What judging a unit took."""
    return Effort(batch.column("seconds")[index].as_py(), batch.column("attempt")[index].as_py())


def table_of(batch: pa.Table, index: int, name: str) -> pa.Table | None:
    """One table of a row, without copying it, or None where the unit does not have it."""
    cell = batch.column(name)[index]
    return read_arrow_stream(cell.as_buffer()) if cell.is_valid else None


def _packed(table: pa.Table) -> pa.Array:
    """A table as the one cell of a binary array, copied once."""
    data = to_arrow_stream(table)
    offsets = pa.array([0, data.size], pa.int64()).buffers()[1]
    return pa.Array.from_buffers(pa.large_binary(), 1, [None, offsets, data])
