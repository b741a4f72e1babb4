"""Facts: a few dozen bytes about each row of a refresh, enough to compare two snapshots without their texts.

One small table per work unit, beside its other objects in `_facts/` (readers of Parquet folders skip names
that begin with an underscore). From these tables alone the next refresh knows which annotation belongs to
which content, and the report knows what changed. `content` leaves the judge out of the fingerprint, so that a
change of the judge does not count as a change of every trace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault, Stage
from dlcot_ray.inputs.items import Item, Passed
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.outputs.columns import Column, arrays_of, fields_of
from dlcot_ray.outputs.results import UnitOutput

GROUP_PREFIX = "by_"
REJECTED_STATUS = "rejected"

_KEPT = ("status", "status_reason", "tokens_before", "tokens_after")


@dataclass(frozen=True, slots=True)
class FactSpec:
    """What the workers of a refresh store.

    Attributes:
        snapshot: name of the snapshot.
        by: columns of the input by which the report groups; a file may lack them.
    """

    snapshot: str
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowFact:
    """One trace of an input row, or a row without one, and its result.

    Attributes:
        row: the trace, or the fault of a row without one.
        number: row number in the input file, from 0.
        result: the columns `_KEPT` of its row in `enhanced/`, or the same of a rejection.
        annotation: row of its annotation in the unit's `annotations/` object; -1 for none.
        fingerprint: fingerprint of the annotation; empty if there is none.
        labels: labels of its approaches in order, joined by spaces.
        snapshot: the snapshot for which the unit was made.
        judged: whether the judge was asked about the row for that snapshot.
    """

    row: Trace | RowFault
    number: int
    result: Mapping[str, Any]
    annotation: int
    fingerprint: str
    labels: str
    snapshot: str
    judged: bool


FACT_COLUMNS: tuple[Column[RowFact], ...] = (
    # Null where the row has no id.
    Column("trace_id", pa.string(), lambda fact: fact.row.trace_id, nullable=True),
    Column("row", pa.int64(), lambda fact: fact.number),
    # The fingerprint without a judge; empty for a row without a trace.
    Column(
        "content", pa.string(), lambda fact: fingerprint(fact.row, "") if isinstance(fact.row, Trace) else ""
    ),
    Column("fingerprint", pa.string(), lambda fact: fact.fingerprint),
    Column("annotation", pa.int32(), lambda fact: fact.annotation),
    # enhanced, unchanged or rejected; then the reason, or the cause of the rejection.
    Column("status", pa.string(), lambda fact: fact.result["status"]),
    Column("reason", pa.string(), lambda fact: fact.result["status_reason"]),
    Column("tokens_before", pa.int32(), lambda fact: fact.result["tokens_before"]),
    Column("tokens_after", pa.int32(), lambda fact: fact.result["tokens_after"]),
    Column("labels", pa.string(), lambda fact: fact.labels),
    Column("snapshot", pa.string(), lambda fact: fact.snapshot),
    Column("judged", pa.bool_(), lambda fact: fact.judged),
)
"""One row per trace, and per row without one; then a column ``by_<column>`` for each group."""


def fact_schema(by: Sequence[str]) -> pa.Schema:
    """The schema of `_facts/` with the group columns `by`."""
    groups = [pa.field(f"{GROUP_PREFIX}{name}", pa.string()) for name in by]
    return pa.schema([*fields_of(FACT_COLUMNS), *groups])


def facts_table(
    table: pa.Table,
    items: Sequence[Item],
    fingerprints: Sequence[str | None],
    *,
    first_row: int,
    made: UnitOutput,
    asked: Collection[str],
    spec: FactSpec,
) -> pa.Table:
    """The facts of one unit, in input order.

    Args:
        table: input rows of the unit.
        items: what the rows hold, in order.
        fingerprints: for each item its fingerprint with the judge; None for one that is no trace.
        first_row: row number of the first row in its file.
        made: tables of the unit, each in input order.
        asked: fingerprints of the traces that the judge was asked about.
        spec: the snapshot and its group columns.

    Returns:
        A table of `fact_schema(spec.by)`, one row per trace and per row without one. Generations that were
        not chosen have no facts.
    """
    marked = [
        (item, mark)
        for item, mark in zip(items, fingerprints, strict=True)
        if not isinstance(item.found, Passed)
    ]
    facts = list(_facts(marked, first_row, made, asked, spec.snapshot))
    rows = [item.slot.row for item, _ in marked]
    groups = [_group(table, name, rows) for name in spec.by]
    return pa.Table.from_arrays([*arrays_of(FACT_COLUMNS, facts), *groups], schema=fact_schema(spec.by))


def _facts(
    marked: Sequence[tuple[Item, str | None]],
    first_row: int,
    made: UnitOutput,
    asked: Collection[str],
    snapshot: str,
) -> Iterator[RowFact]:
    names = ("input_row", "input_part", "cause", "stage")
    rejected = {(row["input_row"], row["input_part"]): row for row in _cells(made.rejected, names)}
    kept = iter(_cells(made.enhanced, _KEPT))
    marks = made.annotations.column("fingerprint").to_pylist()
    labels = labels_of(made.annotations)
    annotated = 0
    for item, mark in marked:
        row = item.found
        assert not isinstance(row, Passed)
        number = first_row + item.slot.row
        fault = rejected.get((number, item.slot.part))
        result = next(kept) if fault is None else _rejection(fault["cause"])
        judged = mark in asked
        # The policy rejects a row after judging, so such a row has an annotation.
        if fault is None or fault["stage"] == Stage.POLICY:
            yield RowFact(
                row, number, result, annotated, marks[annotated], labels[annotated], snapshot, judged
            )
            annotated += 1
        else:
            yield RowFact(row, number, result, -1, "", "", snapshot, judged)


def _rejection(cause: str) -> dict[str, Any]:
    return dict(zip(_KEPT, (REJECTED_STATUS, cause, 0, 0), strict=True))


def _cells(table: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.select(list(names)).to_pylist()
    return found


def labels_of(annotations: pa.Table) -> list[str]:
    """The labels of each annotation's approaches, in order, joined by spaces."""
    approaches = annotations.column("approaches").combine_chunks()
    words = pc.struct_field(approaches.flatten(), "label").to_pylist()
    found: list[str] = []
    start = 0
    for length in approaches.value_lengths().to_pylist():
        found.append(" ".join(words[start : start + length]))
        start += length
    return found


def _group(table: pa.Table, name: str, rows: Sequence[int]) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(len(rows), pa.string())
    values = table.column(name).to_pylist()
    return pa.array([None if values[row] is None else str(values[row]) for row in rows], pa.string())
