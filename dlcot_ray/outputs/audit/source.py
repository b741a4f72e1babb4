"""The rows of a unit against the rows of its input file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.items import Passed
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.audit.stored import (
    StoredUnit,
    shard_name,
    stored_places,
)
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.inventory import Finding
from dlcot_ray.outputs.layout import ENHANCED, REJECTED
from dlcot_ray.outputs.schemas import (
    ENHANCED_FIELDS,
    REJECTED_FIELDS,
)


def compare_rows(unit: StoredUnit, source: pa.Table, preset: DatasetPreset) -> Iterator[Finding]:
    """Whether every trace of the unit's input rows is there once, with all columns, and nothing else.

    Args:
        unit: sound as far as `audit_unit` goes.
        source: the unit's rows of the input file.
        preset: how its columns become traces.
    """
    sides = [(ENHANCED, unit.enhanced, ENHANCED_FIELDS)]
    if unit.rejected is not None:
        sides.append((REJECTED, unit.rejected, REJECTED_FIELDS))
    yield from _places(unit, source, preset, [table for _, table, _ in sides])
    for folder, table, fields in sides:
        at = unit.place(folder)
        carried = carried_table(table, fields)
        indices = [row - unit.start for row in table["input_row"].to_pylist()]
        if not all(0 <= index < source.num_rows for index in indices):
            continue
        if carried.column_names != source.column_names:
            yield Finding(at, None, "its carried columns are not those of the input")
            continue
        for number, index in enumerate(indices):
            one, other = carried.slice(number, 1), source.slice(index, 1)
            column = None if one.equals(other) else _differing(one, other)
            if column is not None:
                yield Finding(at, number, f"{column} differs from {unit.file}, row {unit.start + index}")


def _places(
    unit: StoredUnit, source: pa.Table, preset: DatasetPreset, tables: Sequence[pa.Table]
) -> Iterator[Finding]:
    """Whether the stored traces and rejected rows are those of the input, each once."""
    try:
        columns = resolve_columns(preset, source.schema, unit.file)
    except InputFault as fault:
        yield Finding(unit.place(ENHANCED), None, f"no trace can be read from its input: {fault.message}")
        return
    items = traces_of(source, columns, file=unit.file, first_row=unit.start, shard_name=shard_name(unit))
    slots = [item.slot for item in items if not isinstance(item.found, Passed)]
    wanted = Counter((unit.start + slot.row, slot.part) for slot in slots)
    stored = Counter(place for table in tables for place in stored_places(table))
    passed = sum(isinstance(item.found, Passed) for item in items)
    at = unit.place(ENHANCED)
    for (row, part), count in sorted((wanted - stored).items()):
        yield Finding(at, None, f"{unit.file}, row {row}: trace {part} is lacking {count} times")
    for (row, part), count in sorted((stored - wanted).items()):
        yield Finding(at, None, f"{unit.file}, row {row}: trace {part} is there {count} times too often")
    if passed != (told := sum(count for _, count in unit.stats.by_passed)):
        yield Finding(
            at, None, f"its footer counts {told} traces that were not chosen, the input has {passed}"
        )


def _differing(one: pa.Table, other: pa.Table) -> str | None:
    """The first column in which two rows differ, or None."""
    pairs = ((name, one[name], other[name]) for name in one.column_names)
    return next((name for name, a, b in pairs if not a.equals(b) and not _same(a, b)), None)


def _same(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Equal for all but Arrow, to which NaN is not NaN."""
    try:
        return repr(one.to_pylist()) == repr(other.to_pylist())
    except (ValueError, OverflowError):
        # No UTF-8, or a time beyond Python's.
        return False
