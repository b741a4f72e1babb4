"""Watches the rows of one unit: reports their progress, and runs suspect rows one at a time.

A wrapper around judge and writer, so that neither they nor the processing of a unit know about it. For most
units it costs one call per row. Of a unit that was in flight when its worker crashed, each row is reported
before and after it runs (see `cluster/ledger/ledger.py`).
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
from dlcot_ray.judging.wrapping import WrappedJudge


class SharedLock:
    """A lock that many tasks hold together (shared) or one task alone (exclusive).

    It is fair: a task that waits for the exclusive lock holds up shared ones that come after it.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._holders = 0
        self._free = asyncio.Event()
        self._free.set()

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold the lock together with other shared holders."""
        async with self._turn:
            self._holders += 1
            self._free.clear()
        try:
            yield
        finally:
            self._holders -= 1
            if not self._holders:
                self._free.set()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Wait until no other task holds the lock, and hold it alone."""
        async with self._turn:
            await self._free.wait()
            yield


async def _ignore_row(row: str) -> None:
    return None


@dataclass(slots=True)
class RowWatch:
    """How the rows of one unit run, and what is called for them.

    Attributes:
        on_finished: called after each row.
        before_row: awaited with the id of a row before it runs.
        after_row: awaited with the id of a row after it ran, unless the judge died over it.
        suspect_rows: ids of rows that run with no other row beside them.
        poison_rows: id -> reason of rows that are rejected without being judged.
    """

    on_finished: Callable[[], None] = lambda: None
    before_row: Callable[[str], Awaitable[None]] = _ignore_row
    after_row: Callable[[str], Awaitable[None]] = _ignore_row
    suspect_rows: frozenset[str] = frozenset()
    poison_rows: dict[str, str] = field(default_factory=dict)
    _rows: SharedLock = field(default_factory=SharedLock)
    _running: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def running(self, row: str) -> AsyncIterator[None]:
        """Wrap one call to the judge or writer for a row; several calls for one row may overlap."""
        async with self._rows.exclusive() if row in self.suspect_rows else self._rows.shared():
            self._running[row] += 1
            if self._running[row] == 1:
                await self.before_row(row)
            try:
                yield
            except Exception as error:
                if not isinstance(error, JudgeDied):
                    await self._leave(row)
                raise
            await self._leave(row)
        self.on_finished()

    async def _leave(self, row: str) -> None:
        self._running[row] -= 1
        if not self._running[row]:
            del self._running[row]
            await self.after_row(row)


class WatchedJudge(WrappedJudge):
    """A judge whose rows are watched."""

    def __init__(self, judge: Judge, watch: RowWatch) -> None:
        super().__init__(judge)
        self._watch = watch

    async def judge(self, trace: Trace) -> Annotation:
        """The wrapped judge's annotation."""
        async with self._watch.running(trace.trace_id):
            return await super().judge(trace)


class WatchedWriter:
    """A writer whose rows are watched."""

    def __init__(self, writer: Writer, watch: RowWatch) -> None:
        self._writer, self._watch = writer, watch

    @property
    def identity(self) -> str:
        """Identity of the wrapped writer."""
        return self._writer.identity

    async def repair(
        self, trace: Trace, segment_offsets: Sequence[int], start: int, stop: int, errors: Sequence[ErrorSpan]
    ) -> Written:
        """The wrapped writer's repair."""
        async with self._watch.running(trace.trace_id):
            return await self._writer.repair(trace, segment_offsets, start, stop, errors)

    async def bridge(self, trace: Trace, segment_offsets: Sequence[int], left: int, right: int) -> Written:
        """The wrapped writer's bridge."""
        async with self._watch.running(trace.trace_id):
            return await self._writer.bridge(trace, segment_offsets, left, right)
