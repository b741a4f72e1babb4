"""From rows to traces: every row becomes one or several items, in order, so that no row is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.inputs.building import (
    Built,
    conversation_in,
    from_column,
    from_conversation,
    from_reply,
    refuse_markup,
)
from dlcot_ray.inputs.cells import BadCell, Cell, ColumnPath, read_objects, read_parts, read_texts
from dlcot_ray.inputs.choices import Turns
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.conversations.homes import Home
from dlcot_ray.inputs.conversations.thoughts import question_before
from dlcot_ray.inputs.conversations.turns import RejectedRow, conversation_of
from dlcot_ray.inputs.generations import choose, merged_flags
from dlcot_ray.inputs.items import Item, Slot
from dlcot_ray.inputs.message_columns import MessageColumn
from dlcot_ray.inputs.readers.protocol import BAD_LINES
from dlcot_ray.inputs.replies.splitting import Refusal
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
    prompts: Sequence[Any]
    systems: Sequence[Cell]
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

    def objects(column: MessageColumn | None) -> Sequence[Any]:
        if column is None:
            return [None] * table.num_rows
        return read_texts(table, column.path) if column.is_json else read_objects(table, column.path)

    return _Cells(
        ids=single(columns.id),
        problems=single(columns.problem),
        contexts=single(columns.context),
        truths=parts(columns.ground_truth),
        responses=parts(columns.response),
        replies=parts(columns.traces),
        messages=objects(columns.messages),
        prompts=objects(columns.prompt),
        systems=single(columns.system),
        flags=[parts(path) for path in columns.correctness],
    )


def _items(row: _Row) -> list[Item]:
    """The items of one row."""
    name = None
    try:
        name = _row_id(row)
        if row.columns.messages is not None:
            return _items_of_conversation(row, name)
        replies = row.cells.replies[row.index]
        count = len(replies)
        slots = [Slot(row.index, k, count) for k in range(count) if count == 1 or replies[k] is not None]
        if not slots:
            raise RejectedRow(Cause.NULL_REASONING, f"{_traces_name(row.columns)} has no elements")
    except RejectedRow as reject:
        slot = Slot(row.index)
        return [Item(slot, row.fault(slot, name, reject))]
    items = [_item(row, slot, name, None) for slot in slots]
    if not row.columns.is_many:
        return items
    flags = merged_flags([column[row.index] for column in row.cells.flags], count)
    return choose(items, row.columns.choices.generations, [flags[slot.part] for slot in slots])


def _items_of_conversation(row: _Row, row_id: str) -> list[Item]:
    columns, cells = row.columns, row.cells
    own = cells.messages[row.index]
    conversation = conversation_in((own, cells.prompts[row.index]), columns)
    whole = own if isinstance(own, str | bytes) else conversation.turns
    system = _filled(_text(cells.systems[row.index], columns.system))
    question = _own_problem(row)
    built = from_conversation(conversation, whole, system, question, columns)
    slots = [Slot(row.index, part, len(built)) for part in range(len(built))]
    return [_item(row, slot, row_id, part) for slot, part in zip(slots, built, strict=True)]


def _traces_name(columns: ColumnMap) -> str:
    path = columns.traces or (columns.messages.path if columns.messages else None)
    return f"column {path.text if path else ''} (the reasoning)"


def _row_id(row: _Row) -> str:
    """The id of a row; that of its place where it has none."""
    path = row.columns.id
    own = None if path is None else _filled(_text(row.cells.ids[row.index], path))
    return own or f"{row.shard_name}#{row.number}"


def _item(row: _Row, slot: Slot, row_id: str, built: Built | Refusal | None) -> Item:
    """One item; `built` comes from a conversation."""
    trace_id = slot.id_of(row_id)
    try:
        if isinstance(built, Refusal):
            raise RejectedRow(built.cause, built.message)
        found = built or _from_cells(row, slot)
        problem = _problem(row, found)
        if built is None:
            texts = {"problem": problem, "thinking": found.reasoning, "response": found.response}
            refuse_markup(texts, row.columns)
        return Item(slot, _trace(row, slot, trace_id, problem, found), _home(row, found, problem))
    except RejectedRow as reject:
        return Item(slot, row.fault(slot, trace_id, reject))


def _from_cells(row: _Row, slot: Slot) -> Built:
    columns, cells = row.columns, row.cells
    response = _response(row, slot)
    cell = cells.replies[row.index][slot.part]
    if columns.reasoning is not None:
        return from_column(_reasoning(cell, columns.reasoning), response, columns)
    assert columns.tagged is not None
    return from_reply(_reasoning(cell, columns.tagged), response, columns)


def _problem(row: _Row, built: Built) -> str:
    columns, cells = row.columns, row.cells
    if columns.choices.turns is Turns.ALL and built.problem:
        return built.problem
    own = _own_problem(row)
    if own is None and columns.messages is None and columns.prompt is not None:
        turns = conversation_of(cells.prompts[row.index], columns.prompt)
        own = question_before(turns, len(turns.turns))
    return own or built.problem or ""


def _home(row: _Row, built: Built, problem: str) -> Home:
    """The home of a trace; without a conversation, with all that a chat is made of."""
    columns, cells, index = row.columns, row.cells, row.index
    if columns.messages is not None:
        return built.home
    system = _filled(_text(cells.systems[index], columns.system))
    if columns.prompt is None:
        return replace(built.home, system=system, problem=problem)
    prompt = conversation_of(cells.prompts[index], columns.prompt)
    return replace(built.home, system=system, prompt=prompt.turns, keys=(prompt.role, prompt.content))


def _trace(row: _Row, slot: Slot, trace_id: str, problem: str, built: Built) -> Trace:
    columns, cells, index = row.columns, row.cells, row.index
    truths = _truths(cells.truths[index], columns.ground_truth, slot) if built.is_final else ()
    return Trace(
        trace_id=trace_id,
        problem=problem,
        reasoning=built.reasoning,
        ground_truth=truths[0] if truths else None,
        other_truths=truths[1:],
        response=_filled(_response(row, slot)) or _filled(built.response),
    )


def _own_problem(row: _Row) -> str | None:
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


def _response(row: _Row, slot: Slot) -> str | None:
    """The visible reply of a part; one reply beside several traces belongs to none of them for certain."""
    path = row.columns.response
    filled = sum(cell is not None for cell in row.cells.replies[row.index])
    if path is not None and not path.is_many and filled > 1:
        return None
    return _part(row.cells.responses[row.index], path, slot)


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
