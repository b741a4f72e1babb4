"""Writes thinking back into the conversation or the reply that it came from; nothing else changes.

The white space around the thinking stays what it was, because teachers and templates differ in it.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.inputs.conversations.thoughts import Path
from dlcot_ray.inputs.conversations.turns import SYSTEMS


@dataclass(frozen=True, slots=True)
class Place:
    """Where a thinking lies.

    Attributes:
        path: keys and indices from the conversation to the text; empty where the reply is the text itself.
        start, stop: code points of the thinking in the text.
    """

    path: Path
    start: int
    stop: int


def like(old: str, new: str) -> str:
    """A new thinking with the white space that surrounded the old one."""
    if old == new or not old.strip():
        return old
    lead = old[: len(old) - len(old.lstrip())]
    tail = old[len(old.rstrip()) :]
    return f"{lead}{new.strip()}{tail}"


def text_with(text: str, place: Place, reasoning: str) -> str:
    """A text with another thinking in its place."""
    old = text[place.start : place.stop]
    return f"{text[: place.start]}{like(old, reasoning)}{text[place.stop :]}"


def written_back(cell: Any, edits: Mapping[Place, str]) -> Any:
    """A conversation with other thinking in some places.

    Args:
        cell: the conversation as it is stored: a list of turns, or JSON text.
        edits: the thinking of each place.

    Returns:
        The same object where nothing changes. JSON text keeps its style of spaces and escapes.
    """
    is_json = isinstance(cell, str | bytes)
    turns = json.loads(cell) if is_json else cell
    changed = False
    # From the back, because a text may hold several places.
    for place in sorted(edits, key=lambda place: -place.start):
        reasoning = edits[place]
        old = _get(turns, place.path)
        text = old.decode() if isinstance(old, bytes) else old
        new = text_with(text, place, reasoning)
        if new == text:
            continue
        if not changed and not is_json:
            turns = copy.deepcopy(turns)
        changed = True
        _set(turns, place.path, new.encode() if isinstance(old, bytes) else new)
    if not changed:
        return cell
    return _dumped(turns, cell) if is_json else turns


def with_system(cell: Any, keys: tuple[str, str], system: str) -> Any:
    """A conversation with a system turn in front; unchanged if it has one.

    Args:
        cell: the conversation as it is stored.
        keys: the names of role and content.
        system: the system prompt.
    """
    is_json = isinstance(cell, str | bytes)
    turns = json.loads(cell) if is_json else cell
    role, _ = keys
    first = next((turn for turn in turns if turn is not None), None)
    if first is None or str(first.get(role)).lower() in SYSTEMS:
        return cell
    longer = [_turn_like(turns, first, keys, "system", system, is_json), *turns]
    return _dumped(longer, cell) if is_json else longer


def with_question(cell: Any, keys: tuple[str, str], question: str) -> Any:
    """A conversation without a user's turn, with one behind its system turns.

    Args:
        cell: the conversation as it is stored.
        keys: the names of role and content.
        question: what the user asks.
    """
    is_json = isinstance(cell, str | bytes)
    turns = json.loads(cell) if is_json else cell
    role, _ = keys
    known = [turn for turn in turns if turn is not None]
    asker = "human" if any(turn.get(role) == "gpt" for turn in known) else "user"
    is_system = [turn is not None and str(turn.get(role)).lower() in SYSTEMS for turn in turns]
    at = is_system.index(False)
    longer = [*turns[:at], _turn_like(turns, known[0], keys, asker, question, is_json), *turns[at:]]
    return _dumped(longer, cell) if is_json else longer


def _turn_like(
    turns: Sequence[Any], first: Mapping[str, Any], keys: tuple[str, str], who: str, text: str, is_json: bool
) -> dict[str, Any]:
    """A new turn with the fields of the others, which are empty."""
    others = {} if is_json else dict.fromkeys(first)
    role, content = keys
    return {**others, role: who, content: content_like(turns, content, text)}


def content_like(turns: Sequence[Any], key: str, text: str) -> Any:
    """A text as the content of a turn, in parts if other turns have parts."""
    if any(isinstance(turn.get(key), list) for turn in turns if turn is not None):
        return [{"type": "text", "text": text}]
    return text


def _get(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _set(value: Any, path: Path, new: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = new


_STYLES: Sequence[Mapping[str, Any]] = [
    {"ensure_ascii": ascii_only, "separators": separators, "indent": indent}
    for indent, separators in ((None, (", ", ": ")), (None, (",", ":")), (2, (",", ": ")), (4, (",", ": ")))
    for ascii_only in (True, False)
]


def _dumped(turns: Any, old: str | bytes) -> str | bytes:
    """JSON in the style of the old text, if that has one of the usual ones."""
    text = old.decode() if isinstance(old, bytes) else old
    parsed = json.loads(text)
    style = next((style for style in _STYLES if json.dumps(parsed, **style) == text), _STYLES[1])
    new = json.dumps(turns, **style)
    return new.encode() if isinstance(old, bytes) else new
