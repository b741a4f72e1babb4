"""Finds columns of turns in a sample whose fields and roles may have unknown names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.inputs.cells import CellKind, find_path, is_list, kind_of, read_objects
from dlcot_ray.inputs.message_columns import CONTENTS, ROLES
from dlcot_ray.inputs.presets import MessageKeys
from dlcot_ray.inputs.words import ASSISTANTS, USERS, names_thinking

_MOST_ROLES = 8
_ROLE_NAMES = frozenset((*ROLES, "speaker", "author", "type"))


@dataclass(frozen=True, slots=True)
class TurnColumn:
    """A column of turns, at any depth of structs.

    Attributes:
        path: the column.
        role, content: its fields.
        users, assistants: the names of the two sides that occur; one side may be missing.
    """

    path: str
    role: str
    content: str
    users: tuple[str, ...]
    assistants: tuple[str, ...]

    def keys(self, *, prompt: tuple[str, ...] = ()) -> MessageKeys:
        """How a preset names it; `prompt` is a column with the turns before."""
        return MessageKeys(
            (self.path,),
            prompt,
            role=(self.role,),
            content=(self.content,),
            **({"user": self.users} if self.users else {}),
            **({"assistant": self.assistants} if self.assistants else {}),
        )


def turn_columns(table: pa.Table) -> list[TurnColumn]:
    """The columns of turns of some rows, in their order."""
    paths = [path for field in table.schema for path in _lists(field.name, field.type)]
    found = (_read(table, path) for path in paths)
    return [column for column in found if column is not None]


def names_role(kind: pa.DataType) -> bool:
    """Whether a struct has a field that may be a role: its texts are no generations."""
    return any(field.name in _ROLE_NAMES for field in kind)


def _lists(name: str, kind: pa.DataType) -> Iterator[str]:
    """The paths of lists of structs, below structs too."""
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _lists(f"{name}.{field.name}", field.type)
    elif is_list(kind) and pa.types.is_struct(kind.value_type):
        yield name


def _read(table: pa.Table, path: str) -> TurnColumn | None:
    found = find_path(table.schema, path)
    assert found is not None
    rows = read_objects(table, found[0])
    turns = [turn for row in rows if isinstance(row, list) for turn in row if turn]
    fields = list(found[1].value_type)
    texts = [field.name for field in fields if kind_of(field.type) is CellKind.TEXT]
    for role in texts:
        names = {str(turn[role]) for turn in turns if turn[role]}
        users, assistants = (
            tuple(sorted(name for name in names if name.lower() in side)) for side in (USERS, ASSISTANTS)
        )
        content = _content([field for field in fields if field.name != role], turns)
        if (users or assistants) and content and len(names) <= _MOST_ROLES:
            return TurnColumn(path, role, content, users, assistants)
    return None


def _content(fields: Sequence[pa.Field], turns: Sequence[Any]) -> str | None:
    """The field of the visible text: one of the usual names, or the one that holds most; never thinking."""
    for name in CONTENTS:
        for field in fields:
            if field.name == name and (is_list(field.type) or kind_of(field.type) is CellKind.TEXT):
                return name
    texts = [field.name for field in fields if kind_of(field.type) is CellKind.TEXT]
    lengths = {name: sum(len(str(turn[name])) for turn in turns if turn[name]) for name in texts}
    others = {name: length for name, length in lengths.items() if length and not names_thinking(name)}
    return max(others, key=lambda name: others[name], default=None)
