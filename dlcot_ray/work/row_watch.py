"""Watches a judge at its rows: counts them, and tells of each where a unit is under suspicion.

A wrapper around judge and writer, so that neither they nor the unit's processing know of it. In the
ordinary case it costs one addition per row; a unit that killed a process before is watched row by row, and
its suspects are taken singly (see `ledger.py`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from dlcot_ray.core.annotation import Annotation, ErrorSpan
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.protocol import Judge, JudgeDied, Writer, Written


class Gate:
    """Many together, or one alone; whoever wants to be alone holds up those that come after."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._inside = 0
        self._empty = asyncio.Event()
        self._empty.set()

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Enter beside others."""
        async with self._turn:
            self._inside += 1
            self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Enter once nobody else is inside, and keep everybody out."""
        async with self._turn:
            await self._empty.wait()
            yield


async def _nothing(row: str, begins: bool) -> None:
    return None


@dataclass(slots=True)
class RowWatch:
    """What is wanted of one unit's rows.

    Attributes:
        finished: called after each row.
        tell: awaited before (True) and after (False) each row.
        suspects: ids of rows that nothing may run beside.
        condemned: ids of rows that are left out, and why.
    """

    finished: Callable[[], None] = lambda: None
    tell: Callable[[str, bool], Awaitable[None]] = _nothing
    suspects: frozenset[str] = frozenset()
    condemned: dict[str, str] = field(default_factory=dict)
    _gate: Gate = field(default_factory=Gate)
    _inside: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def at(self, row: str) -> AsyncIterator[None]:
        """Around whatever concerns one row; a row over which the judge died never ends."""
        async with self._gate.alone() if row in self.suspects else self._gate.together():
            self._inside[row] += 1
            if self._inside[row] == 1:
                await self.tell(row, True)
            try:
                yield
            except Exception as error:
                if not isinstance(error, JudgeDied):
                    await self._left(row)
                raise
            await self._left(row)
        self.finished()

    async def _left(self, row: str) -> None:
        self._inside[row] -= 1
        if not self._inside[row]:
            del self._inside[row]
            await self.tell(row, False)


class WatchedJudge:
    """A judge whose rows are watched."""

    def __init__(self, judge: Judge, watch: RowWatch) -> None:
        self._judge, self._watch = judge, watch

    @property
    def identity(self) -> str:
        """The judge's."""
        return self._judge.identity

    def start(self) -> None:
        """Start the judge."""
        self._judge.start()

    async def judge(self, trace: Trace) -> Annotation:
        """What the judge finds."""
        async with self._watch.at(trace.trace_id):
            return await self._judge.judge(trace)

    def close(self) -> None:
        """Close the judge."""
        self._judge.close()


class WatchedWriter:
    """A writer whose rows are watched."""

    def __init__(self, writer: Writer, watch: RowWatch) -> None:
        self._writer, self._watch = writer, watch

    @property
    def identity(self) -> str:
        """The writer's."""
        return self._writer.identity

    async def repair(
        self, trace: Trace, segment_offsets: Sequence[int], start: int, stop: int, errors: Sequence[ErrorSpan]
    ) -> Written:
        """What the writer offers."""
        async with self._watch.at(trace.trace_id):
            return await self._writer.repair(trace, segment_offsets, start, stop, errors)

    async def bridge(self, trace: Trace, segment_offsets: Sequence[int], left: int, right: int) -> Written:
        """What the writer offers."""
        async with self._watch.at(trace.trace_id):
            return await self._writer.bridge(trace, segment_offsets, left, right)
