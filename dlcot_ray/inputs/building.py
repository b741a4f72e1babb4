"""Builds one trace and its home out of the cells of a row: from a reply, or from a turn of a conversation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlcot_ray.core.markup import find_control_word
from dlcot_ray.errors import Cause
from dlcot_ray.inputs.choices import Markup, Turns
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.conversations.homes import Home
from dlcot_ray.inputs.conversations.thoughts import (
    Thought,
    dialogue_before,
    last_assistant,
    question_before,
    thoughts_in,
    visible_text,
)
from dlcot_ray.inputs.conversations.turns import SYSTEMS, Conversation, RejectedRow, conversation_of
from dlcot_ray.inputs.conversations.writing import Place
from dlcot_ray.inputs.replies.splitting import Refusal, split_reply


@dataclass(frozen=True, slots=True)
class Built:
    """What a trace is made of.

    Attributes:
        problem: None where a column has it.
        reasoning, response: thinking and visible reply.
        home: where the thinking lies.
        is_final: the reply is the last one, which the ground truth belongs to.
    """

    problem: str | None
    reasoning: str
    response: str | None
    home: Home
    is_final: bool = True


def from_column(text: str, response: str | None, columns: ColumnMap) -> Built:
    """From a column of thinking; tags around it are taken off, and stand in its home.

    Raises:
        RejectedRow: it has tags that cannot be read.
    """
    if not _looks_tagged(text, columns):
        home = Home(has_reply=_filled(response), response=response)
        return Built(None, text, response, home)
    return from_reply(text, response, columns)


def from_reply(text: str, response: str | None, columns: ColumnMap) -> Built:
    """From a whole reply with its tags; of several blocks from the last, and the others stay as they are.

    Args:
        text: the reply.
        response: the visible reply where a column of its own has it.
        columns: the tags.

    Raises:
        RejectedRow: it cannot be split.
    """
    replies = split_reply(text, columns.thinking, columns.solution)
    if isinstance(replies, Refusal):
        raise RejectedRow(replies.cause, replies.message)
    found = replies[-1]
    inside = found.response if _filled(found.response) else None
    reply = inside or response
    home = Home(
        Place((), found.start, found.stop),
        has_reply=_filled(reply) or found.goes_on,
        # Thinking that is never closed cannot be followed by a reply as it stands.
        reply=text if found.response is not None else None,
        response=None if inside else response,
    )
    earlier = {f"thinking of block {at}": reply.reasoning for at, reply in enumerate(replies[:-1])}
    refuse_markup({"reply": found.visible, **earlier}, columns)
    return Built(None, found.reasoning, response or inside, home)


def _looks_tagged(text: str, columns: ColumnMap) -> bool:
    """Whether the thinking of a plain column is wrapped in tags, or ends at one."""
    found = split_reply(text, columns.thinking, columns.solution)
    return not isinstance(found, Refusal) and not found[0].before.strip()


def conversation_in(cells: tuple[Any, Any], columns: ColumnMap) -> Conversation:
    """The conversation of a row: the turns before it, if they are a column of their own, and its own.

    Args:
        cells: of `columns.messages` and `columns.prompt`.
        columns: where they are.

    Raises:
        RejectedRow: there is none, or none that can be read.
    """
    assert columns.messages is not None
    own, prompt = cells
    if columns.prompt is None or not isinstance(own, list) or not isinstance(prompt, list):
        return conversation_of(own, columns.messages)
    return conversation_of([*prompt, *own] if own else own, columns.messages)


def from_conversation(
    conversation: Conversation, cell: Any, system: str | None, question: str | None, columns: ColumnMap
) -> list[Built | Refusal]:
    """The traces of a conversation: of its last turn with thinking, or of all.

    Args:
        conversation: the turns.
        cell: the conversation as it is stored.
        system, question: a system prompt and a question outside the conversation. The question becomes the
            user's turn where there is none.
        columns: the tags and the choices.

    Raises:
        RejectedRow: no turn has thinking, or a text holds a control word.
    """
    last = last_assistant(conversation)
    if last is None:
        roles = [conversation.role_of(at) for at in range(len(conversation.turns))]
        seen = ", ".join(dict.fromkeys(role for role in roles if role))
        sought = " or ".join(dict.fromkeys(columns.messages.assistant if columns.messages else ()))
        raise RejectedRow(Cause.NO_ASSISTANT, f"no message of role {sought} (found {seen})")
    thoughts = thoughts_in(conversation, columns.thinking, columns.solution)
    if columns.choices.turns is Turns.LAST:
        thoughts = thoughts[-1:]
    _refuse_markup_in(conversation, thoughts, columns)
    asks = any(conversation.is_user(at) for at in range(len(conversation.turns)))
    refuse_markup({"problem": None if asks else question}, columns)
    outside = Home(system=system, problem="" if asks else question or "", turns=cell)
    return [
        thought if isinstance(thought, Refusal) else _built(conversation, thought, outside, last, columns)
        for thought in thoughts
    ]


def _built(
    conversation: Conversation, thought: Thought, outside: Home, last: int, columns: ColumnMap
) -> Built:
    if columns.choices.turns is Turns.ALL:
        problem: str | None = _dialogue(conversation, thought, columns)
    else:
        problem = question_before(conversation, thought.turn)
    goes_on = thought.goes_on or thought.stop < len(conversation.turns)
    home = replace(
        outside,
        place=Place((thought.turn, *thought.path), thought.start, thought.end),
        has_reply=_filled(thought.response) or thought.acts or goes_on,
        turn=thought.turn,
        stop=thought.stop,
        keys=(conversation.role, conversation.content),
    )
    is_final = thought.stop > last and not thought.goes_on
    return Built(problem, thought.reasoning, thought.response, home, is_final)


def _dialogue(conversation: Conversation, thought: Thought, columns: ColumnMap) -> str:
    """The conversation before a thinking, with what its own turn has said before it."""
    before = dialogue_before(conversation, thought.turn, columns.thinking, columns.solution)
    said = thought.said.strip()
    return f"{before}\n\n{conversation.role_of(thought.turn)}: {said}" if said else before


def refuse_markup(texts: dict[str, str | None], columns: ColumnMap) -> None:
    """Refuse a text with a control word, unless the settings keep it.

    Args:
        texts: name for the message -> text.
        columns: with the choices.

    Raises:
        RejectedRow: a text holds one.
    """
    if columns.choices.markup is Markup.KEEP:
        return
    for name, text in texts.items():
        found = find_control_word(text) if text else None
        if found is not None:
            raise RejectedRow(
                Cause.MARKUP, f"the {name} holds the control word {found.word!r} at character {found.offset}"
            )


def _refuse_markup_in(
    conversation: Conversation, thoughts: Sequence[Thought | Refusal], columns: ColumnMap
) -> None:
    if columns.choices.markup is Markup.KEEP or all(isinstance(item, Refusal) for item in thoughts):
        return
    for name, text in _texts(conversation, thoughts, columns):
        refuse_markup({name: text}, columns)


def _texts(
    conversation: Conversation, thoughts: Sequence[Thought | Refusal], columns: ColumnMap
) -> Iterator[tuple[str, str]]:
    """Everything of a conversation but its system prompts, which may name the tags of the thinking."""
    for thought in thoughts:
        if isinstance(thought, Thought):
            yield "thinking", thought.reasoning
    for at in range(len(conversation.turns)):
        role = conversation.role_of(at)
        if role and role.lower() not in SYSTEMS:
            text = visible_text(conversation, at, columns.thinking, columns.solution)
            yield f"message {at} ({role})", text


def _filled(text: str | None) -> bool:
    return bool(text and not text.isspace())
