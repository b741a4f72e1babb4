"""Finds the columns of a dataset preset in the schema of a file.

This happens once per schema. So a missing column is one clear line about the file, and not one fault per row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from dlcot_ray.core.markup import Delimiters
from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.cells import (
    CellKind,
    ColumnPath,
    describe,
    find_path,
    is_list,
    kind_of,
    matched_names,
    short_type,
)
from dlcot_ray.inputs.choices import DEFAULT_CHOICES, Choices
from dlcot_ray.inputs.message_columns import MessageColumn, message_column
from dlcot_ray.inputs.presets import DatasetPreset, MessageKeys
from dlcot_ray.inputs.readers.protocol import BAD_LINES


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """A preset resolved against one schema. Exactly one of reasoning, tagged and messages is set.

    `correctness` are lists of flags, parallel to the parts of `reasoning` or `tagged`. `prompt` are turns
    before the reply or before `messages`; `system` is a system prompt outside the conversation.
    """

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
    correctness: tuple[ColumnPath, ...] = ()
    choices: Choices = DEFAULT_CHOICES
    context: ColumnPath | None = None
    prompt: MessageColumn | None = None
    system: ColumnPath | None = None

    @property
    def traces(self) -> ColumnPath | None:
        """The path that gives the traces of a row; None where they come from messages."""
        return self.reasoning or self.tagged

    @property
    def is_many(self) -> bool:
        """Whether a row may hold several traces in a list or in several columns."""
        return self.traces is not None and self.traces.is_many


def resolve_columns(preset: DatasetPreset, schema: pa.Schema, file: str) -> ColumnMap:
    """Find the preset's columns in a file.

    Raises:
        InputFault: a required column is missing or a column has a type that cannot be read; says what
            the file has instead.
    """
    doubled = sorted({name for name in schema.names if schema.names.count(name) > 1})
    if doubled:
        raise InputFault(file, f"it has several columns called {', '.join(doubled)}", "rename them")
    decided = next(filter(None, map(preset.decision, layout_keys(schema))), None) if preset.decided else None
    if decided is not None:
        if decided.preset is None:
            raise InputFault(file, decided.refusal, decided.remedy)
        return _resolve(decided.preset, schema, file)
    if not preset.order:
        return _resolve(preset, schema, file)
    near_miss: InputFault | None = None
    for candidate in preset.order:
        if not candidate.is_detected(schema):
            continue
        try:
            return _resolve(candidate, schema, file)
        except NoFlags:
            raise
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


_OF_ONE_VALUE = ("id", "problem", "context")
"""Fields of which a row has one value, however many traces it has."""


class _WrongType(InputFault):
    """A column of the right name has a type that cannot be read."""


class NoFlags(InputFault):
    """The choice of generations cannot be made; another preset would silently make another one."""


def used_columns(columns: ColumnMap) -> frozenset[str]:
    """The columns of the file that serve as something."""
    turns = (item.path for item in (columns.messages, columns.prompt) if item is not None)
    fields = (
        columns.id, columns.problem, columns.context, columns.reasoning, columns.tagged,
        columns.ground_truth, columns.response, columns.system,
    )  # fmt: skip
    paths = (*turns, *columns.correctness, *(path for path in fields if path is not None))
    return frozenset(name for path in paths for name in path.columns)


def layout_key(schema: pa.Schema) -> str:
    """The names of the columns, and which of them are lists, structs or numbers.

    Files whose columns differ only in their order, or in how text or numbers are stored, are of one layout.
    """
    fields = (field for field in schema if field.name != BAD_LINES)
    return ",".join(sorted(f"{field.name}{_mark(field.type)}" for field in fields))


def inner_key(schema: pa.Schema) -> str:
    """The same with the names of all fields inside lists and structs."""
    fields = (field for field in schema if field.name != BAD_LINES)
    return ";".join(sorted(_spelled(field) for field in fields))


def layout_keys(schema: pa.Schema) -> tuple[str, str]:
    """The keys under which the layout of a file may be decided, the closer one first."""
    return inner_key(schema), layout_key(schema)


def reads(preset: DatasetPreset, schema: pa.Schema) -> bool:
    """Whether a preset finds its columns in a file."""
    try:
        resolve_columns(replace(preset, decided=()), schema, "")
    except InputFault:
        return False
    return True


def _spelled(field: pa.Field) -> str:
    kind = field.type.value_type if is_list(field.type) else field.type
    inside = ",".join(sorted(map(_spelled, kind))) if pa.types.is_struct(kind) else ""
    return f"{field.name}{_mark(field.type)}({inside})"


def _mark(kind: pa.DataType) -> str:
    if is_list(kind):
        return "[]"
    if pa.types.is_struct(kind):
        return "{}"
    return "#" if kind_of(kind) in (CellKind.INTEGER, CellKind.NUMBER) else ""


def _resolve(preset: DatasetPreset, schema: pa.Schema, file: str) -> ColumnMap:
    used: set[str] = set()

    def first(names: Sequence[str], field: str, allowed: tuple[CellKind, ...]) -> ColumnPath | None:
        for name in names:
            found = find_path(schema, name)
            if found is None or name in used:
                continue
            path, kind = found
            if field == "ground truth" and is_list(kind):
                path, kind = replace(path, within=()), kind.value_type
            if kind_of(kind) not in allowed:
                wanted = " or ".join(dict.fromkeys(kind.value for kind in allowed))
                raise _WrongType(
                    file,
                    f"column {name} ({field}) is {short_type(kind)}, expected {wanted}",
                    "convert the column, or name another one in a dataset preset",
                )
            if path.is_many and field in _OF_ONE_VALUE:
                raise _WrongType(
                    file,
                    f"column {name} ({field}) gives several values for a row, expected one",
                    f"name one of them, such as {name.replace('[]', '.*').replace('*', '0')}",
                )
            used.add(name)
            return path
        return None

    text, number = (CellKind.TEXT,), (CellKind.TEXT, CellKind.INTEGER, CellKind.NUMBER)
    reasoning = first(preset.reasoning, "reasoning", text)
    tagged = None if reasoning else first(preset.tagged, "tagged", text)
    messages = None
    prompt = None
    if reasoning is None and tagged is None and preset.messages is not None:
        messages = _messages(preset.messages, preset.messages.columns, schema, file)
        prompt = _messages(preset.messages, preset.messages.prompt, schema, file)
    if reasoning is None and tagged is None and messages is None:
        wanted = [*preset.reasoning, *preset.tagged, *(preset.messages.columns if preset.messages else ())]
        raise _missing(preset, "reasoning", wanted, schema, file)
    if messages is None:
        prompt = _prompt(preset, schema, file)
    problem = None if prompt is not None else first(preset.problem, "problem", text)
    context = first(preset.context, "context", text)
    if problem is None and messages is None and prompt is None and preset.problem:
        raise _missing(preset, "problem", preset.problem, schema, file)
    identity = first(preset.id, "id", number)
    ground_truth = first(preset.ground_truth, "ground truth", number)
    response = first(preset.response, "response", text)
    traces = reasoning or tagged
    correctness = _flags(preset, schema, file) if traces is not None and traces.is_many else ()
    return ColumnMap(
        preset=preset.name,
        id=identity,
        problem=problem,
        reasoning=reasoning,
        tagged=tagged,
        messages=messages,
        ground_truth=_parallel(ground_truth, traces, schema),
        response=_parallel(response, traces, schema),
        thinking=preset.thinking,
        solution=preset.solution,
        correctness=correctness,
        choices=preset.choices,
        context=context,
        prompt=prompt,
        system=_system(preset, schema),
    )


def _parallel(path: ColumnPath | None, traces: ColumnPath | None, schema: pa.Schema) -> ColumnPath | None:
    """A pattern of columns in the order of the traces: ``b_reply`` belongs to ``b_trace``."""
    if path is None or traces is None or not (path.parts and traces.parts):
        return path
    mine = dict(zip(matched_names(schema, path.text), path.parts, strict=True))
    return replace(path, parts=tuple(mine.get(star) for star in matched_names(schema, traces.text)))


def _flags(preset: DatasetPreset, schema: pa.Schema, file: str) -> tuple[ColumnPath, ...]:
    """The columns of correctness flags.

    Raises:
        NoFlags: the choice of generations needs flags, and the file has none.
    """
    found = [find_path(schema, f"{name}.*") or find_path(schema, name) for name in preset.correctness]
    flags = tuple(place[0] for place in found if place is not None)
    if preset.choices.generations.needs_flags and not flags:
        looked = f" (looked for {', '.join(preset.correctness)})" if preset.correctness else ""
        raise NoFlags(
            file,
            f"generations={preset.choices.generations} needs correctness flags, and it has none{looked}",
            "set generations=all or first, or name the column under correctness: in a dataset preset",
        )
    return flags


def _messages(keys: MessageKeys, names: Sequence[str], schema: pa.Schema, file: str) -> MessageColumn | None:
    for name in names:
        found = find_path(schema, name)
        if found is None:
            continue
        path, kind = found
        if keys.prompt and not is_list(kind):
            # Prompt and completion as text are no conversation.
            continue
        column = message_column(keys, path, kind)
        if column is not None:
            return column
        raise _WrongType(
            file,
            f"column {name} (messages) is {short_type(kind)}, expected a list of structs with text fields "
            f"{' or '.join(keys.role)} and {' or '.join(keys.content)}, or the same as JSON text",
            "convert the column, or name its fields in a dataset preset",
        )
    return None


def _prompt(preset: DatasetPreset, schema: pa.Schema, file: str) -> MessageColumn | None:
    """The problem as a list of turns (verl, TRL); None where it is text."""
    for name in preset.problem:
        found = find_path(schema, name)
        if found is not None:
            path, kind = found
            keys = preset.messages or MessageKeys((name,))
            return message_column(keys, path, kind) if is_list(kind) else None
    return None


def _system(preset: DatasetPreset, schema: pa.Schema) -> ColumnPath | None:
    for name in preset.system:
        found = find_path(schema, name)
        if found is not None and kind_of(found[1]) is CellKind.TEXT and not found[0].is_many:
            return found[0]
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
