"""The home of a trace: what its row needs to become `messages` again, and how it does.

A conversation comes back as it was stored, with its thinking replaced. A row without one becomes a chat of
system prompt, problem and reply.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.inputs.cells import is_list
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.conversations.turns import content_text
from dlcot_ray.inputs.conversations.writing import (
    Place,
    content_like,
    text_with,
    with_question,
    with_system,
    written_back,
)

MESSAGE_TYPE = pa.struct(
    [pa.field("role", pa.string(), nullable=False), pa.field("content", pa.large_string(), nullable=False)]
)
MESSAGES = pa.list_(pa.field("item", MESSAGE_TYPE, nullable=False))
"""Chat messages of a layout that has no conversation of its own."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the thinking of a trace lies.

    Attributes:
        place: the thinking in the conversation or in `reply`; None where it is a column of its own.
        has_reply: something follows the thinking: visible text, or a call of a tool.
        system: a system prompt outside the conversation.
        turns: the conversation as it is stored; None where there is none.
        turn, stop: the turns of the reply in the conversation.
        keys: the names of role and content in a turn.
        prompt: turns before the reply, where the problem is such a list; else None.
        problem: the text of the user's turn; empty where the conversation has one.
        reply: the whole reply with its tags; None where thinking and response are columns of their own.
        response: the visible reply.
    """

    place: Place | None = None
    has_reply: bool = True
    system: str | None = None
    turns: Any = None
    turn: int = 0
    stop: int = 1
    keys: tuple[str, str] = ("role", "content")
    prompt: Sequence[Any] | None = None
    problem: str = ""
    reply: str | None = None
    response: str | None = None


def messages_type(columns: ColumnMap) -> pa.DataType:
    """The Arrow type of `messages` for a layout: that of its own conversation, if it has one."""
    if columns.messages is None:
        return columns.prompt.kind if columns.prompt is not None else MESSAGES
    kind, before = columns.messages.kind, columns.prompt
    if before is None or columns.messages.is_json or before.is_json or before.kind == kind:
        return kind
    fields = {field.name: field for field in (*kind.value_type, *before.kind.value_type)}
    return pa.list_(pa.struct([pa.field(field.name, field.type) for field in fields.values()]))


def turns_type(columns: ColumnMap) -> pa.DataType:
    """The same as a list of turns, for pairs; of JSON text only roles and contents stay."""
    kind = messages_type(columns)
    return kind if is_list(kind) else MESSAGES


def messages_of(homes: Sequence[tuple[Home, str]], answer: str | None = None) -> Any:
    """The messages of a row; None if they would end without a visible reply, or begin without a question.

    Args:
        homes: the traces of one row that share a conversation, each with its new thinking. Without a
            conversation there is one.
        answer: the known final answer, from which a missing reply is built.
    """
    last, reasoning = homes[-1]
    if last.turns is None:
        return _chat(last, reasoning, answer)
    if not last.has_reply:
        return None
    cell = written_back(last.turns, {home.place: text for home, text in homes if home.place is not None})
    if last.problem:
        cell = with_question(cell, last.keys, last.problem)
    return cell if last.system is None else with_system(cell, last.keys, last.system)


def pair_of(
    home: Home, reasoning: str, other: str, answer: str | None = None
) -> tuple[list[Any], list[Any], list[Any]] | None:
    """Prompt, reply with one thinking, and reply with the other, as lists of turns.

    None if there is no visible reply, and no `answer` to build one from. Turns of JSON text become lists.
    """
    found = [messages_of([(home, text)], answer) for text in (reasoning, other)]
    if found[0] is None:
        return None
    one, two = (_listed(cell, home.keys) for cell in found)
    if home.turns is None:
        return one[:-1], one[-1:], two[-1:]
    own = _listed(home.turns, home.keys)
    shift = len(one) - len(own)
    start, stop = home.turn + shift, home.stop + shift
    return one[:start], one[start:stop], two[start:stop]


def _listed(cell: Any, keys: tuple[str, str]) -> list[Any]:
    """A conversation as a list of turns; those of JSON text with role and content alone."""
    if not isinstance(cell, str | bytes):
        return list(cell)
    role, content = keys
    turns = [turn for turn in json.loads(cell) if turn is not None]
    return [{"role": str(turn.get(role)), "content": content_text(turn.get(content)) or ""} for turn in turns]


def _chat(home: Home, reasoning: str, answer: str | None) -> list[dict[str, Any]] | None:
    content = _reply(home, reasoning, answer)
    if content is None:
        return None
    role, text = home.keys
    if home.prompt is None and not any(char.isalnum() for char in home.problem):
        # A question that is missing, or a placeholder for it such as "-", is nothing to learn a reply to.
        return None
    before = list(home.prompt) if home.prompt is not None else [{role: "user", text: home.problem}]
    turns = [*before, {role: "assistant", text: content_like(before, text, content)}]
    return turns if home.system is None else with_system(turns, home.keys, home.system)


def _without_blank_lines(text: str) -> str:
    """A text without the blank lines in front; it may begin with indented code."""
    first = len(text) - len(text.lstrip())
    return text[text.rfind("\n", 0, first) + 1 :] if text.strip() else ""


def _reply(home: Home, reasoning: str, answer: str | None) -> str | None:
    """The content of the assistant's turn; None if nothing visible would follow the thinking."""
    visible = _without_blank_lines(home.response or "")
    if not home.has_reply:
        if answer is None:
            return None
        visible = f"The final answer is {answer}."
    if home.reply is not None and home.place is not None:
        whole = text_with(home.reply, home.place, reasoning)
        return f"{whole.rstrip()}\n\n{visible}" if visible else whole
    inside = f"\n{reasoning.strip()}\n" if reasoning.strip() else "\n\n"
    return f"<think>{inside}</think>\n\n{visible}"
