"""A limit on the CPU time that one row may take to be judged, and again to be edited.

Python cannot stop a thread, so there are two limits. At the first one an exception is set in the thread that
works on the row. It arrives at the next step of Python code, and the row counts as too slow. A search of a
regular expression or a product of huge numbers is one step, which may not end. So in a worker's process there
is a second limit: a timer of the kernel ends the process. The ledger finds the row as it finds rows that
crash their workers.

CPU time counts, not time on the clock: what becomes of a row must not depend on how busy a machine is. While
a row waits for a model nothing counts.
"""

from __future__ import annotations

import ctypes
import faulthandler
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any, Generic, TypeVar

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.judging.wrapping import WrappedJudge

T = TypeVar("T")

_LOOK_S = 0.25
"""Seconds between two looks at the row that runs."""
_AGAIN_S = 1.0
"""CPU seconds after which a thread that goes on is told again."""
_KILL_FACTOR = 2.0
"""Times the limit, and `_KILL_MORE_S` on top: CPU seconds of the process after which the kernel ends it."""
_KILL_MORE_S = 3.0


class RowTooSlow(Exception):
    """A row took more CPU time than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"it took more than row_seconds={seconds:g} of CPU time")


class _TimeIsUp(BaseException):
    """Set in the thread of a row. No handler of ordinary errors takes it."""


class RowBudget:
    """Runs steps of rows within a limit. One for all rows of a process; threads may share it.

    Args:
        seconds: CPU seconds for each meter; None for no limit.
        kills: end the process where a step cannot be interrupted. Only for processes that are replaced.
    """

    def __init__(self, seconds: float | None = None, *, kills: bool = False) -> None:
        self.seconds = seconds
        self._kills = kills
        self._lock = threading.Lock()
        self._running: dict[int, float] = {}
        self._watcher: threading.Thread | None = None
        if kills and seconds is not None:
            # The stack goes to the worker's log; then the signal's default ends the process.
            with suppress(Exception):
                faulthandler.register(signal.SIGPROF, file=2, all_threads=True, chain=True)

    def meter(self) -> RowMeter:
        """A meter for one row."""
        return RowMeter(self)

    def run(self, function: Callable[[], T]) -> T:
        """Run one function on a meter of its own.

        Raises:
            RowTooSlow: it took too long.
        """
        return self.meter().run(function)

    async def wait(self, work: Awaitable[T]) -> T:
        """Await something; only its own steps count, not the time in between.

        Raises:
            RowTooSlow: its steps took too long.
        """
        return await (work if self.seconds is None else _Metered(work, self.meter()))

    def enter(self, seconds: float) -> None:
        """Allow this thread so many CPU seconds from now on."""
        with self._lock:
            self._running[threading.get_ident()] = _thread_seconds(threading.get_ident()) + seconds
            self._set_timer(seconds)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="dlcot-row-budget", daemon=True)
                self._watcher.start()

    def leave(self) -> None:
        """End what `enter` began. Safe to call twice."""
        with self._lock:
            self._running.pop(threading.get_ident(), None)
            _set_in_thread(threading.get_ident(), None)
            if not self._running:
                self._set_timer(None)

    def _set_timer(self, seconds: float | None) -> None:
        if self._kills:
            after = 0.0 if seconds is None else seconds * _KILL_FACTOR + _KILL_MORE_S
            signal.setitimer(signal.ITIMER_PROF, after)

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            with self._lock:
                for thread, until in self._running.items():
                    used = _thread_seconds(thread)
                    if used > until:
                        # Once more later, because an exception inside a finalizer goes no further.
                        self._running[thread] = used + _AGAIN_S
                        _set_in_thread(thread, _TimeIsUp)


class RowMeter:
    """What one row has left."""

    def __init__(self, budget: RowBudget) -> None:
        self._budget = budget
        self._left = budget.seconds or 0.0

    def run(self, function: Callable[[], T]) -> T:
        """Run one step of the row.

        Raises:
            RowTooSlow: all its steps together took too long.
        """
        limit, budget = self._budget.seconds, self._budget
        if limit is None:
            return function()
        begin = time.thread_time()
        try:
            try:
                budget.enter(self._left)
                return function()
            finally:
                budget.leave()
        except (_TimeIsUp, BaseExceptionGroup) as stopped:
            # It may also have come while the function's result was on its way out.
            budget.leave()
            if isinstance(stopped, BaseExceptionGroup) and not stopped.subgroup(_TimeIsUp):
                raise
            self._left = 0.0
            raise RowTooSlow(limit) from None
        finally:
            self._left = max(self._left - (time.thread_time() - begin), 0.0)


class TimedJudge(WrappedJudge):
    """A judge that raises `RowTooSlow` where a trace takes too long."""

    def __init__(self, judge: Judge, budget: RowBudget) -> None:
        super().__init__(judge)
        self._budget = budget

    async def judge(self, trace: Trace) -> Annotation:
        """The wrapped judge's annotation.

        Raises:
            RowTooSlow: it took too long.
        """
        return await self._budget.wait(super().judge(trace))


class _Metered(Generic[T]):
    """An awaitable whose steps run on a meter."""

    def __init__(self, work: Awaitable[T], meter: RowMeter) -> None:
        self._work, self._meter = work, meter

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._work.__await__()
        ended: list[T] = []

        def step(send: Callable[[], Any]) -> Any:
            try:
                return self._meter.run(send)
            except StopIteration as stop:
                ended.append(stop.value)
                return None

        waits_for = step(lambda: next(steps))
        while not ended:
            try:
                given = yield waits_for
            except BaseException as error:
                thrown = error
                waits_for = step(lambda: steps.throw(thrown))  # noqa: B023 - called at once
            else:
                waits_for = step(lambda: steps.send(given))  # noqa: B023 - called at once
        return ended[0]


def _thread_seconds(thread: int) -> float:
    """CPU seconds of a thread; of the whole process where the system does not tell."""
    try:
        return time.clock_gettime(time.pthread_getcpuclockid(thread))
    except (AttributeError, OSError):
        return time.process_time()


def _set_in_thread(thread: int, error: type[BaseException] | None) -> None:
    """Let a thread raise this at its next step of Python code; None takes back what has not arrived."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )
