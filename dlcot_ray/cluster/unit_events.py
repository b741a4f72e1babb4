"""What happens to units on the workers, on its way from the ledger to the driver.

The driver asks now and then (`supervise.py`), and an answer may get lost; so each happening is told until the
driver says that it has it. That makes lines of a log late by one question, but no call is made for a unit.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_MOST = 100_000
"""Happenings kept for a driver that does not ask; beyond it the oldest go."""


class Phase(StrEnum):
    """Where in the graph a unit is."""

    READING = "reading"
    JUDGING = "judging"
    WRITING = "writing"


class EventKind(StrEnum):
    """What happened."""

    UNIT_STARTED = "unit_started"
    """A judge took it."""
    UNIT_RETRIED = "unit_retried"
    """The process that had it died; it is done again."""
    UNIT_QUARANTINED = "unit_quarantined"
    """It killed too often and is given up; the job goes on without it."""
    ROW_QUARANTINED = "row_quarantined"
    """The same of one row; its unit goes on without it."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One of them.

    Attributes:
        at: when, in seconds since 1970 by the clock of the driver's node.
        attempt: which one of the unit it was, from 1.
        cause: why, except for a start.
        row: id of the trace, where it is about one.
    """

    kind: EventKind
    unit: str
    step: Phase
    at: float
    attempt: int
    cause: str = ""
    row: str = ""


class Happenings:
    """Those that the driver does not have yet.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._kept: deque[Happening] = deque(maxlen=_MOST)
        self._count = 0

    def add(
        self, kind: EventKind, unit: str, step: Phase, attempt: int, *, cause: str = "", row: str = ""
    ) -> None:
        """One more, now."""
        self._kept.append(Happening(kind, unit, step, self._clock(), attempt, cause, row))
        self._count += 1

    def after(self, told: int) -> tuple[int, tuple[Happening, ...]]:
        """Forget the first `told` of all; returns how many there were in all, and those that are left.

        Where there were fewer, `told` is of a predecessor that died, and nothing is forgotten.
        """
        told = told if told <= self._count else 0
        while self._kept and self._count - len(self._kept) < told:
            self._kept.popleft()
        return self._count, tuple(self._kept)
