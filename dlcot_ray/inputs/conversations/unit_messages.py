"""The `messages` of the rows of a unit.

Several turns of one conversation may be traces. The last of them has the whole conversation, with all of its
thinking replaced, and the others have none, so that a trainer sees every conversation once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from dlcot_ray.inputs.conversations.homes import Home, messages_of


@dataclass(frozen=True, slots=True)
class Shown:
    """What the messages of a trace are made of.

    Attributes:
        row: of the table.
        home: of the trace.
        reasoning: the new thinking.
        answer: the known final answer, from which a missing reply is built; None builds none.
    """

    row: int
    home: Home
    reasoning: str
    answer: str | None = None


def unit_messages(traces: Sequence[Shown]) -> list[Any]:
    """The messages of each trace, None where it has none.

    Args:
        traces: of a unit, in order.
    """
    found: list[Any] = []
    for _, group in groupby(traces, key=lambda trace: trace.row):
        members = list(group)
        if members[0].home.turns is None:
            found += [messages_of([(item.home, item.reasoning)], item.answer) for item in members]
        else:
            whole = messages_of([(item.home, item.reasoning) for item in members])
            found += [None] * (len(members) - 1) + [whole]
    return found
