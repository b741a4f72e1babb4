"""Finds columns of chat messages in the schema of a file, and what their fields are called."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from dlcot_ray.inputs.cells import (
    CellKind,
    ColumnPath,
    is_list,
    kind_of,
)
from dlcot_ray.inputs.presets import MessageKeys

ROLES = ("role", "from")
CONTENTS = ("content", "value", "parts")
_REASONING = ("reasoning_content", "thinking", "reasoning")


@dataclass(frozen=True, slots=True)
class MessageColumn:
    """A column of chat messages, with the names of its fields and roles.

    Attributes:
        path: the column.
        kind: its Arrow type.
        role, content: the fields of a turn; the first candidates where the column is JSON text.
        roles, contents: all candidates.
        reasoning: fields that hold thinking apart from the content.
        user, assistant: names of the two sides.
        is_json: the cells are JSON text.
    """

    path: ColumnPath
    kind: pa.DataType
    role: str
    content: str
    roles: tuple[str, ...]
    contents: tuple[str, ...]
    reasoning: tuple[str, ...]
    user: tuple[str, ...]
    assistant: tuple[str, ...]
    is_json: bool = False


def message_column(keys: MessageKeys, path: ColumnPath, kind: pa.DataType) -> MessageColumn | None:
    """A column of chat messages; None if its type cannot hold them."""
    roles, contents = (
        tuple(dict.fromkeys(names)) for names in ((*keys.role, *ROLES), (*keys.content, *CONTENTS))
    )
    thinking = tuple(dict.fromkeys((*keys.reasoning, *_REASONING)))
    if kind_of(kind) is CellKind.TEXT:
        return MessageColumn(
            path,
            kind,
            roles[0],
            contents[0],
            roles,
            contents,
            thinking,
            keys.user,
            keys.assistant,
            is_json=True,
        )
    item = kind.value_type if is_list(kind) else None
    if item is None or not pa.types.is_struct(item):
        return None
    texts = [field.name for field in item if kind_of(field.type) is CellKind.TEXT]
    lists = [field.name for field in item if is_list(field.type)]
    role = next((key for key in roles if key in texts), None)
    content = next((key for key in contents if key in (*texts, *lists)), None)
    if role is None or content is None:
        return None
    reasoning = tuple(key for key in thinking if key in texts)
    return MessageColumn(path, kind, role, content, (role,), (content,), reasoning, keys.user, keys.assistant)
