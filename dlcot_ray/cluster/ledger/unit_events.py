"""Events of work units on the workers, on their way from the ledger to the driver.

The driver polls the ledger every few seconds (`heartbeat.py`), and an answer may get lost. So the ledger
sends each event until the driver acknowledges it. The cost is log lines that are late by one poll; the gain
is that no unit needs a call of its own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_MAX_EVENTS = 100_000
"""Events that are kept for a driver that does not poll; beyond it the oldest are dropped."""


class Phase(StrEnum):
    """Where in the graph a unit is."""

    READING = "reading"
    JUDGING = "judging"
    WRITING = "writing"


class EventKind(StrEnum):
    """What happened to a unit or row."""

    UNIT_STARTED = "unit_started"
    """A judge started the unit."""
    UNIT_REQUEUED = "unit_requeued"
    """The worker that had the unit crashed; the unit is done again."""
    UNIT_QUARANTINED = "unit_quarantined"
    """The unit crashed its workers too often; the job goes on without it."""
    ROW_QUARANTINED = "row_quarantined"
    """The row crashed its workers too often; its unit goes on without it."""


@dataclass(frozen=True, slots=True)
class UnitEvent:
    """One event.

    Attributes:
        kind: what happened.
        unit: name of the work unit.
        phase: where in the graph the unit was.
        at: seconds since 1970, by the clock of the driver's node.
        attempt: number of the unit's attempt, from 1.
        cause: the reason; empty for a start.
        row: id of the trace; empty unless the event is about one row.
    """

    kind: EventKind
    unit: str
    phase: Phase
    at: float
    attempt: int
    cause: str = ""
    row: str = ""


class UnitEvents:
    """The events that the driver has not acknowledged yet.

    Args:
        clock: returns seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: deque[UnitEvent] = deque(maxlen=_MAX_EVENTS)
        self._count = 0

    def add(
        self, kind: EventKind, unit: str, phase: Phase, attempt: int, *, cause: str = "", row: str = ""
    ) -> None:
        """Append an event with the time of now."""
        self._kept.append(UnitEvent(kind, unit, phase, self._clock(), attempt, cause, row))
        self._count += 1

    def after(self, acknowledged: int) -> tuple[int, tuple[UnitEvent, ...]]:
        """Drop the first `acknowledged` events; return the count of all events ever, and those left.

        A number above that count comes from a driver that talked to a ledger which crashed since. Nothing
        is dropped then.
        """
        acknowledged = acknowledged if acknowledged <= self._count else 0
        while self._kept and self._count - len(self._kept) < acknowledged:
            self._kept.popleft()
        return self._count, tuple(self._kept)
