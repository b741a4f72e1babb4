"""Checks `masked/` against `enhanced/`: the spans of a conversation hold what the edited one holds.

None of the code that wrote the spans is used: the texts at the spans are joined and compared with the edited
conversation, white space aside, because the edges of a thinking keep the white space that they had.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlcot_ray.core.edits import EditOp

_PLAIN = (EditOp.KEEP.value, EditOp.DROP.value)


def masked_findings(
    rows: Sequence[Mapping[str, Any]], masked: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[int | None, str]]:
    """What is wrong with the rows of `masked/`, each with its number; None for all of them.

    Args:
        rows: of `enhanced/` of the same unit.
        masked: its rows of `masked/`.
    """
    shown = [row for row in rows if row["messages"] is not None]
    if [row["trace_id"] for row in shown] != [row["trace_id"] for row in masked]:
        yield None, f"{len(masked)} masked conversations for {len(shown)} with messages, or in another order"
        return
    written = _written(rows)
    for number, (row, mask) in enumerate(zip(shown, masked, strict=True)):
        message = _fault(row["messages"], mask, compare=row["input_row"] not in written)
        if message:
            yield number, message


def _written(rows: Sequence[Mapping[str, Any]]) -> set[int]:
    """The input rows with text that a writer added: there the two conversations differ."""
    return {row["input_row"] for row in rows if any(edit["op"] not in _PLAIN for edit in row["edits"])}


def _fault(edited: Any, mask: Mapping[str, Any], *, compare: bool) -> str:
    whole, short = _turns(mask["messages"]), _turns(edited)
    if len(whole) != len(short):
        return f"it has {len(whole)} turns, the edited conversation {len(short)}"
    spans: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for span in mask["loss_spans"]:
        spans[span["turn"], span["field"]].append((span["start"], span["stop"]))
    for (turn, field), ranges in spans.items():
        text = _at(whole[turn], field) if turn < len(whole) else None
        if text is None:
            return f"turn {turn} has no text {field!r}"
        ends = [end for span in ranges for end in span]
        if ends != sorted(ends) or not all(start < stop <= len(text) for start, stop in ranges):
            return f"the spans of {field!r} in turn {turn} overlap or lie outside of its text"
        learnt = "".join(text[start:stop] for start, stop in ranges)
        if compare and _squeezed(learnt) != _squeezed(_at(short[turn], field) or ""):
            return f"the spans of {field!r} in turn {turn} do not hold the edited text"
    return ""


def _turns(messages: Any) -> list[Any]:
    return list(json.loads(messages)) if isinstance(messages, str) else list(messages)


def _at(turn: Any, field: str) -> str | None:
    """The text at a path such as ``content.0.text``."""
    value = turn
    for step in field.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else None


def _squeezed(text: str) -> str:
    return "".join(text.split())
