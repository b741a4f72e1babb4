"""Finds the assistant's last reply in a conversation, and splits a reply into thinking and answer."""

from __future__ import annotations

from typing import Any

from dlcot_ray.errors import Cause
from dlcot_ray.inputs.cells import BadCell
from dlcot_ray.inputs.columns import ColumnMap, MessageColumn
from dlcot_ray.inputs.thinking import Refusal, SplitReply, split_reply


class RejectedRow(Exception):
    """A row that is not a trace; `traces_of` turns it into a `RowFault`."""

    def __init__(self, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.cause = cause
        self.message = message


def last_reply(value: Any, column: MessageColumn, columns: ColumnMap) -> tuple[str | None, SplitReply]:
    """The last assistant turn, and the user turn before it."""
    if isinstance(value, BadCell):
        raise RejectedRow(Cause.INVALID_UTF8, f"column {column.path.text}: {value.message}")
    if not value:
        raise RejectedRow(
            Cause.NULL_MESSAGES, f"column {column.path.text} is {'null' if value is None else 'empty'}"
        )
    turns = [turn for turn in value if turn is not None]
    roles = [_field(turn, column.role, column.path.text) for turn in turns]
    last = max((at for at, role in enumerate(roles) if role in column.assistant), default=None)
    if last is None:
        seen = ", ".join(dict.fromkeys(str(role) for role in roles))
        raise RejectedRow(
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
        raise RejectedRow(Cause.NULL_REASONING, "the last assistant message has no content")
    return problem, split_thinking(content, columns)


def _field(turn: dict[str, Any], key: str, column: str) -> str | None:
    value = turn.get(key)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise RejectedRow(Cause.INVALID_UTF8, f"column {column}.{key}: {error.reason}") from error
    return None if value is None else str(value)


def split_thinking(text: str, columns: ColumnMap) -> SplitReply:
    """Thinking and answer of a reply, by the delimiters of the preset.

    Raises:
        RejectedRow: the reply cannot be split.
    """
    reply = split_reply(text, columns.thinking, columns.solution)
    if isinstance(reply, Refusal):
        raise RejectedRow(reply.cause, reply.message)
    return reply
