"""A plain table of changed traces, before and after, that a viewer shows without knowing this package.

It is a sample of up to some hundred traces in one object, spread over the units: it costs a few reads.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.items import Item
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.layout import BEFORE_AFTER_FILE, ENHANCED, Output
from dlcot_ray.outputs.schemas import ENHANCED_FIELDS
from dlcot_ray.storage.tables import to_parquet

MOST_UNITS = 20
MOST_ROWS = 200
"""Traces of the table, at most."""
_SCHEMA = pa.schema(
    [
        ("trace_id", pa.string()),
        ("problem", pa.large_string()),
        ("before", pa.large_string()),
        ("after", pa.large_string()),
        ("dropped", pa.large_string()),
        ("response", pa.large_string()),
        ("ground_truth", pa.string()),
        ("tokens_before", pa.int32()),
        ("tokens_after", pa.int32()),
        ("solved", pa.bool_()),
    ]
)
_GAP = "\n[...]\n"
"""Between two dropped passages."""


def sources_of(table: pa.Table, preset: DatasetPreset, name: str) -> dict[tuple[int, int], Item]:
    """The source traces that a unit's rows carry, by row of the table and part.

    Raises:
        InputFault: the preset does not fit the carried columns.
    """
    source = carried_table(table, ENHANCED_FIELDS)
    columns = resolve_columns(preset, source.schema, name)
    items = traces_of(source, columns, file=name, first_row=0, shard_name=name)
    return {(item.slot.row, item.slot.part): item for item in items}


def sample_of(units: Sequence[int]) -> Sequence[int]:
    """Up to `MOST_UNITS` units, spread evenly; always the same."""
    return units[:: max(1, -(-len(units) // MOST_UNITS))]


def write_before_after(output: Output, preset: DatasetPreset, names: Sequence[str]) -> int:
    """Write the table from a sample of units; returns its number of rows. Without any there is no table.

    Args:
        output: a finished output.
        preset: how its rows become traces.
        names: of a sample of its complete units.

    Raises:
        JobError: it cannot be written.
    """
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(names):
        rows += _changed(output, preset, name, (MOST_ROWS - len(rows)) // (len(names) - at))
    if rows:
        table = pa.Table.from_pylist(rows, _SCHEMA)
        output.store.put(BEFORE_AFTER_FILE, to_parquet(table))
    else:
        output.store.delete(BEFORE_AFTER_FILE)
    return len(rows)


def _changed(output: Output, preset: DatasetPreset, name: str, most: int) -> list[dict[str, Any]]:
    """The first changed traces of a unit; none of one that cannot be read."""
    try:
        data = output.store.read_bytes(f"{ENHANCED}/{name}.parquet")
        table = pq.read_table(io.BytesIO(data), use_threads=False)
        found = sources_of(table, preset, name)
    except (JobError, InputFault, OSError, pa.ArrowException):
        return []
    names = [field.name for field in ENHANCED_FIELDS if field.name != "messages"]
    shown: list[dict[str, Any]] = []
    for number, row in enumerate(table.select(names).to_pylist()):
        item = found.get((number, row["input_part"]))
        if len(shown) < most and row["status"] == Status.ENHANCED and item and isinstance(item.found, Trace):
            shown.append(_shown(row, item.found))
    return shown


def _shown(row: Mapping[str, Any], trace: Trace) -> dict[str, Any]:
    return {
        "trace_id": row["trace_id"],
        "problem": trace.problem,
        "before": trace.reasoning,
        "after": row["enhanced_reasoning"],
        "dropped": _GAP.join(_dropped(row["edits"], trace.reasoning)),
        "response": trace.response,
        "ground_truth": trace.ground_truth,
        "tokens_before": row["tokens_before"],
        "tokens_after": row["tokens_after"],
        "solved": row["solved"],
    }


def _dropped(edits: Sequence[Mapping[str, Any]], text: str) -> Iterator[str]:
    for edit in edits:
        if edit["op"] in ("drop", "replace"):
            yield text[edit["start"] : edit["stop"]].strip()
