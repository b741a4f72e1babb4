"""The judging phase of the graph: an actor that judges the units of a bundle and packs the results."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from typing import Any, TypeVar, cast

import pyarrow as pa

from dlcot_ray.cluster.hosted_judge import HostedJudge, stop_error
from dlcot_ray.cluster.ledger.crash_rules import Directive
from dlcot_ray.cluster.wire import MADE_TABLES, READ_TABLES, bundle, pack_unit, table_of, unbundle, unit_of
from dlcot_ray.judging.protocol import JudgeDied
from dlcot_ray.outputs.results import Effort, UnitOutput
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.rows.watch import RowWatch, SharedLock
from dlcot_ray.work.spec import ReadUnit, WorkSpec

T = TypeVar("T")

_HEARTBEAT_S = 5.0
"""Shortest time between two heartbeats of one actor."""
_LOOK_S = 1.0
"""Seconds between two looks at whether a unit is stuck."""
_LAST_MESSAGE_S = 5.0
"""How long the last message of a process that exits may take."""


class JudgeActor:
    """One worker with a judge. It asks the ledger before each unit, and reports progress to it.

    Args:
        spec: the job's settings for workers.
        ledger: from `open_ledger`.
    """

    def __init__(self, spec: WorkSpec, ledger: Any) -> None:
        import ray

        self._ledger = ledger
        self._process = secrets.token_hex(8)
        # Shared by ordinary units; exclusive for a unit that has to run with no other beside it.
        self._units = SharedLock()
        self._last_heartbeat = self._last_row = time.monotonic()
        self._stuck_s = spec.stuck_s
        context = ray.get_runtime_context()
        directive: Directive = ray.get(
            ledger.register_worker.remote(context.get_actor_id(), self._process, context.get_node_id())
        )
        self._judge = HostedJudge(lambda: Processor(spec, kills=True), directive.stop_job)

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        """Judge a bundle of units."""
        units = unbundle(batch)
        # All at once, because one-row units would otherwise leave an engine with one trace in flight.
        made = await asyncio.gather(*(self._pack_judged(units, index) for index in range(units.num_rows)))
        yield bundle(made)

    async def _pack_judged(self, units: pa.Table, index: int) -> pa.Table:
        task, error = unit_of(units, index)
        rows, stored = (table_of(units, index, name) for name in READ_TABLES)
        made: UnitOutput | str = error
        effort = Effort()
        if not error:
            made, effort = await self._run(ReadUnit(task, rows, stored))
        if isinstance(made, str):
            return pack_unit(task, made, dict.fromkeys(MADE_TABLES), effort=effort)
        tables = {name: getattr(made, name) for name in MADE_TABLES}
        return pack_unit(task, "", tables, made.stats.to_json(), self._judge.get().engine_use(), effort)

    async def _run(self, read: ReadUnit) -> tuple[UnitOutput | str, Effort]:
        """Process a unit beside others, or exclusively where the ledger asks for it."""
        async with self._units.shared():
            directive = await self._start(read.task.name)
            if not directive.exclusive:
                return await self._timed(read, directive)
        async with self._units.exclusive():
            # The first call did not record the unit, because it did not offer to run it exclusively.
            return await self._timed(read, await self._start(read.task.name, exclusive=True))

    async def _timed(self, read: ReadUnit, directive: Directive) -> tuple[UnitOutput | str, Effort]:
        started = time.monotonic()
        made = await self._process_unit(read, directive)
        return made, Effort(time.monotonic() - started, directive.attempt)

    async def _start(self, unit: str, *, exclusive: bool = False) -> Directive:
        """Record the unit in the ledger; raises where the judge is unavailable or the job has to stop."""
        self._judge.get()
        answer = await self._ledger.start_unit.remote(unit, self._process, exclusive=exclusive)
        directive = cast(Directive, answer)
        if directive.stop_job:
            raise stop_error(directive.stop_job)
        return directive

    async def _process_unit(self, read: ReadUnit, directive: Directive) -> UnitOutput | str:
        if directive.quarantine:
            return directive.quarantine
        async with self._judge.use(self._send_last_message) as processor:
            made = await self._unless_stuck(processor(read, self._row_watch(read.task.name, directive)))
        self._ledger.finish_unit.remote(read.task.name, self._process)
        return made

    async def _unless_stuck(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a unit.

        Raises:
            JudgeDied: this process finished no row for `stuck_s`, because an answer does not come.
        """
        self._last_row = time.monotonic()
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait({task}, timeout=_LOOK_S))[0]:
                idle = time.monotonic() - self._last_row
                if self._stuck_s is not None and idle > self._stuck_s:
                    raise JudgeDied(f"no row was finished for {idle:,.0f} s")
            return task.result()
        finally:
            task.cancel()

    def _row_watch(self, unit: str, directive: Directive) -> RowWatch:
        """Counts rows as progress; of a unit that runs exclusively it reports each row to the ledger."""
        watch = RowWatch(
            on_finished=self._note_row,
            poison_rows=dict(directive.poison_rows),
            suspect_rows=directive.suspect_rows,
        )
        if directive.exclusive:
            watch.before_row = lambda row: self._ledger.start_row.remote(unit, self._process, row)
            watch.after_row = lambda row: self._ledger.finish_row.remote(unit, self._process, row)
        return watch

    async def _send_last_message(self, message: str) -> None:
        with suppress(Exception):
            sent = self._ledger.record_last_message.remote(self._process, message)
            await asyncio.wait_for(sent, _LAST_MESSAGE_S)

    def _note_row(self) -> None:
        self._last_row = now = time.monotonic()
        if now - self._last_heartbeat >= _HEARTBEAT_S:
            self._last_heartbeat = now
            self._ledger.heartbeat.remote()

    def __del__(self) -> None:
        # The constructor may have failed before the judge was there.
        if hasattr(self, "_judge"):
            self._judge.close()
