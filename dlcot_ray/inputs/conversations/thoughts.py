"""Finds the thinking in the assistant's turns of a conversation.

Thinking is in a field of its own, in a part of the content, in a turn of its own (an analysis channel), or
between tags in the content.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.errors import Cause
from dlcot_ray.inputs.conversations.turns import (
    Conversation,
    Turn,
    as_text,
    content_text,
    part_texts,
    text_key,
    thinking_path,
)
from dlcot_ray.inputs.thinking import Delimiters, Refusal, split_reply

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Thought:
    """The thinking of one turn.

    Attributes:
        turn: place of the turn in the conversation.
        stop: place behind the reply that the thinking belongs to; it may take two turns.
        path: keys and indices from the turn to the text that holds the thinking.
        start, end: code points of the thinking in that text.
        reasoning: the thinking.
        response: the visible reply; None if there is none.
        visible: the texts of the turn that are neither thinking nor tags.
        acts: the turn calls tools, so that it needs no visible reply.
    """

    turn: int
    stop: int
    path: Path
    start: int
    end: int
    reasoning: str
    response: str | None
    visible: str
    acts: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    start: int
    end: int
    reasoning: str
    response: str | None
    visible: str


def thoughts_in(
    conversation: Conversation, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[Thought | Refusal]:
    """The thinking of every assistant's turn that has some, in order.

    A turn that cannot be split is a refusal. Turns without thinking are left out; if there is no other, the
    refusal of the last one is returned.

    Raises:
        RejectedRow: a text is no UTF-8.
    """
    found: list[Thought | Refusal] = []
    missing = Refusal(Cause.NO_THINKING, "the assistant's turns have no content")
    for at in range(len(conversation.turns)):
        if not conversation.is_assistant(at):
            continue
        item = _in_turn(conversation, at, thinking, solution)
        if isinstance(item, Refusal) and item.cause is not Cause.SEVERAL_THINKING:
            missing = item
        else:
            found.append(item)
    return found or [missing]


def last_assistant(conversation: Conversation) -> int | None:
    """The last turn of the assistant; None if there is none."""
    return max((at for at in range(len(conversation.turns)) if conversation.is_assistant(at)), default=None)


def question_before(conversation: Conversation, turn: int) -> str | None:
    """The user's last turn before a turn."""
    before = [at for at in range(turn) if conversation.is_user(at)]
    return conversation.text_of(before[-1]) if before else None


def dialogue_before(
    conversation: Conversation, turn: int, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> str:
    """The conversation before a turn as a reader sees it: roles and visible texts."""
    parts = []
    for at in range(turn):
        text = visible_text(conversation, at, thinking, solution).strip()
        if text:
            parts.append((conversation.role_of(at), text))
    if len(parts) == 1:
        return parts[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in parts)


def visible_text(
    conversation: Conversation, at: int, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> str:
    """The text of a turn without its thinking."""
    if conversation.is_thinking(at):
        return ""
    if conversation.is_assistant(at):
        found = _in_turn(conversation, at, thinking, solution)
        if isinstance(found, Thought):
            return found.visible
    return conversation.text_of(at) or ""


def _in_turn(
    conversation: Conversation, at: int, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> Thought | Refusal:
    turn = conversation.turns[at]
    assert turn is not None
    acts = bool(turn.get("tool_calls") or turn.get("function_call"))
    if conversation.is_thinking(at):
        text = conversation.text_of(at) or ""
        behind = at + 1 if at + 1 < len(conversation.turns) and conversation.is_assistant(at + 1) else None
        reply = conversation.text_of(behind) if behind is not None else None
        stop = (behind if behind is not None else at) + 1
        return Thought(at, stop, (conversation.content,), 0, len(text), text, reply, reply or "", acts)
    found = _found(turn, conversation, thinking, solution)
    if isinstance(found, Refusal):
        return found
    return Thought(
        at, at + 1, found.path, found.start, found.end, found.reasoning, found.response, found.visible, acts
    )


def _found(
    turn: Turn, conversation: Conversation, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> _Found | Refusal:
    content = turn.get(conversation.content)
    fields = [(key, as_text(turn.get(key))) for key in conversation.reasoning]
    for key, text in fields:
        if text is not None and text.strip():
            reply = content_text(content)
            return _Found((key,), 0, len(text), text, reply, reply or "")
    if isinstance(content, list):
        found = _in_parts(content, conversation.content, thinking, solution)
    else:
        found = _in_text(as_text(content), (conversation.content,), thinking, solution)
    if isinstance(found, Refusal) and found.cause is Cause.NO_THINKING:
        # A field that is there and empty is a turn that did not think.
        for key, text in fields:
            if text is not None:
                reply = content_text(content)
                return _Found((key,), 0, len(text), text, reply, reply or "")
    return found


def _in_text(
    text: str | None, path: Path, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> _Found | Refusal:
    if text is None:
        return Refusal(Cause.NULL_REASONING, "the last assistant message has no content")
    reply = split_reply(text, thinking, solution)
    if isinstance(reply, Refusal):
        return reply
    return _Found(path, reply.start, reply.stop, reply.reasoning, reply.response, reply.visible)


def _in_parts(
    parts: Sequence[Any], key: str, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> _Found | Refusal:
    reply = "".join(text for _, text in part_texts(parts))
    thoughts = list(_thinking_parts(parts))
    if len(thoughts) > 1:
        return Refusal(Cause.SEVERAL_THINKING, "the reply has several parts of thinking")
    if thoughts:
        path, text = thoughts[0]
        return _Found((key, *path), 0, len(text), text, reply, reply)
    refused: Refusal = Refusal(Cause.NO_THINKING, "no part of the reply is thinking")
    for at, text in part_texts(parts):
        inside: Path = () if isinstance(parts[at], str) else (text_key(parts[at]),)
        found = _in_text(text, (key, at, *inside), thinking, solution)
        if isinstance(found, _Found):
            rest = "".join(other for place, other in part_texts(parts) if place > at)
            before = "".join(other for place, other in part_texts(parts) if place < at)
            response = (found.response or "") + rest if found.response is not None or rest else None
            return _Found(
                found.path, found.start, found.end, found.reasoning, response, before + found.visible + rest
            )
        refused = found
    return refused


def _thinking_parts(parts: Sequence[Any]) -> Iterator[tuple[Path, str]]:
    for at, part in enumerate(parts):
        path = thinking_path(part) if isinstance(part, dict) else None
        if path is None:
            continue
        value: Any = part
        for step in path:
            value = value[step]
        text = as_text(value)
        if text is not None:
            yield (at, *path), text
