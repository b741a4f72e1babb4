"""From rows to traces: every row becomes one or several items, in order, so that no row is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.inputs.cells import BadCell, Cell, ColumnPath, read_objects, read_parts, read_texts
from dlcot_ray.inputs.choosing import choose, merged_flags
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.items import Item, Slot
from dlcot_ray.inputs.messages import RejectedRow, last_reply, split_thinking
from dlcot_ray.inputs.readers.protocol import BAD_LINES
from dlcot_ray.inputs.truths import truths_of

_NO_PART: Sequence[Cell] = (None,)


def traces_of(
    table: pa.Table, columns: ColumnMap, *, file: str, first_row: int, shard_name: str
) -> list[Item]:
    """The traces of every row, in order; a row without one has one fault. Never raises for a bad row.

    A row with several traces has one item for each, in order: a trace, a fault, or a generation that the
    settings did not choose.

    Args:
        table: consecutive rows of one file.
        columns: where its fields are.
        file: names the file in faults.
        first_row: the file's row number of the table's first row.
        shard_name: names rows that have no id column: ``shard_name#row``.
    """
    cells = _read(table, columns)
    bad_lines = _bad_lines(table, file, first_row)
    found: list[Item] = []
    for index in range(table.num_rows):
        if index in bad_lines:
            found.append(Item(Slot(index), bad_lines[index]))
            continue
        row = _Row(columns, cells, index, file, first_row + index, shard_name)
        found += _items(row)
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


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of a table by field: one per row, or a list of parts per row."""

    ids: Sequence[Cell]
    problems: Sequence[Cell]
    contexts: Sequence[Cell]
    truths: Sequence[Sequence[Cell]]
    responses: Sequence[Sequence[Cell]]
    replies: Sequence[Sequence[Cell]]
    messages: Sequence[Any]
    flags: Sequence[Sequence[Sequence[Cell]]]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row while it is read."""

    columns: ColumnMap
    cells: _Cells
    index: int
    file: str
    number: int
    shard_name: str

    def fault(self, slot: Slot, trace_id: str | None, reject: RejectedRow) -> RowFault:
        """What becomes of a part that is no trace."""
        stage = Stage.READ if reject.cause is Cause.INVALID_UTF8 else Stage.MAP
        return RowFault(self.file, self.number, trace_id, stage, reject.cause, reject.message, part=slot.part)


def _read(table: pa.Table, columns: ColumnMap) -> _Cells:
    def single(path: ColumnPath | None) -> Sequence[Cell]:
        return [None] * table.num_rows if path is None else read_texts(table, path)

    def parts(path: ColumnPath | None) -> Sequence[Sequence[Cell]]:
        return [_NO_PART] * table.num_rows if path is None else read_parts(table, path)

    messages = columns.messages
    return _Cells(
        ids=single(columns.id),
        problems=single(columns.problem),
        contexts=single(columns.context),
        truths=parts(columns.ground_truth),
        responses=parts(columns.response),
        replies=parts(columns.traces),
        messages=read_objects(table, messages.path) if messages else [None] * table.num_rows,
        flags=[parts(path) for path in columns.correctness],
    )


def _items(row: _Row) -> list[Item]:
    """The items of one row."""
    replies = row.cells.replies[row.index]
    count = len(replies)
    slots = [Slot(row.index, part, count) for part in range(count) if count == 1 or replies[part] is not None]
    name = None
    try:
        name = _row_id(row)
        if not slots:
            raise RejectedRow(Cause.NULL_REASONING, f"{_traces_name(row.columns)} has no elements")
    except RejectedRow as reject:
        slot = Slot(row.index)
        return [Item(slot, row.fault(slot, name, reject))]
    items = [_item(row, slot, name) for slot in slots]
    if not row.columns.is_many:
        return items
    flags = merged_flags([column[row.index] for column in row.cells.flags], count)
    return choose(items, row.columns.choices.generations, [flags[slot.part] for slot in slots])


def _traces_name(columns: ColumnMap) -> str:
    path = columns.traces or (columns.messages.path if columns.messages else None)
    return f"column {path.text if path else ''} (the reasoning)"


def _row_id(row: _Row) -> str:
    if row.columns.id is None:
        return f"{row.shard_name}#{row.number}"
    return _id(row.cells.ids[row.index], row.columns.id)


def _item(row: _Row, slot: Slot, row_id: str) -> Item:
    trace_id = slot.id_of(row_id)
    try:
        return Item(slot, _trace(row, slot, trace_id))
    except RejectedRow as reject:
        return Item(slot, row.fault(slot, trace_id, reject))


def _trace(row: _Row, slot: Slot, trace_id: str) -> Trace:
    columns, cells, index = row.columns, row.cells, row.index
    turn: str | None = None
    response: str | None = None
    if columns.reasoning is not None:
        reasoning = _reasoning(cells.replies[index][slot.part], columns.reasoning)
    else:
        if columns.tagged is not None:
            reply = split_thinking(_reasoning(cells.replies[index][slot.part], columns.tagged), columns)
        else:
            assert columns.messages is not None
            turn, reply = last_reply(cells.messages[index], columns.messages, columns)
        reasoning, response = reply.reasoning, reply.response
        if not reasoning or reasoning.isspace():
            raise RejectedRow(Cause.EMPTY_REASONING, "the thinking block is empty")
    truths = _truths(cells.truths[index], columns.ground_truth, slot)
    return Trace(
        trace_id=trace_id,
        problem=_problem(row) or turn or "",
        reasoning=reasoning,
        ground_truth=truths[0] if truths else None,
        other_truths=truths[1:],
        response=_filled(_part(cells.responses[index], columns.response, slot)) or _filled(response),
    )


def _problem(row: _Row) -> str | None:
    """The problem, with the text that belongs to it behind it."""
    cells, columns = row.cells, row.columns
    task = _text(cells.problems[row.index], columns.problem)
    context = _filled(_text(cells.contexts[row.index], columns.context))
    return f"{task}\n\n{context}" if _filled(task) and context else task or context


def _truths(cells: Sequence[Cell], path: ColumnPath | None, slot: Slot) -> tuple[str, ...]:
    """The ground truths of a part: every element of a list counts, and of several columns its own."""
    if path is not None and path.within is not None:
        return truths_of([_text(cell, path) for cell in cells])
    return truths_of([_part(cells, path, slot)])


def _part(cells: Sequence[Cell], path: ColumnPath | None, slot: Slot) -> str | None:
    """The cell of a part; a plain column serves every part of the row."""
    part = slot.part if path is not None and path.is_many else 0
    return _text(cells[part], path) if part < len(cells) else None


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
