"""Masking instead of deleting: the whole conversation, and the spans of its replies to train on.

A trainer reads the text that the teacher wrote, and learns only what the policy keeps (as in arXiv
2602.00425). Spans are code points of one text of one turn, so that no chat template matters for them.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.conversations.homes import Home, messages_of
from dlcot_ray.inputs.conversations.thoughts import Path
from dlcot_ray.inputs.conversations.turns import (
    ASSISTANTS,
    THINKERS,
    part_texts,
    text_key,
    thinking_blocks,
    thinking_path,
    value_at,
)

Ranges = Sequence[tuple[int, int]]
_OPENING = "<think>\n"


@dataclass(frozen=True, slots=True)
class LossSpan:
    """Code points `[start, stop)` of one text of a turn; `field` is its path, as ``content.0.text``."""

    turn: int
    field: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Masked:
    """A conversation as the teacher wrote it, and what of its replies is trained on."""

    messages: Any
    spans: tuple[LossSpan, ...]


@dataclass(frozen=True, slots=True)
class Maskable:
    """A trace whose dropped text stays, but is not trained on.

    Attributes:
        row: of the table.
        home: of the trace.
        reasoning: the thinking as it was.
        dropped: code points of the thinking that are not trained on, in order.
        answer: the known final answer, from which a missing reply is built; None builds none.
    """

    row: int
    home: Home
    reasoning: str
    dropped: Ranges
    answer: str | None = None


def unit_masks(traces: Sequence[Maskable], columns: ColumnMap) -> list[Masked | None]:
    """For each trace of a unit its conversation with spans; None where it has no `messages` either.

    Of several traces of one conversation the last has all spans, and the others have none.
    """
    found: list[Masked | None] = []
    for _, group in groupby(traces, key=lambda trace: trace.row):
        members = list(group)
        if members[0].home.turns is None:
            found += [_masked([item], columns) for item in members]
        else:
            found += [None] * (len(members) - 1) + [_masked(members, columns)]
    return found


def _masked(members: Sequence[Maskable], columns: ColumnMap) -> Masked | None:
    last = members[-1]
    cell = messages_of([(item.home, item.reasoning) for item in members], last.answer)
    if cell is None:
        return None
    turns = _listed(cell)
    gone: dict[tuple[int, Path], list[tuple[int, int]]] = defaultdict(list)
    for item in members:
        turn, path, offset, inside = _where(item, turns)
        gone[turn, path] += _moved(item.dropped, offset, inside)
    names = (*ASSISTANTS, *THINKERS, *(columns.messages.assistant if columns.messages else ()))
    names = tuple(name.lower() for name in names)
    keys = columns.messages.reasoning if columns.messages else ()
    spans = _spans(turns, last.home.keys, names, keys, gone)
    return Masked(cell, tuple(spans))


def _spans(
    turns: Sequence[Any],
    keys: tuple[str, str],
    assistants: Collection[str],
    reasoning: Sequence[str],
    gone: Mapping[tuple[int, Path], Ranges],
) -> Iterator[LossSpan]:
    """What of each text of the assistant is left."""
    role, content = keys
    for at, turn in enumerate(turns):
        if turn is None or str(turn.get(role)).lower() not in assistants:
            continue
        for path, text in _texts(turn, content, reasoning):
            field = ".".join(map(str, path))
            for start, stop in _left(len(text), gone.get((at, path), ())):
                yield LossSpan(at, field, start, stop)


def _texts(turn: Mapping[str, Any], content: str, reasoning: Sequence[str]) -> Iterator[tuple[Path, str]]:
    """The texts of a turn that a student learns, each with its path; thinking first."""
    for key in reasoning:
        if turn.get(key):
            yield (key,), _text(turn[key])
    yield from thinking_blocks(turn)
    value = turn.get(content)
    if isinstance(value, list):
        yield from _part_texts(value, content)
    elif value:
        yield (content,), _text(value)


def _part_texts(parts: Sequence[Any], content: str) -> Iterator[tuple[Path, str]]:
    visible = dict(part_texts(parts))
    for at, part in enumerate(parts):
        thinking = thinking_path(part) if isinstance(part, dict) else None
        if thinking is not None:
            yield (content, at, *thinking), _text(value_at(part, thinking))
        elif at in visible:
            inside: Path = () if isinstance(part, str) else (text_key(part),)
            yield (content, at, *inside), visible[at]


def _where(item: Maskable, turns: Sequence[Any]) -> tuple[int, Path, int, tuple[int, int]]:
    """Turn and path of the thinking, where it begins in its text, and the range that can be masked."""
    home, size = item.home, len(item.reasoning)
    if home.turns is not None and home.place is not None:
        shift = len(turns) - len(_listed(home.turns))
        path = home.place.path[1:]
        start = home.place.start
        return int(home.place.path[0]) + shift, path, start, (start, start + size)
    key = home.keys[1]
    path = (key, 0, "text") if isinstance(turns[-1][key], list) else (key,)
    if home.reply is not None and home.place is not None:
        start = home.place.start
        return len(turns) - 1, path, start, (start, start + size)
    lead = size - len(item.reasoning.lstrip())
    first = len(_OPENING)
    return len(turns) - 1, path, first - lead, (first, first + len(item.reasoning.strip()))


def _moved(ranges: Ranges, offset: int, inside: tuple[int, int]) -> list[tuple[int, int]]:
    low, high = inside
    moved = [(max(start + offset, low), min(stop + offset, high)) for start, stop in ranges]
    return [(start, stop) for start, stop in moved if start < stop]


def _left(length: int, gone: Ranges) -> Iterator[tuple[int, int]]:
    """The ranges of a text that are not gone."""
    at = 0
    for start, stop in gone:
        if start > at:
            yield at, start
        at = max(at, stop)
    if at < length:
        yield at, length


def _listed(cell: Any) -> list[Any]:
    return list(json.loads(cell)) if isinstance(cell, str | bytes) else list(cell)


def _text(value: Any) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)
