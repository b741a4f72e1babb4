"""Supervises a graph from outside: ends the job where it stalls, and rebuilds the graph where nodes are gone.

The graph runs in a thread of its own and hands over its results, so that the driver never waits inside Ray.
However long a call into Ray blocks, the driver sees the clock and the user's Ctrl-C. A finished unit is
progress, and so is a finished row, which the ledger reports. The job is stalled only where there is neither
for `stall_s`.

Ray gives the units of a lost judge to that judge's successor alone. If no node has room for a successor, they
would wait for ever. So once nothing else is in flight, the graph is rebuilt with the judges that fit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from dlcot_ray.cluster.graph import open_ledger, run_graph, stop_graphs
from dlcot_ray.cluster.heartbeat import ANSWER_S, HeartbeatPoller
from dlcot_ray.cluster.ledger.status import LedgerStatus, describe_in_flight
from dlcot_ray.cluster.nodes import Workers, cluster_state
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.outputs.layout import ENHANCED
from dlcot_ray.outputs.results import UnitResult
from dlcot_ray.plan.pending import Pending
from dlcot_ray.terminal import note
from dlcot_ray.work.spec import WorkSpec

_TICK_S = 1.0
LOST_JUDGE_S = 45.0
"""How long a lost judge may take to come back, while nothing else is in flight, before the graph is rebuilt.
An autoscaler that can replace the node takes less."""
_END_S = 30.0
"""How long a graph may take to end."""
_RERUN = "what is finished is kept: run the same command again"


@dataclass(frozen=True, slots=True)
class FailureLimits:
    """When a run gives up.

    Attributes:
        max_worker_crashes: worker crashes that one unit may cause.
        max_failed_units: failed units that a run may have; None for any number.
        stall_s: seconds without progress; None for any time.
    """

    max_worker_crashes: int = 3
    max_failed_units: int | None = 20
    stall_s: float | None = 1800.0


def run_units(
    pending: Pending,
    spec: WorkSpec,
    workers: Workers,
    limits: FailureLimits,
    plan_again: Callable[[int], Workers],
    on_status: Callable[[LedgerStatus], None] = lambda status: None,
) -> Iterator[UnitResult]:
    """Process the units of `pending`; yields one result each as they are finished, in any order.

    Args:
        pending: units to process.
        spec: the job's settings for workers.
        workers: size of the pool of judges to begin with.
        limits: see `FailureLimits`.
        plan_again: returns the pool that fits on the cluster now, given the largest useful number of judges.
        on_status: called every few seconds, in another thread; each event is in one status only.

    Raises:
        JobError: the job stalled, too many units failed, the output refuses writes, or Ray gave up.
    """
    ledger = open_ledger(limits.max_worker_crashes)
    poller = HeartbeatPoller(ledger, on_status)
    failed: list[str] = []
    try:
        while pending:
            graph = _GraphThread(pending, spec, workers, ledger)
            rebuild: Workers | None = None
            try:
                for result in _results(graph, poller, limits, workers, plan_again):
                    if isinstance(result, Workers):
                        rebuild = result
                        break
                    if result.refused:
                        # No other unit can be written either, so none needs to be judged.
                        raise JobError(result.refused, _RERUN)
                    if result.error:
                        failed.append(result.name)
                        _check_failures(len(failed), limits, result)
                    yield result
            finally:
                graph.end()
            if rebuild is None:
                return
            ledger.forget_workers.remote()
            # Listed anew, because the driver does not keep the names of finished units.
            output = spec.open_output()
            pending = pending.remaining(output.units(output.objects(ENHANCED)), failed)
            workers = rebuild
    finally:
        poller.stop()
        # Idle workers keep the handle that their last task had, and the ledger would live as long as they do.
        ledger.__ray_terminate__.remote()


def _results(
    graph: _GraphThread,
    poller: HeartbeatPoller,
    limits: FailureLimits,
    workers: Workers,
    plan_again: Callable[[int], Workers],
) -> Iterator[UnitResult | Workers]:
    """The graph's results; the last item is a pool where the graph has to be rebuilt."""
    last_result = time.monotonic()
    last_warning = ""
    while True:
        try:
            item = graph.results.get(timeout=_TICK_S)
        except queue.Empty:
            item = None
        now = time.monotonic()
        if isinstance(item, UnitResult):
            last_result = now
            yield item
            continue
        if isinstance(item, BaseException):
            raise item
        if item is _END:
            return
        status = poller.status
        idle = now - max(last_result, poller.last_progress)
        if limits.stall_s is not None and idle >= limits.stall_s:
            raise _stalled(idle, limits.stall_s, status, workers)
        if status is not None and status.lost_judges and not status.in_flight and idle >= LOST_JUDGE_S:
            try:
                yield plan_again(workers.count)
                return
            except JobError as error:
                if last_warning != str(error):
                    last_warning = str(error)
                    note(f"waiting for nodes: {error}")


def _check_failures(failed: int, limits: FailureLimits, last: UnitResult) -> None:
    if limits.max_failed_units is not None and failed > limits.max_failed_units:
        raise JobError(
            f"{failed} units failed, more than max_failed_units={limits.max_failed_units}; the last: "
            f"{last.file}, rows {last.start}-{last.stop - 1}: {last.error}",
            f"see to the cause; {_RERUN}",
        )


def _stalled(idle: float, stall_s: float, status: LedgerStatus | None, workers: Workers) -> JobError:
    """The error for a stalled job, with what is known about the cluster and the units in flight."""
    parts = [f"nothing was finished for {idle:,.0f} s (stall_s={stall_s:g})", _in_time(cluster_state)]
    if status is None:
        parts.append("the workers' ledger does not answer")
    else:
        parts.append(f"{status.judges} of {workers.count} judges run, {status.crashes} processes crashed")
        parts.append(f"in flight: {describe_in_flight(status.in_flight)}")
    remedy = f"{_RERUN}, with a larger stall_s if a row or the start of the judge may take that long"
    return JobError("; ".join(parts), remedy)


def _in_time(ask: Callable[[], str]) -> str:
    """The answer of a call into Ray, or that Ray does not answer in time."""
    answers: list[str] = []

    def run() -> None:
        try:
            answers.append(ask())
        except Exception as error:
            answers.append(f"Ray says: {reason_of(error)}")

    thread = threading.Thread(target=run, name="dlcot-diagnosis", daemon=True)
    thread.start()
    thread.join(ANSWER_S)
    return answers[0] if answers else f"Ray does not answer ({ANSWER_S:g} s)"


_END = object()


class _GraphThread:
    """One graph in its thread; `results` has its results, then `_END` or the exception that it raised."""

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
        """Hand over an item; False if the graph was ended meanwhile."""
        while not self._ended.is_set():
            try:
                self.results.put(item, timeout=_TICK_S)
                return True
            except queue.Full:
                continue
        return False

    def end(self) -> None:
        """Stop the graph and its judges; one that does not end in time is left to its daemon thread."""
        self._ended.set()
        if not self._thread.is_alive():
            return
        stopping = threading.Thread(target=stop_graphs, name="dlcot-stop-graph", daemon=True)
        stopping.start()
        stopping.join(_END_S)
        self._thread.join(_TICK_S)
