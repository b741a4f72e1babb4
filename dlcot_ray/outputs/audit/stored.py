"""One unit as it is stored, what an output has in common, and the traces that its rows carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, RowFault
from dlcot_ray.inputs.columns import ColumnMap, resolve_columns
from dlcot_ray.inputs.items import Item, Passed
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.layout import ENHANCED
from dlcot_ray.outputs.schemas import (
    ENHANCED_FIELDS,
)
from dlcot_ray.plan.names import parse_unit_name


@dataclass(frozen=True, slots=True)
class Expected:
    """What all units of an output have in common.

    Attributes:
        preset: how the carried columns become traces.
        judge: the identity that fingerprints were made with.
        policy: the expression that stands in every row; None where this version cannot read it.
        annotated: the output has annotations of its own.
        job: fingerprint of the job.
    """

    preset: DatasetPreset
    judge: str
    policy: str | None
    annotated: bool
    job: str = ""


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """The tables of a unit as they were read; None where there is no such object.

    Attributes:
        name: of its objects, without folder and suffix.
        file: its input file.
        start, stop: its rows of that file.
        job: fingerprint of the job that wrote it; "" where it has none.
    """

    name: str
    file: str
    start: int
    stop: int
    stats: UnitStats
    enhanced: pa.Table
    rejected: pa.Table | None
    annotations: pa.Table | None
    preferences: pa.Table | None
    masked: pa.Table | None = None
    job: str = ""

    def place(self, folder: str) -> str:
        """One of its objects, as findings name it."""
        return f"{folder}/{self.name}.parquet"


def stored_places(table: pa.Table) -> list[tuple[int, int]]:
    """Input row and part of each row of a table."""
    return list(zip(table["input_row"].to_pylist(), table["input_part"].to_pylist(), strict=True))


def carried_traces(
    unit: StoredUnit, expected: Expected, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Trace | str]:
    """The source traces as they are carried, or why one cannot be had."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault as fault:
        yield from [f"no trace can be read from it: {fault.message}"] * source.num_rows
        return
    found = found_items(unit, source, columns)
    for number, row in enumerate(rows):
        item = found.get((number, row["input_part"]))
        yield _trace(item.found if item is not None else None)


def found_items(unit: StoredUnit, source: pa.Table, columns: ColumnMap) -> dict[tuple[int, int], Item]:
    """What the carried columns hold, by row of the unit and part of the row."""
    items = traces_of(source, columns, file=unit.file, first_row=unit.start, shard_name=shard_name(unit))
    return {(item.slot.row, item.slot.part): item for item in items}


def _trace(found: Trace | RowFault | Passed | None) -> Trace | str:
    if isinstance(found, Trace):
        return found
    if isinstance(found, RowFault):
        return f"its source is no trace: {found.message}"
    return "its source has no such trace" if found is None else "its source was not chosen"


def shard_name(unit: StoredUnit) -> str:
    """The name of a unit's input file in the names of objects."""
    name = parse_unit_name(unit.name)
    return name.shard if name is not None else unit.name
