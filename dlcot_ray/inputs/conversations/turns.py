"""The turns of a conversation, however a data set stores them.

A conversation is a list of structs, or the same as JSON text. The content of a turn is text, or a list of
parts (``{"type": "text", "text": ...}``). Roles and fields have the names that the preset lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.errors import Cause
from dlcot_ray.inputs.cells import BadCell
from dlcot_ray.inputs.message_columns import MessageColumn

ASSISTANTS = ("assistant", "gpt", "model", "chatgpt", "bot", "ai", "function_call", "tool_call", "tool_calls")
"""Roles of the assistant's turns; calls of tools are among them (ShareGPT as LLaMA-Factory reads it)."""
USERS = ("user", "human", "prompter", "person", "questioner", "customer")
SYSTEMS = ("system", "developer")
THINKERS = ("thinking", "reasoning", "thought")
BLOCKS = ("reasoning_details", "thinking_blocks")
"""Fields that hold thinking in blocks (OpenRouter, LiteLLM), read where no text field has it."""
_PART_TEXTS = ("text", "content", "value")

Turn = Mapping[str, Any]


class RejectedRow(Exception):
    """A row that is not a trace; `traces_of` turns it into a `RowFault`."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns of a row.

    Attributes:
        turns: the turns as they are stored, None for an empty place.
        role, content: the keys of a turn.
        reasoning: keys that hold thinking apart from the content.
        users, assistants: names of the roles, in lower case.
    """

    turns: Sequence[Turn | None]
    role: str
    content: str
    reasoning: tuple[str, ...]
    users: tuple[str, ...]
    assistants: tuple[str, ...]

    def role_of(self, at: int) -> str:
        """The role of a turn; empty for an empty place."""
        turn = self.turns[at]
        return str(turn.get(self.role) or "") if turn is not None else ""

    def is_user(self, at: int) -> bool:
        """Whether a turn is the user's."""
        return self.role_of(at).lower() in self.users

    def is_assistant(self, at: int) -> bool:
        """Whether a turn is the assistant's, its thinking included."""
        return self.role_of(at).lower() in (*self.assistants, *THINKERS)

    def is_thinking(self, at: int) -> bool:
        """Whether the whole turn is thinking: an analysis channel, or a role of its own."""
        turn = self.turns[at]
        channel = turn.get("channel") if turn is not None else None
        return self.is_assistant(at) and (self.role_of(at).lower() in THINKERS or channel == "analysis")

    def text_of(self, at: int) -> str | None:
        """The content of a turn as text; None if it has none.

        Raises:
            RejectedRow: it is no UTF-8.
        """
        turn = self.turns[at]
        return content_text(turn.get(self.content)) if turn is not None else None


def conversation_of(cell: Any, column: MessageColumn) -> Conversation:
    """The turns of a cell.

    Raises:
        RejectedRow: it is null, empty, no UTF-8 or no conversation.
    """
    name = column.path.text
    if isinstance(cell, BadCell):
        raise RejectedRow(Cause.INVALID_UTF8, f"column {name}: {cell.message}")
    turns = _parsed(cell, name) if column.is_json and cell else cell
    if not turns:
        raise RejectedRow(Cause.NULL_MESSAGES, f"column {name} is {'null' if turns is None else 'empty'}")
    if not all(turn is None or isinstance(turn, dict) for turn in turns):
        raise RejectedRow(Cause.WRONG_TYPE, f"column {name} is no list of messages")
    known = {key for turn in turns if turn is not None for key in turn}
    role = next((key for key in column.roles if key in known), column.role)
    content = next((key for key in column.contents if key in known), column.content)
    return Conversation(
        turns,
        role,
        content,
        column.reasoning,
        _lowered((*column.user, *USERS)),
        _lowered((*column.assistant, *ASSISTANTS)),
    )


def _lowered(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.lower() for name in names))


def content_text(content: Any) -> str | None:
    """The text of a content: itself, or that of its parts; None if there is none.

    Raises:
        RejectedRow: it is no UTF-8.
    """
    if isinstance(content, list):
        texts = [text for _, text in part_texts(content)]
        return "".join(texts) if texts else None
    return as_text(content)


def part_texts(parts: Sequence[Any]) -> Iterator[tuple[int, str]]:
    """The parts of visible text, each with its place; thinking, images and the like are left out."""
    for at, part in enumerate(parts):
        if isinstance(part, str):
            yield at, part
        elif isinstance(part, dict) and thinking_path(part) is None:
            text = next((as_text(part[key]) for key in _PART_TEXTS if part.get(key) is not None), None)
            if text is not None:
                yield at, text


def text_key(part: Mapping[str, Any]) -> str:
    """The key that holds the text of a part."""
    return next((key for key in _PART_TEXTS if part.get(key) is not None), _PART_TEXTS[0])


def thinking_path(part: Mapping[str, Any]) -> tuple[str | int, ...] | None:
    """Where a part holds thinking; None for a part that does not."""
    for key in THINKERS:
        inside = part.get(key)
        if isinstance(inside, str):
            return (key,)
        if isinstance(inside, list) and len(inside) == 1 and isinstance(inside[0], dict):
            return (key, 0, text_key(inside[0]))
    if part.get("type") in THINKERS or part.get("thought") is True:
        return (text_key(part),)
    return None


def thinking_blocks(turn: Turn) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The filled blocks of thinking beside the content of a turn, each with its path."""
    for key in BLOCKS:
        blocks = turn.get(key)
        for at, block in enumerate(blocks if isinstance(blocks, list) else ()):
            if isinstance(block, dict):
                path = thinking_path(block) or (text_key(block),)
                text = as_text(value_at(block, path))
                if text is not None and text.strip():
                    yield (key, at, *path), text


def value_at(value: Any, path: Sequence[str | int]) -> Any:
    """What stands at a path of keys and indices; None where a key is missing."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def as_text(value: Any) -> str | None:
    """A value as text.

    Raises:
        RejectedRow: it is no UTF-8.
    """
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RejectedRow(Cause.INVALID_UTF8, f"a message is no UTF-8: {error.reason}") from error
    return None if value is None else str(value)


def _parsed(cell: Any, name: str) -> Any:
    try:
        turns = json.loads(cell)
    except (ValueError, TypeError, RecursionError) as error:
        raise RejectedRow(Cause.WRONG_TYPE, f"column {name} holds text that is no JSON ({error})") from error
    if not isinstance(turns, list):
        raise RejectedRow(Cause.WRONG_TYPE, f"column {name} is no list of messages")
    return turns
