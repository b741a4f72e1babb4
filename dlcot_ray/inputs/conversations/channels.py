"""Moves thinking out of the content of a turn into a field, for chat templates that have a channel for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_OPENING, _CLOSING = "<think>", "</think>"
_CONTENT = "content"

Span = dict[str, Any]


def thinking_to_field(
    messages: Any, loss_spans: Sequence[Mapping[str, Any]] = (), name: str = "thinking"
) -> tuple[list[dict[str, Any]], list[Span]]:
    """The same conversation with ``<think>...</think>`` at the start of replies moved into a field.

    gpt-oss takes `thinking` as its analysis channel; other templates take `reasoning_content`. Turns whose
    content does not begin with a closed block stay as they are. White space around both texts goes.

    Args:
        messages: a cell of `enhanced/` or `masked/` with the keys `role` and `content`.
        loss_spans: the spans of the same row of `masked/`.
        name: of the field.

    Returns:
        The turns, and the spans in their texts.
    """
    turns = json.loads(messages) if isinstance(messages, str | bytes) else messages
    moved_turns, moved_spans = [], []
    for at, turn in enumerate(turns):
        mine = [dict(span) for span in loss_spans if span["turn"] == at]
        split = _split(turn)
        if split is None:
            moved_turns.append(dict(turn))
            moved_spans += mine
            continue
        content = turn[_CONTENT]
        texts = {
            field: content[start:stop] for field, (start, stop) in zip((name, _CONTENT), split, strict=True)
        }
        moved_turns.append({**turn, **texts})
        moved_spans += [span for span in mine if span["field"] != _CONTENT]
        for field, (start, stop) in zip((name, _CONTENT), split, strict=True):
            moved_spans += _within([span for span in mine if span["field"] == _CONTENT], field, start, stop)
    return moved_turns, moved_spans


def _split(turn: Mapping[str, Any]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Where thinking and reply lie in the content of an assistant's turn; None where it has no block."""
    content = turn.get(_CONTENT)
    if turn.get("role") != "assistant" or not isinstance(content, str):
        return None
    lead = len(content) - len(content.lstrip())
    closing = content.find(_CLOSING)
    if not content.startswith(_OPENING, lead) or closing < 0:
        return None
    return (
        _stripped(content, lead + len(_OPENING), closing),
        _stripped(content, closing + len(_CLOSING), len(content)),
    )


def _stripped(text: str, start: int, stop: int) -> tuple[int, int]:
    """A range without the white space at its ends."""
    inside = text[start:stop]
    first = start + len(inside) - len(inside.lstrip())
    return first, first + len(inside.strip())


def _within(spans: Sequence[Span], field: str, start: int, stop: int) -> Iterator[Span]:
    for span in spans:
        low, high = max(span["start"], start), min(span["stop"], stop)
        if low < high:
            yield {**span, "field": field, "start": low - start, "stop": high - start}
