"""Facts: what a refresh records of each row, a few dozen bytes, enough to compare two snapshots.

One small table per work unit, beside its other objects in `_facts/` (readers of Parquet folders skip names
that begin with an underscore). From these tables alone the next refresh knows which annotation belongs to
which content, and the report what changed; the texts are not read again. `content` leaves the judge out of
the fingerprint, so that a change of the judge is not taken for a change of every trace.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault, Stage
from dlcot_ray.judging.fingerprint import fingerprint

GROUP_PREFIX = "by_"
FACT_FIELDS: tuple[pa.Field, ...] = (
    pa.field("trace_id", pa.string()),
    pa.field("row", pa.int64(), nullable=False),
    pa.field("content", pa.string(), nullable=False),
    pa.field("fingerprint", pa.string(), nullable=False),
    pa.field("annotation", pa.int32(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("reason", pa.string(), nullable=False),
    pa.field("tokens_before", pa.int32(), nullable=False),
    pa.field("tokens_after", pa.int32(), nullable=False),
    pa.field("labels", pa.string(), nullable=False),
    pa.field("snapshot", pa.string(), nullable=False),
    pa.field("judged", pa.bool_(), nullable=False),
)
"""One row per input row.

trace_id: null where the row has none. row: of the input file. content: fingerprint without a judge, empty
for a row that is no trace. fingerprint: the annotation's; empty where it was not judged. annotation: its row
in the unit's `annotations/` object, -1 for none. status: enhanced, unchanged or rejected. reason: why, or
the cause of a rejection. labels: the approaches' labels in order, joined by spaces. snapshot: the one
for which the unit was made. judged: the judge was asked for that snapshot. Then `by_<column>` for each group.
"""

REJECTED_STATUS = "rejected"


@dataclass(frozen=True, slots=True)
class FactSpec:
    """What workers need to write the facts of a snapshot.

    Attributes:
        snapshot: its name.
        by: columns of the input by which the report groups, where a file has them.
    """

    snapshot: str
    by: tuple[str, ...] = ()


def fact_schema(by: Sequence[str]) -> pa.Schema:
    """The schema of `_facts/` for some group columns."""
    return pa.schema([*FACT_FIELDS, *(pa.field(f"{GROUP_PREFIX}{name}", pa.string()) for name in by)])


def facts_table(
    table: pa.Table,
    rows: Sequence[Trace | RowFault],
    *,
    first_row: int,
    annotations: pa.Table,
    enhanced: pa.Table,
    rejected: pa.Table,
    judge_identity: str,
    asked: Collection[str],
    spec: FactSpec,
) -> pa.Table:
    """The facts of one unit, in input order.

    Args:
        table: the unit's input rows.
        rows: the traces or faults that they are, one each.
        first_row: the file's row number of the first.
        annotations, enhanced, rejected: what was made of them, each in input order.
        judge_identity: of the judge whose fingerprints are compared.
        asked: fingerprints of the traces that this judge was asked about.
        spec: the snapshot, and its group columns.
    """
    refused = {
        row - first_row: (cause, stage)
        for row, cause, stage in zip(
            *(rejected.column(name).to_pylist() for name in ("input_row", "cause", "stage")), strict=True
        )
    }
    kept = zip(
        *(
            enhanced.column(name).to_pylist()
            for name in ("status", "status_reason", "tokens_before", "tokens_after")
        ),
        strict=True,
    )
    marks = annotations.column("fingerprint").to_pylist()
    labels = labels_of(annotations)
    records: list[tuple[object, ...]] = []
    place = 0
    for index, row in enumerate(rows):
        content = "" if isinstance(row, RowFault) else fingerprint(row, "")
        judged = not isinstance(row, RowFault) and fingerprint(row, judge_identity) in asked
        cause, stage = refused.get(index, ("", ""))
        annotated = index not in refused or stage == Stage.POLICY
        status = (REJECTED_STATUS, cause, 0, 0) if index in refused else next(kept)
        mark, number, label = (marks[place], place, labels[place]) if annotated else ("", -1, "")
        place += annotated
        records.append(
            (row.trace_id, first_row + index, content, mark, number, *status, label, spec.snapshot, judged)
        )
    columns = list(zip(*records, strict=True)) if records else [() for _ in FACT_FIELDS]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, FACT_FIELDS, strict=True)]
    groups = [_group(table, name) for name in spec.by]
    return pa.Table.from_arrays([*arrays, *groups], schema=fact_schema(spec.by))


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


def _group(table: pa.Table, name: str) -> pa.Array:
    if name not in table.column_names:
        return pa.nulls(table.num_rows, pa.string())
    return pa.array(
        [None if value is None else str(value) for value in table.column(name).to_pylist()], pa.string()
    )
