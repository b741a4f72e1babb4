"""Checks of one finished unit on its stored tables alone; `rows.py` checks single rows.

The checks use the output's schemas and layout and none of the code that wrote the unit: counts are taken
again from the rows, the text is replayed from the edits, the fingerprint is computed from the trace. A
finding is a value, so that one damaged row hides no other. An object of another schema is not checked
further.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.registry import LOSS_SPANS
from dlcot_ray.errors import Cause, InputFault, Stage
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.conversations.homes import MESSAGES, messages_type, turns_type
from dlcot_ray.outputs.audit.conversations import message_findings, preference_findings
from dlcot_ray.outputs.audit.counts import count_findings
from dlcot_ray.outputs.audit.masked import masked_findings
from dlcot_ray.outputs.audit.rows import annotation_findings, row_findings, shorten
from dlcot_ray.outputs.audit.stored import (
    Expected,
    StoredUnit,
    carried_traces,
)
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.inventory import Finding
from dlcot_ray.outputs.layout import ANNOTATIONS, ENHANCED, MASKED, PREFERENCES, REJECTED
from dlcot_ray.outputs.schemas import (
    ANNOTATION_SCHEMA,
    ENHANCED_FIELDS,
    REJECTED_FIELDS,
    annotations_from_table,
    masked_schema,
    preferences_schema,
)


def audit_unit(unit: StoredUnit, expected: Expected) -> Iterator[Finding]:
    """Everything that is not as it must be with one unit."""
    if expected.job and unit.job not in ("", expected.job):
        yield Finding(unit.place(ENHANCED), None, f"another job wrote it (fingerprint {unit.job})")
    bad = list(_schemas(unit, expected))
    yield from bad
    if bad:
        return
    rows = unit.enhanced.select([field.name for field in ENHANCED_FIELDS]).to_pylist()
    annotations = annotations_from_table(unit.annotations) if unit.annotations is not None else []
    yield from count_findings(unit, rows, annotations)
    yield from _rejected(unit)
    yield from preference_findings(unit, rows)
    yield from _masked(unit, expected, rows)
    known: dict[str, list[tuple[int, Annotation]]] = defaultdict(list)
    for place, annotation in enumerate(annotations):
        known[annotation.trace_id].append((place, annotation))
    if unit.annotations is not None:
        yield from _matching(unit, rows, annotations)
    yield from message_findings(unit, expected, rows)
    for number, (row, trace) in enumerate(zip(rows, carried_traces(unit, expected, rows), strict=True)):
        at = unit.place(ENHANCED)
        if isinstance(trace, str):
            yield Finding(at, number, trace)
            continue
        for message in row_findings(row, trace, expected.judge, expected.policy):
            yield Finding(at, number, message)
        mine = known[row["trace_id"]]
        if mine:
            # Of several under one id, the fingerprint tells which one belongs to the row.
            at_once = [pair for pair in mine if pair[1].fingerprint == row["fingerprint"]]
            place, annotation = (at_once or mine)[0]
            mine.remove((place, annotation))
            for message in annotation_findings(row, trace, annotation):
                yield Finding(unit.place(ANNOTATIONS), place, message)


def _schemas(unit: StoredUnit, expected: Expected) -> Iterator[Finding]:
    messages, turns = _types(unit, expected)
    for folder, table, fields in (
        (ENHANCED, unit.enhanced, _typed(ENHANCED_FIELDS, messages)),
        (REJECTED, unit.rejected, REJECTED_FIELDS),
    ):
        if table is None:
            continue
        last = list(table.schema)[-len(fields) :]
        wrong = [want.name for want, got in zip(fields, last, strict=False) if not want.equals(got)]
        if wrong or len(last) < len(fields):
            yield Finding(unit.place(folder), None, f"its schema differs at {', '.join(wrong) or 'the end'}")
    for folder, table, schema in (
        (ANNOTATIONS, unit.annotations, ANNOTATION_SCHEMA),
        (PREFERENCES, unit.preferences, preferences_schema(turns)),
        (MASKED, unit.masked, masked_schema(messages)),
    ):
        if table is not None and not table.schema.equals(schema):
            yield Finding(unit.place(folder), None, "its schema is not that of this version")
    if expected.annotated and unit.annotations is None:
        yield Finding(unit.place(ANNOTATIONS), None, "it is missing")
    if not expected.annotated and unit.annotations is not None:
        yield Finding(unit.place(ANNOTATIONS), None, "a derived output has no annotations of its own")


def _types(unit: StoredUnit, expected: Expected) -> tuple[pa.DataType, pa.DataType]:
    """The types of the messages and of the turns of pairs, by the carried columns."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault:
        return MESSAGES, MESSAGES
    return messages_type(columns), turns_type(columns)


def _typed(fields: Sequence[pa.Field], messages: pa.DataType) -> list[pa.Field]:
    return [field.with_type(messages) if field.name == "messages" else field for field in fields]


def _rejected(unit: StoredUnit) -> Iterator[Finding]:
    if unit.rejected is None:
        return
    names = ("input_file", "input_row", "input_part", "stage", "cause")
    before = (unit.start - 1, 0)
    for number, row in enumerate(unit.rejected.select(names).to_pylist()):
        messages = []
        if row["input_file"] != unit.file:
            messages.append(f"it is of {row['input_file']}, the unit of {unit.file}")
        place = (row["input_row"], row["input_part"])
        if not (before < place and place[0] in range(unit.start, unit.stop)):
            messages.append(f"input row {row['input_row']} is repeated or not one of the unit's")
        if row["stage"] not in set(Stage) or row["cause"] not in set(Cause):
            messages.append(f"there is no stage {row['stage']!r} with cause {row['cause']!r}")
        before = place
        for message in messages:
            yield Finding(unit.place(REJECTED), number, message)


def _masked(unit: StoredUnit, expected: Expected, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether every conversation is there with its spans, if the policy asks for them."""
    asked = expected.policy is not None and LOSS_SPANS in expected.policy.split("+")
    masked = unit.masked.to_pylist() if unit.masked is not None else []
    for number, message in masked_findings(rows, masked) if asked or masked else ():
        yield Finding(unit.place(MASKED), number, message)


def _matching(
    unit: StoredUnit, rows: Sequence[Mapping[str, Any]], annotations: Sequence[Annotation]
) -> Iterator[Finding]:
    """One annotation for each row in `enhanced/`, in order, and for each that was rejected afterwards: by a
    policy, or because it took too long (which has a placeholder)."""
    refused: list[str] = []
    if unit.rejected is not None:
        names = ["trace_id", "stage", "cause"]
        refused = [
            row["trace_id"]
            for row in unit.rejected.select(names).to_pylist()
            if row["stage"] == Stage.POLICY or row["cause"] == Cause.TOO_SLOW
        ]
    at = unit.place(ANNOTATIONS)
    theirs = [annotation.trace_id for annotation in annotations]
    ours = [row["trace_id"] for row in rows]
    if sorted(theirs) != sorted([*ours, *refused]):
        lacking = next((name for name in [*ours, *refused] if name not in set(theirs)), None)
        what = f"{shorten(lacking)} has none" if lacking is not None else "some belong to no row"
        yield Finding(at, None, f"{len(theirs)} annotations for {len(ours) + len(refused)} rows: {what}")
    elif [name for name in theirs if name not in set(refused)] != ours:
        yield Finding(at, None, "its order is not that of the rows")
