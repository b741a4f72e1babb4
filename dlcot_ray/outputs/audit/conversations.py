"""The messages and the preference pairs of a unit against the conversations that its rows carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from dlcot_ray.core.enhancement import Status
from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.choices import Reply
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.conversations.homes import messages_type
from dlcot_ray.inputs.conversations.unit_messages import Shown, unit_messages
from dlcot_ray.outputs.audit.rows import shorten
from dlcot_ray.outputs.audit.stored import (
    Expected,
    StoredUnit,
    found_items,
)
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.inventory import Finding
from dlcot_ray.outputs.layout import ENHANCED, PREFERENCES
from dlcot_ray.outputs.schemas import (
    ENHANCED_FIELDS,
)


def preference_findings(unit: StoredUnit, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """The preference pairs that are not those of an enhanced row."""
    if unit.preferences is None:
        return
    changed: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row["status"] == Status.ENHANCED:
            changed[row["trace_id"]].append(row["messages"])
    for number, pair in enumerate(unit.preferences.to_pylist()):
        if not any(_holds(chat, pair) for chat in changed[pair["trace_id"]]):
            message = f"the pair of {shorten(pair['trace_id'])} is not that of an enhanced row"
            yield Finding(unit.place(PREFERENCES), number, message)


def _holds(chat: Any, pair: Mapping[str, Any]) -> bool:
    """Whether a conversation has the chosen reply where the prompt ends; without one, any will do."""
    start = len(pair["prompt"])
    return not isinstance(chat, list) or chat[start : start + len(pair["chosen"])] == pair["chosen"]


def message_findings(
    unit: StoredUnit, expected: Expected, rows: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Where the stored messages are not those of the carried row with its enhanced thinking."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault:
        return
    found = found_items(unit, source, columns)
    shown: list[Shown] = []
    for number, row in enumerate(rows):
        item = found.get((number, row["input_part"]))
        if item is None or item.home is None:
            return
        answer = (
            row["messages"] if columns.choices.reply is Reply.ANSWER and not item.home.has_reply else None
        )
        shown.append(Shown(row["input_row"], item.home, row["enhanced_reasoning"], _built_answer(answer)))
    # Through Arrow, because its types fill in what a turn lacks.
    wanted = pa.array(unit_messages(shown), messages_type(columns)).to_pylist()
    for number, (row, chat) in enumerate(zip(rows, wanted, strict=True)):
        if row["messages"] != chat:
            message = "its messages are not its conversation with enhanced_reasoning"
            yield Finding(unit.place(ENHANCED), number, message)


def _built_answer(messages: Any) -> str | None:
    """The answer of a reply that `reply=answer` built; the audit cannot know it from the row alone."""
    if not messages:
        return None
    content = str(next(reversed(messages[-1].values())))
    return content.rpartition("The final answer is ")[2].removesuffix(".") or None
