"""Follows a graph from outside: ends it with a diagnosis where it hangs, builds it anew where nodes are gone.

The graph runs in a thread of its own and hands its results over, so that the driver never waits inside Ray:
however Ray's calls block, the driver sees the clock, the user's Ctrl-C, and ends. Progress is a finished unit
or, through the ledger, a row that a judge finished; only where there is neither for `stall_s` is it a stall.

Ray gives the units of a lost judge to that judge's successor alone. Where no node has room for one, they
would wait for ever; so once everything else is done the graph is built anew with the judges that fit.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dlcot_ray.cluster.graph import open_ledger, run_graph, stop_graphs
from dlcot_ray.cluster.ledger import Snapshot, longest
from dlcot_ray.cluster.nodes import Workers, cluster_state
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.outputs.layout import ENHANCED
from dlcot_ray.outputs.results import UnitResult
from dlcot_ray.plan.pending import Pending
from dlcot_ray.work.spec import WorkSpec

_TICK_S = 1.0
_PULSE_S = 2.0
_STRANDED_S = 45.0
"""How long a lost judge may take to come back, while nothing else is going on, before the graph is built
anew: an autoscaler that replaces nodes is quicker where it can."""
_ANSWER_S = 10.0
"""How long Ray may take to answer a question."""
_LAST_S = 2.0
"""How long the last question of a run may take."""
_END_S = 30.0
"""How long a graph may take to end."""
_RERUN = "what is finished is kept: run the same command again"


@dataclass(frozen=True, slots=True)
class FailureLimits:
    """What a run puts up with.

    Attributes:
        max_worker_deaths: how often one unit may kill its process.
        max_failed_units: None for any number.
        stall_s: seconds without progress; None waits for ever.
    """

    max_worker_deaths: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0


def run_units(
    pending: Pending,
    spec: WorkSpec,
    workers: Workers,
    limits: FailureLimits,
    plan_again: Callable[[int], Workers],
    watch: Callable[[Snapshot], None] = lambda snapshot: None,
) -> Iterator[UnitResult]:
    """Do the units of `pending`, in any order; yields one result each, as they are finished.

    Args:
        pending: what to read.
        spec: what the workers need to know.
        workers: the pool of judges to begin with.
        limits: see `FailureLimits`.
        plan_again: the pool for so many units on the cluster as it is then.
        watch: is told every few seconds what goes on, by a thread; each happening comes once.

    Raises:
        JobError: it hangs, too many units failed, the output refuses, or Ray gave up.
    """
    ledger = open_ledger(limits.max_worker_deaths)
    pulse = _Pulse(ledger, watch)
    failed: list[str] = []
    try:
        while pending:
            graph = _GraphThread(pending, spec, workers, ledger)
            again: Workers | None = None
            try:
                for result in _results(graph, pulse, limits, workers, plan_again):
                    if isinstance(result, Workers):
                        again = result
                        break
                    if result.refused:
                        # What cannot be written need not be judged.
                        raise JobError(result.refused, _RERUN)
                    if result.error:
                        failed.append(result.name)
                        _check_failures(len(failed), limits, result)
                    yield result
            finally:
                graph.end()
            if again is None:
                return
            ledger.dismiss.remote()
            # By a LIST, because the driver remembers no names of units.
            output = spec.open_output()
            pending = pending.remaining(output.units(output.objects(ENHANCED)), failed)
            workers = again
    finally:
        pulse.stop()


def _results(
    graph: _GraphThread,
    pulse: _Pulse,
    limits: FailureLimits,
    workers: Workers,
    plan_again: Callable[[int], Workers],
) -> Iterator[UnitResult | Workers]:
    """The graph's results; ends with a pool where the graph has to be built anew."""
    moved = time.monotonic()
    while True:
        try:
            item = graph.results.get(timeout=_TICK_S)
        except queue.Empty:
            item = None
        now = time.monotonic()
        if isinstance(item, UnitResult):
            moved = now
            yield item
            continue
        if isinstance(item, BaseException):
            raise item
        if item is _END:
            return
        snapshot = pulse.snapshot
        idle = now - max(moved, pulse.moved)
        if limits.stall_s is not None and idle >= limits.stall_s:
            raise _stalled(idle, limits.stall_s, snapshot, workers)
        if snapshot is None:
            continue
        if snapshot.lost and not snapshot.open and idle >= _STRANDED_S:
            try:
                yield plan_again(workers.count)
                return
            except JobError as error:
                if pulse.complained != str(error):
                    _say(f"waiting for nodes: {error}")
                    pulse.complained = str(error)


def _check_failures(failed: int, limits: FailureLimits, last: UnitResult) -> None:
    if limits.max_failed_units is not None and failed > limits.max_failed_units:
        raise JobError(
            f"{failed} units failed, more than max_failed_units={limits.max_failed_units}; the last: "
            f"{last.file}, rows {last.start}-{last.stop - 1}: {last.error}",
            f"see to the cause; {_RERUN}",
        )


def _stalled(idle: float, stall_s: float, snapshot: Snapshot | None, workers: Workers) -> JobError:
    """What hangs, as far as anybody can say."""
    parts = [f"nothing was finished for {idle:,.0f} s (stall_s={stall_s:g})", _answered(cluster_state)]
    if snapshot is None:
        parts.append("the workers' ledger does not answer")
    else:
        parts.append(f"{snapshot.judges} of {workers.count} judges run, {snapshot.deaths} processes died")
        parts.append(f"in progress: {longest(snapshot.open)}")
    remedy = f"{_RERUN}, with a larger stall_s if a row or the start of the judge may take that long"
    return JobError("; ".join(parts), remedy)


def _answered(ask: Callable[[], str]) -> str:
    """What a call into Ray says, if it says anything in time."""
    said: list[str] = []

    def run() -> None:
        try:
            said.append(ask())
        except Exception as error:
            said.append(f"Ray says: {reason_of(error)}")

    thread = threading.Thread(target=run, name="dlcot-diagnosis", daemon=True)
    thread.start()
    thread.join(_ANSWER_S)
    return said[0] if said else f"Ray does not answer ({_ANSWER_S:g} s)"


def _say(text: str) -> None:
    print(f"dlcot: {text}", file=sys.stderr, flush=True)


_END = object()


class _GraphThread:
    """One graph in its thread; `results` has its results, then `_END` or what it raised."""

    def __init__(self, pending: Pending, spec: WorkSpec, workers: Workers, ledger: Any) -> None:
        self.results: queue.Queue[Any] = queue.Queue(maxsize=64)
        self._ended = threading.Event()
        self._arguments = (pending, spec, workers, ledger)
        self._thread = threading.Thread(target=self._run, name="dlcot-graph", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            for result in run_graph(*self._arguments):
                if not self._put(result):
                    return
            self._put(_END)
        except BaseException as error:
            self._put(error)

    def _put(self, item: Any) -> bool:
        while not self._ended.is_set():
            try:
                self.results.put(item, timeout=_TICK_S)
                return True
            except queue.Full:
                continue
        return False

    def end(self) -> None:
        """End the graph and its judges; one that does not end in time is left behind."""
        self._ended.set()
        if not self._thread.is_alive():
            return
        stopping = threading.Thread(target=stop_graphs, name="dlcot-stop-graph", daemon=True)
        stopping.start()
        stopping.join(_END_S)
        self._thread.join(_TICK_S)


class _Pulse:
    """Asks the ledger now and then, in a thread of its own, because the answer may never come.

    Attributes:
        snapshot: the last answer.
        moved: when something last went on (`time.monotonic`).
        complained: what was last said about the cluster.
    """

    def __init__(self, ledger: Any, watch: Callable[[Snapshot], None]) -> None:
        self.snapshot: Snapshot | None = None
        self.moved = time.monotonic()
        self.complained = ""
        self._ledger = ledger
        self._watch = watch
        self._lost = self._deaths = self._told = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlcot-pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask once more, for what happened since, and then no more."""
        self._stopped.set()
        self._thread.join(_LAST_S)

    def _run(self) -> None:
        import ray

        stopped = False
        while not stopped:
            stopped = self._stopped.wait(_PULSE_S)
            if not ray.is_initialized():
                return
            try:
                answer = self._ledger.snapshot.remote(self._told)
                found: Snapshot = ray.get(answer, timeout=_LAST_S if stopped else _ANSWER_S)
            except Exception:
                # Not answered: what this means shows in the clock.
                self.snapshot = None
                continue
            self.snapshot, self._told = found, found.told
            self._watch(found)
            if not self._stopped.is_set():
                self._tell(found)
            self.moved = max(self.moved, time.monotonic() - found.quiet_s)

    def _tell(self, found: Snapshot) -> None:
        """What the user has to know of, but rarely."""
        if found.lost > self._lost:
            _say(f"{found.lost} judges were lost with their nodes; what they had in progress is done again")
        self._lost = found.lost
        if found.deaths > 2 * self._deaths:
            _say(f"{found.deaths} worker processes died so far; what they had in progress is done again")
            self._deaths = found.deaths
