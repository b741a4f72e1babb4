"""The tables of a work unit: `annotations/`, `enhanced/`, `rejected/`, `preferences/`,
`masked/`.

Each table of ours is one list of columns; its schema and its content are derived from that list. To add a
column, add one entry. Every unit of one input layout gets the same schema, even a unit without rows, so that
a reader can open a folder as one dataset. An edit is stored in code points of the source reasoning (and in
segments for people), so that a reader replays it in one line without this package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.conversations.homes import MESSAGES
from dlcot_ray.inputs.conversations.loss_spans import Masked
from dlcot_ray.outputs.codec import from_table, record_schema, to_table
from dlcot_ray.outputs.columns import Column, Row, carrying_schema, carrying_table, fields_of, table_of

ANNOTATION_SCHEMA: pa.Schema = record_schema(Annotation)
"""One row per annotated trace; derived from `core.annotation.Annotation`."""


def _struct(**types: pa.DataType) -> pa.StructType:
    return pa.struct([pa.field(name, kind, nullable=False) for name, kind in types.items()])


def _list_of(item: pa.DataType) -> pa.ListType:
    return pa.list_(pa.field("item", item, nullable=False))


EDIT_TYPE = _struct(
    op=pa.string(),
    start=pa.int32(),
    stop=pa.int32(),
    segment_start=pa.int32(),
    segment_stop=pa.int32(),
    text=pa.string(),
    reason=pa.string(),
)
"""One edit: `start`/`stop` are code points of the source reasoning, `segment_*` its segments."""
SPAN_TYPE = _struct(turn=pa.int32(), field=pa.string(), start=pa.int32(), stop=pa.int32())
"""Code points of the text at the path `field` of turn `turn` of `messages`."""
GATE_TYPE = _struct(name=pa.string(), passed=pa.bool_(), detail=pa.string())


@dataclass(frozen=True, slots=True)
class EnhancedRow:
    """One row of `enhanced/`, without the carried columns.

    Attributes:
        index: row of the unit's input table.
        input_row: row of the input file.
        input_part: which of the row's traces, from 0.
        trace: the source.
        enhancement: the policy's result.
        segment_offsets: code points at which the trace's segments begin, and its length.
        tokens_before, tokens_after: tokens of the source reasoning and of the enhanced one.
        judge: identity of the judge.
        fingerprint: of the trace and its judge; empty where the trace was not judged.
        messages: the conversation with the enhanced thinking; None where there is none to train on.
        masked: the whole conversation and the spans to train on; None where there is none.
        pair: prompt, enhanced reply and original reply as lists of turns; None where there is none.
        solved: the trace reaches its ground truth; None where it has none, or was not judged.
        rsr: rank-surprisal ratio of the source reasoning, see `rank_surprisal_ratio`; None without scores.
    """

    index: int
    input_row: int
    input_part: int
    trace: Trace
    enhancement: Enhancement
    segment_offsets: tuple[int, ...]
    tokens_before: int
    tokens_after: int
    judge: str
    fingerprint: str
    messages: Any = None
    masked: Masked | None = None
    pair: tuple[list[Any], list[Any], list[Any]] | None = None
    solved: bool | None = None
    rsr: float | None = None


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


def span_rows(masked: Masked | None) -> list[dict[str, Any]]:
    """The spans to train on as `SPAN_TYPE` rows."""
    return [asdict(span) for span in masked.spans] if masked is not None else []


def gate_rows(enhancement: Enhancement) -> list[dict[str, Any]]:
    """The gates' verdicts as `GATE_TYPE` rows."""
    return [{"name": gate.name, "passed": gate.passed, "detail": gate.detail} for gate in enhancement.gates]


def replay(reasoning: str, edits: Iterable[Mapping[str, Any]]) -> str:
    """The enhanced reasoning, from the source reasoning and the stored `edits` of its row."""
    return "".join(
        reasoning[edit["start"] : edit["stop"]] if edit["op"] == EditOp.KEEP.value else edit["text"]
        for edit in edits
    )


def chat_messages(trace: Trace, reasoning: str) -> list[dict[str, str]]:
    """The trace as a chat that is ready to train on.

    White space at the edges of thinking and response is dropped, because the layout sets its own. The exact
    text is in `enhanced_reasoning`.
    """
    return [_question(trace), _reply(trace, reasoning)]


def _question(trace: Trace) -> dict[str, str]:
    return {"role": "user", "content": trace.problem}


def _reply(trace: Trace, reasoning: str) -> dict[str, str]:
    content = f"<think>\n{reasoning.strip()}\n</think>"
    if trace.response is not None:
        content = f"{content}\n\n{trace.response.strip()}"
    return {"role": "assistant", "content": content}


ENHANCED_COLUMNS: tuple[Column[EnhancedRow], ...] = (
    Column("trace_id", pa.string(), lambda row: row.trace.trace_id),
    Column("input_row", pa.int64(), lambda row: row.input_row),
    Column("input_part", pa.int32(), lambda row: row.input_part),
    Column("enhanced_reasoning", pa.large_string(), lambda row: row.enhancement.reasoning),
    Column("edits", _list_of(EDIT_TYPE), lambda row: edit_rows(row.enhancement, row.segment_offsets)),
    Column("messages", MESSAGES, lambda row: row.messages, nullable=True),
    Column("tokens_before", pa.int32(), lambda row: row.tokens_before),
    Column("tokens_after", pa.int32(), lambda row: row.tokens_after),
    Column("policy", pa.string(), lambda row: row.enhancement.policy),
    Column("status", pa.string(), lambda row: row.enhancement.status.value),
    Column("status_reason", pa.string(), lambda row: row.enhancement.reason),
    Column("solved", pa.bool_(), lambda row: row.solved, nullable=True),
    Column("rsr", pa.float64(), lambda row: row.rsr, nullable=True),
    Column("gates", _list_of(GATE_TYPE), lambda row: gate_rows(row.enhancement)),
    Column("judge", pa.string(), lambda row: row.judge),
    Column("fingerprint", pa.string(), lambda row: row.fingerprint),
)
"""Our columns of `enhanced/`, after the carried ones; `messages` has the type of the input's conversation."""

REJECTED_COLUMNS: tuple[Column[RowFault], ...] = (
    Column("trace_id", pa.string(), lambda fault: fault.trace_id, nullable=True),
    Column("input_file", pa.string(), lambda fault: fault.file),
    Column("input_row", pa.int64(), lambda fault: fault.row),
    Column("input_part", pa.int32(), lambda fault: fault.part),
    Column("stage", pa.string(), lambda fault: str(fault.stage)),
    Column("cause", pa.string(), lambda fault: str(fault.cause)),
    Column("message", pa.string(), lambda fault: fault.message),
    Column("remedy", pa.string(), lambda fault: fault.remedy),
    Column("raw_reply", pa.large_string(), lambda fault: fault.raw_reply, nullable=True),
)
"""Our columns of `rejected/`, after the carried ones."""

PREFERENCE_COLUMNS: tuple[Column[EnhancedRow], ...] = (
    Column("trace_id", pa.string(), lambda row: row.trace.trace_id),
    Column("prompt", MESSAGES, lambda row: row.pair[0] if row.pair else None),
    Column("chosen", MESSAGES, lambda row: row.pair[1] if row.pair else None),
    Column("rejected", MESSAGES, lambda row: row.pair[2] if row.pair else None),
    Column("tokens_chosen", pa.int32(), lambda row: row.tokens_after),
    Column("tokens_rejected", pa.int32(), lambda row: row.tokens_before),
    Column("policy", pa.string(), lambda row: row.enhancement.policy),
)
"""The columns of `preferences/`: the conversational layout that preference trainers take."""

MASKED_COLUMNS: tuple[Column[EnhancedRow], ...] = (
    Column("trace_id", pa.string(), lambda row: row.trace.trace_id),
    Column("messages", MESSAGES, lambda row: row.masked.messages if row.masked else None),
    Column("loss_spans", _list_of(SPAN_TYPE), lambda row: span_rows(row.masked)),
    Column("tokens", pa.int32(), lambda row: row.tokens_before),
    Column("policy", pa.string(), lambda row: row.enhancement.policy),
)
"""The columns of `masked/`: the conversation as the teacher wrote it, and what of it to train on."""

ENHANCED_FIELDS = fields_of(ENHANCED_COLUMNS)
REJECTED_FIELDS = fields_of(REJECTED_COLUMNS)
PREFERENCE_SCHEMA: pa.Schema = pa.schema(fields_of(PREFERENCE_COLUMNS))
MASKED_SCHEMA: pa.Schema = pa.schema(fields_of(MASKED_COLUMNS))
OUTPUT_COLUMNS = frozenset(
    [
        *(field.name for field in (*ENHANCED_FIELDS, *REJECTED_FIELDS)),
        *ANNOTATION_SCHEMA.names,
        *PREFERENCE_SCHEMA.names,
        *MASKED_SCHEMA.names,
    ]
)
"""Names of our columns in any folder of an output."""


def annotations_to_table(annotations: Sequence[Annotation]) -> pa.Table:
    """One row per annotation, of schema `ANNOTATION_SCHEMA`."""
    return to_table(annotations, Annotation)


def annotations_from_table(table: pa.Table) -> list[Annotation]:
    """The annotations that `annotations_to_table` stored.

    Raises:
        KeyError: a column is missing.
    """
    return from_table(table, Annotation)


def enhanced_schema(input_schema: pa.Schema, messages: pa.DataType = MESSAGES) -> pa.Schema:
    """The schema of `enhanced/` for one input layout, whose conversations have the type `messages`."""
    return carrying_schema(input_schema, fields_of(_typed(ENHANCED_COLUMNS, messages)))


def rejected_schema(input_schema: pa.Schema) -> pa.Schema:
    """The schema of `rejected/` for one input layout."""
    return carrying_schema(input_schema, REJECTED_FIELDS)


def enhanced_table(
    table: pa.Table, rows: Sequence[EnhancedRow], messages: pa.DataType = MESSAGES
) -> pa.Table:
    """The input rows of `table` with what was found out about them, of `enhanced_schema`."""
    return carrying_table(table, [row.index for row in rows], _typed(ENHANCED_COLUMNS, messages), rows)


def rejected_table(table: pa.Table, faults: Sequence[RowFault], first_row: int) -> pa.Table:
    """The input rows of `table` with why they were rejected, of `rejected_schema`.

    Args:
        first_row: the file's row number of the table's first row.
    """
    return carrying_table(table, [fault.row - first_row for fault in faults], REJECTED_COLUMNS, faults)


def preferences_table(rows: Sequence[EnhancedRow], messages: pa.DataType = MESSAGES) -> pa.Table:
    """Enhanced against original, for every solved trace that was changed, of `preferences_schema`.

    An unsolved trace gives no pair, because neither side is better; nor does a trace without a visible reply.
    """
    pairs = [row for row in rows if makes_pair(row.enhancement) and row.pair is not None]
    return table_of(_typed(PREFERENCE_COLUMNS, messages), pairs)


def masked_table(rows: Sequence[EnhancedRow], messages: pa.DataType = MESSAGES) -> pa.Table:
    """Whole conversations with the spans to train on, of `masked_schema`."""
    return table_of(_typed(MASKED_COLUMNS, messages), [row for row in rows if row.masked is not None])


def masked_schema(messages: pa.DataType = MESSAGES) -> pa.Schema:
    """The schema of `masked/`, whose conversations have the type `messages`."""
    return pa.schema(fields_of(_typed(MASKED_COLUMNS, messages)))


def makes_pair(enhancement: Enhancement) -> bool:
    """Whether an edit is a preference: the trace is solved and was changed."""
    return enhancement.solved and enhancement.status is Status.ENHANCED


def preferences_schema(messages: pa.DataType = MESSAGES) -> pa.Schema:
    """The schema of `preferences/`, whose turns have the type `messages`."""
    return pa.schema(fields_of(_typed(PREFERENCE_COLUMNS, messages)))


def _typed(columns: Sequence[Column[Row]], messages: pa.DataType) -> list[Column[Row]]:
    """The columns with the layout's own type of conversations."""
    return [replace(column, type=messages) if column.type is MESSAGES else column for column in columns]
