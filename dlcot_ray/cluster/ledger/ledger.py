"""Which worker has which unit in flight: the state from which units and rows that crash workers are found.

Ray reports that a process is gone, but not why. So every worker records a unit here before it processes it,
and removes it afterwards. A unit that is still recorded when the successor of its worker registers was in
flight at the crash. The rules that follow from this are pure functions in `crash_rules.py`.

No Ray here: `open_ledger` in `graph.py` runs a `Ledger` in an actor beside the driver. It lasts as long as
the run, so the next run tries every unit again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from dlcot_ray.cluster.ledger.crash_rules import Directive, WorkerCrash, directive_for, stop_reason
from dlcot_ray.cluster.ledger.status import LedgerStatus, UnitInFlight
from dlcot_ray.cluster.ledger.unit_events import EventKind, Phase, UnitEvents


class _Work(NamedTuple):
    """A unit in one phase of the graph: what is in flight, and what crashes are counted against."""

    phase: Phase
    unit: str


@dataclass(slots=True)
class _Attempt:
    since: float
    rows: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Worker:
    node: str
    judge: bool
    in_flight: dict[_Work, _Attempt] = field(default_factory=dict)
    message: str = ""


class Ledger:
    """The state of one run.

    Args:
        max_crashes: crashes that one unit may cause.
        alive_nodes: returns the ids of the cluster's nodes that are alive now.
        clock: returns seconds.
    """

    def __init__(
        self,
        max_crashes: int,
        alive_nodes: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_crashes = max_crashes
        self._alive_nodes = alive_nodes
        self._clock = clock
        self._workers: dict[str, _Worker] = {}
        # A slot outlives its process: a judge's actor, or a reading or writing task.
        self._slots: dict[str | _Work, str] = {}
        self._crashes: dict[_Work, list[WorkerCrash]] = {}
        self._cleared_rows: dict[_Work, set[str]] = {}
        self._last_progress = clock()
        self._crashes_since_finish: list[WorkerCrash] = []
        self._crashes_without_unit: list[WorkerCrash] = []
        self._crash_count = 0
        self._events = UnitEvents()
        self._quarantined_rows: set[tuple[_Work, str]] = set()

    def register_worker(self, slot: str, process: str, node: str) -> Directive:
        """Register a judge's process in its slot (its actor); an earlier process there has crashed.

        Only `Directive.stop_job` is set in the answer.
        """
        self._replace(slot, process, _Worker(node, judge=True))
        return Directive(stop_job=self._stop_reason())

    def start_task(self, phase: Phase, unit: str, process: str, node: str) -> Directive:
        """Record a unit of a reading or writing task; an earlier process that still has it has crashed."""
        work = _Work(phase, unit)
        self._replace(work, process, _Worker(node, judge=False))
        directive = self._start(work, process, exclusive=True)
        if directive.quarantine:
            self.finish_task(phase, unit)
        return directive

    def finish_task(self, phase: Phase, unit: str) -> None:
        """Remove a unit of a reading or writing task, and its crashes."""
        work = _Work(phase, unit)
        process = self._slots.pop(work, None)
        if process is not None:
            self._workers.pop(process, None)
        self._crashes.pop(work, None)
        self.heartbeat()

    def start_unit(self, unit: str, process: str, *, exclusive: bool = False) -> Directive:
        """Record a unit before a judge processes it.

        The unit is not recorded where the directive quarantines it or asks to run it exclusively and
        `exclusive` is False. A process that is not registered may go on; its crashes are not counted.
        """
        return self._start(_Work(Phase.JUDGING, unit), process, exclusive=exclusive)

    def finish_unit(self, unit: str, process: str) -> None:
        """Remove a unit that a judge has processed, and its crashes."""
        self.heartbeat()
        work = _Work(Phase.JUDGING, unit)
        worker = self._workers.get(process)
        if worker is not None:
            worker.in_flight.pop(work, None)
        self._crashes.pop(work, None)
        self._cleared_rows.pop(work, None)
        self._crashes_since_finish.clear()
        self._crashes_without_unit.clear()

    def start_row(self, unit: str, process: str, row: str) -> None:
        """Record a row of a unit that runs exclusively."""
        self.heartbeat()
        attempt = self._attempt(unit, process)
        if attempt is not None:
            attempt.rows.add(row)

    def finish_row(self, unit: str, process: str, row: str) -> None:
        """Remove a row of a unit that runs exclusively; a row that ran alone is no suspect any more."""
        self.heartbeat()
        attempt = self._attempt(unit, process)
        if attempt is None:
            return
        if attempt.rows == {row}:
            self._cleared_rows.setdefault(_Work(Phase.JUDGING, unit), set()).add(row)
        attempt.rows.discard(row)

    def heartbeat(self) -> None:
        """Record progress now."""
        self._last_progress = self._clock()

    def record_last_message(self, process: str, message: str) -> None:
        """Keep the message of a process that is about to exit; it goes into the reasons of its crash.

        That counts as progress, because the process is about to be replaced.
        """
        self.heartbeat()
        if process in self._workers:
            self._workers[process].message = message

    def forget_workers(self) -> None:
        """Remove all workers without counting crashes, because the graph is rebuilt."""
        self._workers.clear()
        self._slots.clear()
        self.heartbeat()

    def status(self, acknowledged: int = 0) -> LedgerStatus:
        """The state now; of the events, those after the first `acknowledged`."""
        event_count, events = self._events.after(acknowledged)
        alive = self._alive_nodes()
        judges = [worker for worker in self._workers.values() if worker.judge]
        alive_judges = sum(worker.node in alive for worker in judges)
        return LedgerStatus(
            judges=alive_judges,
            lost_judges=len(judges) - alive_judges,
            idle_s=self._clock() - self._last_progress,
            in_flight=self._in_flight(alive),
            crashes=self._crash_count,
            events=events,
            event_count=event_count,
        )

    def _in_flight(self, alive: Collection[str]) -> tuple[UnitInFlight, ...]:
        now = self._clock()
        units = (
            UnitInFlight(work.unit, worker.node, now - attempt.since, tuple(sorted(attempt.rows)), work.phase)
            for worker in self._workers.values()
            if worker.node in alive
            for work, attempt in worker.in_flight.items()
        )
        return tuple(sorted(units, key=lambda item: -item.seconds))

    def _start(self, work: _Work, process: str, *, exclusive: bool) -> Directive:
        self.heartbeat()
        crashes = self._crashes.get(work, [])
        directive = Directive()
        if crashes:
            cleared = self._cleared_rows.get(work, ())
            directive = directive_for(crashes, cleared, self._alive_nodes(), self._max_crashes)
        stop_job = self._stop_reason()
        if stop_job:
            return Directive(stop_job=stop_job)
        directive = replace(directive, attempt=len(crashes) + 1)
        self._record_quarantines(work, directive)
        worker = self._workers.get(process)
        if worker is not None and not directive.quarantine and (exclusive or not directive.exclusive):
            worker.in_flight[work] = _Attempt(self._clock())
            if worker.judge:
                self._events.add(EventKind.UNIT_STARTED, work.unit, work.phase, directive.attempt)
        return directive

    def _attempt(self, unit: str, process: str) -> _Attempt | None:
        worker = self._workers.get(process)
        return worker.in_flight.get(_Work(Phase.JUDGING, unit)) if worker is not None else None

    def _record_quarantines(self, work: _Work, directive: Directive) -> None:
        """Add events for what the directive leaves out; each row once, however often its unit is started."""
        attempt = directive.attempt - 1
        if directive.quarantine:
            self._events.add(
                EventKind.UNIT_QUARANTINED, work.unit, work.phase, attempt, cause=directive.quarantine
            )
        for row, cause in directive.poison_rows:
            if (work, row) not in self._quarantined_rows:
                self._quarantined_rows.add((work, row))
                self._events.add(
                    EventKind.ROW_QUARANTINED, work.unit, work.phase, attempt, cause=cause, row=row
                )

    def _replace(self, slot: str | _Work, process: str, worker: _Worker) -> None:
        """Put a worker into a slot; another process that was there has crashed."""
        before = self._slots.get(slot)
        if before is not None and before != process:
            self._record_crash(before)
        self._slots[slot] = process
        self._workers[process] = worker

    def _record_crash(self, process: str) -> None:
        """Remove a worker, and count its crash against the units that it had in flight."""
        worker = self._workers.pop(process, None)
        if worker is None:
            return
        node_lost = worker.node not in self._alive_nodes()
        cause = worker.message or ("its node was lost" if node_lost else "its worker crashed")
        for work, attempt in worker.in_flight.items():
            crashes = self._crashes.setdefault(work, [])
            crashes.append(WorkerCrash(worker.node, frozenset(attempt.rows), worker.message))
            self._events.add(EventKind.UNIT_REQUEUED, work.unit, work.phase, len(crashes), cause=cause)
            self._cleared_rows.get(work, set()).difference_update(attempt.rows)
        if node_lost:
            return
        self._crash_count += 1
        crash = WorkerCrash(worker.node, message=worker.message)
        (self._crashes_since_finish if worker.in_flight else self._crashes_without_unit).append(crash)

    def _stop_reason(self) -> str:
        judges = sum(worker.judge for worker in self._workers.values())
        return stop_reason(self._crashes_without_unit, self._crashes_since_finish, judges, self._max_crashes)
