"""From rows to traces: no dataset layout leaks past this module.

A preset is resolved against a file's schema once (`resolve_columns`), so that a missing column is one
clear line about the file and not one fault per row; then every row becomes a `Trace` or a `RowFault`,
in order and one each (`traces_of`), so that nothing can be lost on the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, InputFault, RowFault, Stage
from dlcot_ray.inputs.cells import (
    BadCell,
    Cell,
    CellKind,
    ColumnPath,
    describe,
    find_path,
    is_list,
    kind_of,
    read_objects,
    read_texts,
    short_type,
)
from dlcot_ray.inputs.presets import DatasetPreset, MessageKeys, load_preset, preset_names
from dlcot_ray.inputs.thinking import Delimiters, Refusal, SplitReply, split_reply

__all__ = [
    "ColumnMap",
    "DatasetPreset",
    "MessageColumn",
    "load_preset",
    "preset_names",
    "resolve_columns",
    "traces_of",
]


@dataclass(frozen=True, slots=True)
class MessageColumn:
    """A column of chat messages, with the names of its struct's fields and roles."""

    path: ColumnPath
    role: str
    content: str
    reasoning: tuple[str, ...]
    user: tuple[str, ...]
    assistant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A preset resolved against one schema. Exactly one of reasoning, tagged and messages is set."""

    preset: str
    id: ColumnPath | None
    problem: ColumnPath | None
    reasoning: ColumnPath | None
    tagged: ColumnPath | None
    messages: MessageColumn | None
    ground_truth: ColumnPath | None
    response: ColumnPath | None
    thinking: tuple[Delimiters, ...]
    solution: tuple[Delimiters, ...]


def resolve_columns(preset: DatasetPreset, schema: pa.Schema, file: str) -> ColumnMap:
    """Find the preset's columns in a file.

    Raises:
        InputFault: a required column is missing or a column has a type that cannot be read; says what
            the file has instead.
    """
    doubled = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if doubled:
        raise InputFault(file, f"it has several columns called {', '.join(doubled)}", "rename them")
    if not preset.order:
        return _resolve(preset, schema, file)
    near_miss: InputFault | None = None
    for candidate in preset.order:
        if not _detected(candidate, schema):
            continue
        try:
            return _resolve(candidate, schema, file)
        except _WrongType as fault:
            near_miss = near_miss or fault
        except InputFault:
            continue
    if near_miss is not None:
        raise near_miss
    tried = ", ".join(candidate.name for candidate in preset.order)
    raise InputFault(
        file,
        f"its columns fit no dataset preset (tried {tried}); it has {describe(schema)}",
        "set dataset= to a preset, or to a YAML file that names the columns",
    )


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

    found: list[Trace | RowFault] = []
    for index in range(count):
        row = first_row + index
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
                    reply = _split(_reasoning(tagged[index], columns.tagged), columns)
                else:
                    assert columns.messages is not None
                    turn, reply = _from_messages(messages[index], columns.messages, columns)
                reasoning, response = reply.reasoning, reply.response
                if not reasoning or reasoning.isspace():
                    raise _Reject(Cause.EMPTY_REASONING, "the thinking block is empty")
            found.append(
                Trace(
                    trace_id=trace_id or "",
                    problem=_text(problems[index], columns.problem) or turn or "",
                    reasoning=reasoning,
                    ground_truth=_filled(_text(truths[index], columns.ground_truth)),
                    response=_filled(_text(responses[index], columns.response)) or _filled(response),
                )
            )
        except _Reject as reject:
            stage = Stage.READ if reject.cause is Cause.INVALID_UTF8 else Stage.MAP
            found.append(RowFault(file, row, trace_id, stage, reject.cause, reject.message))
    return found


class _WrongType(InputFault):
    """A column of the right name has a type that cannot be read."""


class _Reject(Exception):
    """A row that is no trace; never leaves this module."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


def _detected(preset: DatasetPreset, schema: pa.Schema) -> bool:
    present = set(schema.names)
    return present.issuperset(preset.detect) and (
        not preset.detect_any or not present.isdisjoint(preset.detect_any)
    )


def _resolve(preset: DatasetPreset, schema: pa.Schema, file: str) -> ColumnMap:
    used: set[str] = set()

    def first(names: Sequence[str], field: str, allowed: tuple[CellKind, ...]) -> ColumnPath | None:
        for name in names:
            found = find_path(schema, name)
            if found is None or name in used:
                continue
            path, kind = found
            if kind_of(kind) not in allowed:
                wanted = " or ".join(dict.fromkeys(kind.value for kind in allowed))
                raise _WrongType(
                    file,
                    f"column {name} ({field}) is {short_type(kind)}, expected {wanted}",
                    "convert the column, or name another one in a dataset preset",
                )
            used.add(name)
            return path
        return None

    text, number = (CellKind.TEXT,), (CellKind.TEXT, CellKind.INTEGER, CellKind.NUMBER)
    reasoning = first(preset.reasoning, "reasoning", text)
    tagged = None if reasoning else first(preset.tagged, "tagged", text)
    messages = None
    if reasoning is None and tagged is None and preset.messages is not None:
        messages = _messages(preset.messages, schema, file)
    if reasoning is None and tagged is None and messages is None:
        wanted = [*preset.reasoning, *preset.tagged, *(preset.messages.columns if preset.messages else ())]
        raise _missing(preset, "reasoning", wanted, schema, file)
    problem = first(preset.problem, "problem", text)
    if problem is None and messages is None and preset.problem:
        raise _missing(preset, "problem", preset.problem, schema, file)
    identity = first(preset.id, "id", (CellKind.TEXT, CellKind.INTEGER))
    ground_truth = first(preset.ground_truth, "ground truth", number)
    response = first(preset.response, "response", text)
    return ColumnMap(
        preset=preset.name,
        id=identity,
        problem=problem,
        reasoning=reasoning,
        tagged=tagged,
        messages=messages,
        ground_truth=ground_truth,
        response=response,
        thinking=preset.thinking,
        solution=preset.solution,
    )


def _messages(keys: MessageKeys, schema: pa.Schema, file: str) -> MessageColumn | None:
    for name in keys.columns:
        found = find_path(schema, name)
        if found is None:
            continue
        path, kind = found
        item = kind.value_type if is_list(kind) else None
        if item is not None and pa.types.is_struct(item):
            texts = [field.name for field in item if kind_of(field.type) is CellKind.TEXT]
            role = next((key for key in keys.role if key in texts), None)
            content = next((key for key in keys.content if key in texts), None)
            if role and content:
                reasoning = tuple(key for key in keys.reasoning if key in texts)
                return MessageColumn(path, role, content, reasoning, keys.user, keys.assistant)
        raise _WrongType(
            file,
            f"column {name} (messages) is {short_type(kind)}, expected a list of structs with text fields "
            f"{' or '.join(keys.role)} and {' or '.join(keys.content)}",
            "convert the column, or name its fields in a dataset preset",
        )
    return None


def _missing(
    preset: DatasetPreset, field: str, wanted: Sequence[str], schema: pa.Schema, file: str
) -> InputFault:
    return InputFault(
        file,
        f"no {field} column for dataset preset {preset.name} (looked for {', '.join(wanted)}); "
        f"it has {describe(schema)}",
        "set dataset= to another preset, or to a YAML file that names the columns",
    )


def _from_messages(value: Any, column: MessageColumn, columns: ColumnMap) -> tuple[str | None, SplitReply]:
    """The last assistant turn, and the user turn before it."""
    if isinstance(value, BadCell):
        raise _Reject(Cause.INVALID_UTF8, f"column {column.path.text}: {value.message}")
    if not value:
        raise _Reject(
            Cause.NULL_MESSAGES, f"column {column.path.text} is {'null' if value is None else 'empty'}"
        )
    turns = [turn for turn in value if turn is not None]
    roles = [_field(turn, column.role, column.path.text) for turn in turns]
    last = max((at for at, role in enumerate(roles) if role in column.assistant), default=None)
    if last is None:
        seen = ", ".join(dict.fromkeys(str(role) for role in roles))
        raise _Reject(
            Cause.NO_ASSISTANT, f"no message of role {' or '.join(column.assistant)} (found {seen})"
        )
    before = [at for at in range(last) if roles[at] in column.user]
    problem = _field(turns[before[-1]], column.content, column.path.text) if before else None
    content = _field(turns[last], column.content, column.path.text)
    for key in column.reasoning:
        thought = _field(turns[last], key, column.path.text)
        if thought is not None:
            return problem, SplitReply(thought, content)
    if content is None:
        raise _Reject(Cause.NULL_REASONING, "the last assistant message has no content")
    return problem, _split(content, columns)


def _field(turn: dict[str, Any], key: str, column: str) -> str | None:
    value = turn.get(key)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Reject(Cause.INVALID_UTF8, f"column {column}.{key}: {error.reason}") from error
    return None if value is None else str(value)


def _split(text: str, columns: ColumnMap) -> SplitReply:
    reply = split_reply(text, columns.thinking, columns.solution)
    if isinstance(reply, Refusal):
        raise _Reject(reply.cause, reply.message)
    return reply


def _id(cell: Cell, path: ColumnPath) -> str:
    text = _text(cell, path)
    if not text or text.isspace():
        raise _Reject(Cause.NULL_ID, f"column {path.text} (the id) is {'null' if text is None else 'empty'}")
    return text


def _reasoning(cell: Cell, path: ColumnPath) -> str:
    text = _text(cell, path)
    if text is None:
        raise _Reject(Cause.NULL_REASONING, f"column {path.text} (the reasoning) is null")
    if not text or text.isspace():
        raise _Reject(Cause.EMPTY_REASONING, f"column {path.text} (the reasoning) is empty")
    return text


def _text(cell: Cell, path: ColumnPath | None) -> str | None:
    if isinstance(cell, BadCell):
        raise _Reject(Cause.INVALID_UTF8, f"column {path.text if path else ''}: {cell.message}")
    return cell


def _filled(text: str | None) -> str | None:
    return text if text and not text.isspace() else None
