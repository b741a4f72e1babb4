"""Finds the thinking in the assistant's turns of a conversation.

Thinking is in a field of its own, in a part of the content, in a turn of its own (an analysis channel), or
between tags in the content. A turn may think several times.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from dlcot_ray.errors import Cause
from dlcot_ray.inputs.conversations.turns import (
    Conversation,
    Turn,
    as_text,
    content_text,
    part_texts,
    text_key,
    thinking_blocks,
    thinking_path,
    value_at,
)
from dlcot_ray.inputs.replies.splitting import Delimiters, Refusal, split_reply

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
        said: the visible text of the turn before the thinking.
        goes_on: the turn thinks again behind it.
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
    said: str = ""
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    """A thinking in a turn; `before` is the visible text between it and the one before."""

    path: Path
    start: int
    end: int
    reasoning: str
    response: str | None
    visible: str
    before: str = ""


def thoughts_in(
    conversation: Conversation, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[Thought | Refusal]:
    """Every thinking of the assistant's turns, in order; a turn may have several.

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
        if not isinstance(item, Refusal):
            found += item
        elif item.cause is Cause.SEVERAL_THINKING:
            found.append(item)
        else:
            missing = item
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
        if not isinstance(found, Refusal):
            return found[0].visible
    return conversation.text_of(at) or ""


def _in_turn(
    conversation: Conversation, at: int, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[Thought] | Refusal:
    turn = conversation.turns[at]
    assert turn is not None
    acts = bool(turn.get("tool_calls") or turn.get("function_call"))
    if conversation.is_thinking(at):
        return [_whole_turn(conversation, at, acts)]
    found = _found(turn, conversation, thinking, solution)
    if isinstance(found, Refusal):
        return found
    said = list(accumulate(item.before for item in found))
    return [
        Thought(
            at,
            at + 1,
            item.path,
            item.start,
            item.end,
            item.reasoning,
            item.response,
            item.visible,
            acts,
            before,
            goes_on=number < len(found),
        )
        for number, (item, before) in enumerate(zip(found, said, strict=True), start=1)
    ]


def _whole_turn(conversation: Conversation, at: int, acts: bool) -> Thought:
    """The thinking that is a turn of its own; its reply is the assistant's next turn."""
    text = conversation.text_of(at) or ""
    behind = at + 1
    replies = (
        behind < len(conversation.turns)
        and conversation.is_assistant(behind)
        and not conversation.is_thinking(behind)
    )
    reply = conversation.text_of(behind) if replies else None
    stop = behind + 1 if replies else behind
    return Thought(at, stop, (conversation.content,), 0, len(text), text, reply, reply or "", acts)


def _found(
    turn: Turn, conversation: Conversation, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[_Found] | Refusal:
    content = turn.get(conversation.content)
    fields = [(key, as_text(turn.get(key))) for key in conversation.reasoning]
    for key, text in fields:
        if text is not None and text.strip():
            if _thinks(content, thinking, solution):
                message = f"the turn holds thinking in {key} and between tags in its {conversation.content}"
                return Refusal(Cause.SEVERAL_THINKING, message)
            return [_in_field((key,), text, content)]
    blocks = [_in_field(path, text, content) for path, text in thinking_blocks(turn)]
    if blocks:
        return [*(replace(block, response=None) for block in blocks[:-1]), blocks[-1]]
    if isinstance(content, list):
        found = _in_parts(content, conversation.content, thinking, solution)
    else:
        found = _in_text(as_text(content), (conversation.content,), thinking, solution)
    if isinstance(found, Refusal) and found.cause is Cause.NO_THINKING:
        # A field that is there and empty is a turn that did not think.
        for key, text in fields:
            if text is not None:
                return [_in_field((key,), text, content)]
    return found


def _thinks(content: Any, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]) -> bool:
    found = split_reply(content, thinking, solution) if isinstance(content, str) else None
    return isinstance(found, list) and any(reply.reasoning.strip() for reply in found)


def _in_field(path: Path, text: str, content: Any) -> _Found:
    reply = content_text(content)
    return _Found(path, 0, len(text), text, reply, reply or "")


def _in_text(
    text: str | None, path: Path, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[_Found] | Refusal:
    if text is None:
        return Refusal(Cause.NULL_REASONING, "the last assistant message has no content")
    replies = split_reply(text, thinking, solution)
    if isinstance(replies, Refusal):
        return replies
    return [
        _Found(path, reply.start, reply.stop, reply.reasoning, reply.response, reply.visible, reply.before)
        for reply in replies
    ]


def _in_parts(
    parts: Sequence[Any], key: str, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> list[_Found] | Refusal:
    texts = list(part_texts(parts))
    thoughts = list(_thinking_parts(parts))
    if thoughts:
        return _own_parts(texts, thoughts, key)
    refused: Refusal = Refusal(Cause.NO_THINKING, "no part of the reply is thinking")
    for at, text in texts:
        inside: Path = () if isinstance(parts[at], str) else (text_key(parts[at]),)
        found = _in_text(text, (key, at, *inside), thinking, solution)
        if not isinstance(found, Refusal):
            before = "".join(other for place, other in texts if place < at)
            return _among_parts(found, before, "".join(other for place, other in texts if place > at))
        refused = found
    return refused


def _own_parts(
    texts: Sequence[tuple[int, str]], thoughts: Sequence[tuple[Path, str]], key: str
) -> list[_Found]:
    """The parts that are thinking, each with the visible parts up to the next one."""
    visible = "".join(text for _, text in texts)
    filled = [item for item in thoughts if item[1].strip()] or thoughts[:1]
    places = [int(path[0]) for path, _ in filled]
    found: list[_Found] = []
    for (path, text), start, stop in zip(filled, places, [*places[1:], math.inf], strict=True):
        reply = "".join(other for at, other in texts if start < at < stop)
        before = found[-1].response if found else "".join(other for at, other in texts if at < start)
        found.append(_Found((key, *path), 0, len(text), text, reply, visible, before or ""))
    return found


def _among_parts(found: Sequence[_Found], before: str, rest: str) -> list[_Found]:
    """The thinking of one part, with the visible texts of the other parts around it."""
    first, last = found[0], found[-1]
    response = (last.response or "") + rest if last.response is not None or rest else None
    ended = [*found[:-1], replace(last, response=response)]
    ended[0] = replace(ended[0], before=before + first.before)
    return [replace(item, visible=before + item.visible + rest) for item in ended]


def _thinking_parts(parts: Sequence[Any]) -> Iterator[tuple[Path, str]]:
    for at, part in enumerate(parts):
        path = thinking_path(part) if isinstance(part, dict) else None
        if path is None:
            continue
        text = as_text(value_at(part, path))
        if text is not None:
            yield (at, *path), text
