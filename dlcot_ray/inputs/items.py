"""What a row holds: one item per trace, with its place, whatever became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.choices import PassedReason
from dlcot_ray.inputs.conversations.homes import Home
from dlcot_ray.judging.fingerprint import fingerprint


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a trace.

    Attributes:
        row: row of the table, from 0.
        part: which of the row's traces, from 0.
        parts: how many the row has.
    """

    row: int
    part: int = 0
    parts: int = 1

    def id_of(self, row_id: str) -> str:
        """The id of the trace: that of its row, with the part where the row has several."""
        return f"{row_id}/{self.part}" if self.parts > 1 else row_id


@dataclass(frozen=True, slots=True)
class Passed:
    """A generation that the settings did not choose."""

    trace_id: str
    reason: PassedReason


@dataclass(frozen=True, slots=True)
class Item:
    """A trace of a row, why there is none, or why it was not chosen; `home` is where its thinking lies."""

    slot: Slot
    found: Trace | RowFault | Passed
    home: Home | None = field(default=None, compare=False)


def content_of(items: Sequence[Item]) -> str | None:
    """Hash of the texts of one row's traces (32 hex digits), references left out; None without any trace."""
    traces = [trace for trace in traces_in(items) if trace is not None]
    marks = [fingerprint(replace(trace, ground_truth=None, other_truths=()), "") for trace in traces]
    return hashlib.blake2b("".join(marks).encode(), digest_size=16).hexdigest() if marks else None


def traces_in(items: Sequence[Item]) -> list[Trace | None]:
    """The trace of each item, None for one that has none."""
    return [item.found if isinstance(item.found, Trace) else None for item in items]
