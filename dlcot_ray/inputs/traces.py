"""From rows to traces: every row becomes a `Trace` or a `RowFault`, in order, so that no row is lost."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.inputs.cells import BadCell, Cell, ColumnPath, read_objects, read_texts
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.messages import RejectedRow, last_reply, split_thinking
from dlcot_ray.inputs.readers.protocol import BAD_LINES


def traces_of(
    table: pa.Table, columns: ColumnMap, *, file: str, first_row: int, shard_name: str
) -> list[Trace | RowFault]:
    """One trace or fault per row, in order. Never raises for a bad row.

    Args:
        table: consecutive rows of one file.
        columns: where its fields are.
        file: names the file in faults.
        first_row: the file's row number of the table's first row.
        shard_name: names rows that have no id column: ``shard_name#row``.
    """
    count = table.num_rows
    nothing: list[Cell] = [None] * count

    def cells(path: ColumnPath | None) -> Sequence[Cell]:
        return nothing if path is None else read_texts(table, path)

    ids, problems = cells(columns.id), cells(columns.problem)
    truths, responses = cells(columns.ground_truth), cells(columns.response)
    plain, tagged = cells(columns.reasoning), cells(columns.tagged)
    messages = read_objects(table, columns.messages.path) if columns.messages else nothing

    bad_lines = _bad_lines(table, file, first_row)
    found: list[Trace | RowFault] = []
    for index in range(count):
        row = first_row + index
        if index in bad_lines:
            found.append(bad_lines[index])
            continue
        trace_id = f"{shard_name}#{row}" if columns.id is None else None
        try:
            if columns.id is not None:
                trace_id = _id(ids[index], columns.id)
            turn: str | None = None
            response: str | None = None
            if columns.reasoning is not None:
                reasoning = _reasoning(plain[index], columns.reasoning)
            else:
                if columns.tagged is not None:
                    reply = split_thinking(_reasoning(tagged[index], columns.tagged), columns)
                else:
                    assert columns.messages is not None
                    turn, reply = last_reply(messages[index], columns.messages, columns)
                reasoning, response = reply.reasoning, reply.response
                if not reasoning or reasoning.isspace():
                    raise RejectedRow(Cause.EMPTY_REASONING, "the thinking block is empty")
            found.append(
                Trace(
                    trace_id=trace_id or "",
                    problem=_text(problems[index], columns.problem) or turn or "",
                    reasoning=reasoning,
                    ground_truth=_filled(_text(truths[index], columns.ground_truth)),
                    response=_filled(_text(responses[index], columns.response)) or _filled(response),
                )
            )
        except RejectedRow as reject:
            stage = Stage.READ if reject.cause is Cause.INVALID_UTF8 else Stage.MAP
            found.append(RowFault(file, row, trace_id, stage, reject.cause, reject.message))
    return found


def _bad_lines(table: pa.Table, file: str, first_row: int) -> dict[int, RowFault]:
    """The rows that are lines which could not be read, by index."""
    if BAD_LINES not in table.column_names:
        return {}
    column = table.column(BAD_LINES)
    if column.null_count == len(column):
        return {}
    return {
        index: RowFault(
            file,
            first_row + index,
            None,
            Stage.READ,
            Cause.BAD_LINE,
            f"line {found['line']}: {found['reason']}",
            found["text"],
        )
        for index, found in enumerate(column.to_pylist())
        if found is not None
    }


def _id(cell: Cell, path: ColumnPath) -> str:
    text = _text(cell, path)
    if not text or text.isspace():
        raise RejectedRow(
            Cause.NULL_ID, f"column {path.text} (the id) is {'null' if text is None else 'empty'}"
        )
    return text


def _reasoning(cell: Cell, path: ColumnPath) -> str:
    text = _text(cell, path)
    if text is None:
        raise RejectedRow(Cause.NULL_REASONING, f"column {path.text} (the reasoning) is null")
    if not text or text.isspace():
        raise RejectedRow(Cause.EMPTY_REASONING, f"column {path.text} (the reasoning) is empty")
    return text


def _text(cell: Cell, path: ColumnPath | None) -> str | None:
    if isinstance(cell, BadCell):
        raise RejectedRow(Cause.INVALID_UTF8, f"column {path.text if path else ''}: {cell.message}")
    return cell


def _filled(text: str | None) -> str | None:
    return text if text and not text.isspace() else None
