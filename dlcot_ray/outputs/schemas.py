"""What the job writes: the Arrow schemas of annotations, enhanced and rejected rows, and their codecs.

Every unit of one input layout gets the same schema, even when it has no rows, so that a reader can
open a folder as one dataset. Input columns are carried through as they are; where one has a name
that we need, it is kept as `source_<name>` instead of being overwritten or of renaming ours. An edit
is stored in code points of the source reasoning (and in units for people), so that a reader replays it
in one line without this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.outputs.codec import from_table, record_schema, to_table

ANNOTATION_SCHEMA: pa.Schema = record_schema(Annotation)
"""One row per annotated trace; derived from `core.annotation.Annotation`."""

EDIT_TYPE = pa.struct(
    [
        pa.field("op", pa.string(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("stop", pa.int32(), nullable=False),
        pa.field("segment_start", pa.int32(), nullable=False),
        pa.field("segment_stop", pa.int32(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)
"""One edit: `start`/`stop` are code points of the source reasoning, `unit_*` its units."""

MESSAGE_TYPE = pa.struct(
    [pa.field("role", pa.string(), nullable=False), pa.field("content", pa.large_string(), nullable=False)]
)
GATE_TYPE = pa.struct(
    [
        pa.field("name", pa.string(), nullable=False),
        pa.field("passed", pa.bool_(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)


def _list_of(item: pa.DataType) -> pa.DataType:
    return pa.list_(pa.field("item", item, nullable=False))


ENHANCED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("trace_id", pa.string(), nullable=False),
    pa.field("enhanced_reasoning", pa.large_string(), nullable=False),
    pa.field("edits", _list_of(EDIT_TYPE), nullable=False),
    pa.field("messages", _list_of(MESSAGE_TYPE), nullable=False),
    pa.field("tokens_before", pa.int32(), nullable=False),
    pa.field("tokens_after", pa.int32(), nullable=False),
    pa.field("policy", pa.string(), nullable=False),
    pa.field("status", pa.string(), nullable=False),
    pa.field("status_reason", pa.string(), nullable=False),
    pa.field("gates", _list_of(GATE_TYPE), nullable=False),
    pa.field("judge", pa.string(), nullable=False),
    pa.field("fingerprint", pa.string(), nullable=False),
)
"""Our columns of `enhanced/`, after the carried ones."""

REJECTED_FIELDS: tuple[pa.Field, ...] = (
    pa.field("trace_id", pa.string()),
    pa.field("input_file", pa.string(), nullable=False),
    pa.field("input_row", pa.int64(), nullable=False),
    pa.field("stage", pa.string(), nullable=False),
    pa.field("cause", pa.string(), nullable=False),
    pa.field("message", pa.string(), nullable=False),
    pa.field("remedy", pa.string(), nullable=False),
    pa.field("raw_reply", pa.large_string()),
)
"""Our columns of `rejected/`, after the carried ones."""

PREFERENCE_SCHEMA: pa.Schema = pa.schema(
    [
        pa.field("trace_id", pa.string(), nullable=False),
        pa.field("prompt", _list_of(MESSAGE_TYPE), nullable=False),
        pa.field("chosen", _list_of(MESSAGE_TYPE), nullable=False),
        pa.field("rejected", _list_of(MESSAGE_TYPE), nullable=False),
        pa.field("tokens_chosen", pa.int32(), nullable=False),
        pa.field("tokens_rejected", pa.int32(), nullable=False),
        pa.field("policy", pa.string(), nullable=False),
    ]
)
"""One row of `preferences/`: the conversational layout that preference trainers take."""


@dataclass(frozen=True, slots=True)
class EnhancedRow:
    """What `enhanced/` says about one trace, beside the carried columns."""

    index: int
    """Row of the unit's input table."""
    trace: Trace
    enhancement: Enhancement
    segment_offsets: tuple[int, ...]
    tokens_before: int
    tokens_after: int
    judge: str
    fingerprint: str


def annotations_to_table(annotations: Sequence[Annotation]) -> pa.Table:
    """One row per annotation, of schema `ANNOTATION_SCHEMA`."""
    return to_table(annotations, Annotation)


def annotations_from_table(table: pa.Table) -> list[Annotation]:
    """The annotations that `annotations_to_table` stored.

    Raises:
        KeyError: a column is missing.
    """
    return from_table(table, Annotation)


def enhanced_schema(input_schema: pa.Schema) -> pa.Schema:
    """The schema of `enhanced/` for one input layout."""
    return _joined_schema(input_schema, ENHANCED_FIELDS)


def rejected_schema(input_schema: pa.Schema) -> pa.Schema:
    """The schema of `rejected/` for one input layout."""
    return _joined_schema(input_schema, REJECTED_FIELDS)


def carried_names(names: Sequence[str], ours: Iterable[str]) -> list[str]:
    """What the input's columns are called in the output: prefixed with `source_` until unique."""
    taken = {*ours}
    free = {name for name in names if name not in taken}
    result: list[str] = []
    for name in names:
        final = name
        while final in taken or (final != name and final in free):
            final = f"source_{final}"
        taken.add(final)
        result.append(final)
    return result


def carried_table(table: pa.Table, ours: Sequence[pa.Field]) -> pa.Table:
    """The input's columns of a stored table, under the names that they had in the input."""
    names = frozenset(field.name for field in ours)
    carried = table.select([name for name in table.column_names if name not in names])
    return carried.rename_columns([_original(name, names) for name in carried.column_names])


def _original(column: str, ours: frozenset[str]) -> str:
    """What a carried column was called before `carried_names` made room for ours."""
    name = column
    while name.startswith("source_"):
        name = name.removeprefix("source_")
        if name in ours:
            return name
    return column


def enhanced_table(table: pa.Table, rows: Sequence[EnhancedRow]) -> pa.Table:
    """The carried rows of `table` with what was found out about them, of `enhanced_schema`."""
    columns: list[Any] = [
        [row.trace.trace_id for row in rows],
        [row.enhancement.reasoning for row in rows],
        [edit_rows(row.enhancement, row.segment_offsets) for row in rows],
        [chat_messages(row.trace, row.enhancement.reasoning) for row in rows],
        [row.tokens_before for row in rows],
        [row.tokens_after for row in rows],
        [row.enhancement.policy for row in rows],
        [row.enhancement.status.value for row in rows],
        [row.enhancement.reason for row in rows],
        [
            [
                {"name": gate.name, "passed": gate.passed, "detail": gate.detail}
                for gate in row.enhancement.gates
            ]
            for row in rows
        ],
        [row.judge for row in rows],
        [row.fingerprint for row in rows],
    ]
    return _joined_table(table, [row.index for row in rows], ENHANCED_FIELDS, columns)


def preferences_table(rows: Sequence[EnhancedRow]) -> pa.Table:
    """Enhanced against original, for every solved trace that was changed, of `PREFERENCE_SCHEMA`.

    An unsolved trace gives no pair: neither of its sides is to be preferred.
    """
    pairs = [row for row in rows if row.enhancement.solved and row.enhancement.status is Status.ENHANCED]
    chosen = [chat_messages(row.trace, row.enhancement.reasoning) for row in pairs]
    rejected = [chat_messages(row.trace, row.trace.reasoning) for row in pairs]
    columns: list[Any] = [
        [row.trace.trace_id for row in pairs],
        [messages[:1] for messages in chosen],
        [messages[1:] for messages in chosen],
        [messages[1:] for messages in rejected],
        [row.tokens_after for row in pairs],
        [row.tokens_before for row in pairs],
        [row.enhancement.policy for row in pairs],
    ]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, PREFERENCE_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=PREFERENCE_SCHEMA)


def rejected_table(table: pa.Table, faults: Sequence[RowFault], first_row: int) -> pa.Table:
    """The carried rows of `table` with why they were rejected, of `rejected_schema`."""
    columns: list[Any] = [
        [fault.trace_id for fault in faults],
        [fault.file for fault in faults],
        [fault.row for fault in faults],
        [str(fault.stage) for fault in faults],
        [str(fault.cause) for fault in faults],
        [fault.message for fault in faults],
        [fault.remedy for fault in faults],
        [fault.raw_reply for fault in faults],
    ]
    return _joined_table(table, [fault.row - first_row for fault in faults], REJECTED_FIELDS, columns)


def edit_rows(enhancement: Enhancement, offsets: Sequence[int]) -> list[dict[str, Any]]:
    """A script as `EDIT_TYPE` rows."""
    return [
        {
            "op": edit.op.value,
            "start": offsets[edit.start],
            "stop": offsets[edit.stop],
            "segment_start": edit.start,
            "segment_stop": edit.stop,
            "text": edit.text,
            "reason": edit.reason,
        }
        for edit in enhancement.script
    ]


def replay(reasoning: str, edits: Iterable[Mapping[str, Any]]) -> str:
    """The enhanced reasoning, from the source reasoning and the stored `edits` of its row."""
    return "".join(
        reasoning[edit["start"] : edit["stop"]] if edit["op"] == EditOp.KEEP.value else edit["text"]
        for edit in edits
    )


def chat_messages(trace: Trace, reasoning: str) -> list[dict[str, str]]:
    """The trace as a chat that is ready to train on.

    White space at the edges of thinking and response goes, because the layout sets its own; the exact
    text is in `enhanced_reasoning`.
    """
    content = f"<think>\n{reasoning.strip()}\n</think>"
    if trace.response is not None:
        content = f"{content}\n\n{trace.response.strip()}"
    return [{"role": "user", "content": trace.problem}, {"role": "assistant", "content": content}]


def _joined_schema(input_schema: pa.Schema, ours: Sequence[pa.Field]) -> pa.Schema:
    names = carried_names(input_schema.names, (field.name for field in ours))
    # Metadata of the input goes: it describes the input's columns (Hugging Face features, pandas
    # indexes, field ids) and makes readers fail on a file with other ones.
    carried = [
        pa.field(name, field.type, nullable=field.nullable)
        for name, field in zip(names, input_schema, strict=True)
    ]
    return pa.schema([*carried, *ours])


def _joined_table(
    table: pa.Table, indices: Sequence[int], ours: Sequence[pa.Field], columns: Sequence[Any]
) -> pa.Table:
    schema = _joined_schema(table.schema, ours)
    carried = pa.concat_tables([table.slice(start, stop - start) for start, stop in _runs(indices)])
    arrays = [pa.array(values, field.type) for values, field in zip(columns, ours, strict=True)]
    return pa.Table.from_arrays([*carried.columns, *arrays], schema=schema)


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Increasing row numbers as ranges `[start, stop)`; one empty range for none.

    Slices copy nothing and work for every Arrow type; `take` does not know the view types.
    """
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs or [(0, 0)]
