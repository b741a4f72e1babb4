"""A rules judge that crashes or hangs on request, takes its time, and logs every trace that it starts.

Words in a trace's problem request a fault. CRASH kills the process, as a segmentation fault or the kernel's
out-of-memory killer would. WAIT waits for an answer that never comes, LOOP runs an endless loop, and STUCK a step
of the interpreter that cannot be interrupted. `log` is a file with one line for each trace started, so that a
test can count what was redone.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import time
from pathlib import Path

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge


class FaultyJudge(RulesJudge):
    """`seconds`: for each trace; `start_crashes`, `start_hangs`: whether `start` kills the process, or never ends."""

    def __init__(
        self,
        *,
        seconds: float = 0.0,
        log: str = "",
        start_crashes: bool = False,
        start_hangs: bool = False,
    ) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log
        self._start_crashes, self._start_hangs = start_crashes, start_hangs

    def start(self) -> None:
        if self._start_crashes:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._start_hangs:
            time.sleep(1e6)
        super().start()

    async def judge(self, trace: Trace) -> Annotation:
        if self._log:
            self._log_start(trace.trace_id)
        if "CRASH" in trace.problem:
            os.kill(os.getpid(), signal.SIGKILL)
        if "WAIT" in trace.problem:
            await asyncio.sleep(1e6)
        while "LOOP" in trace.problem:
            pass
        if "STUCK" in trace.problem:
            re.match("(?:a|aa)+$", "a" * 90 + "b")
        await asyncio.sleep(self._seconds)
        return await super().judge(trace)

    def _log_start(self, trace_id: str) -> None:
        # One write to a file opened for appending is atomic, even if several processes write.
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, f"{trace_id} {os.getpid()}\n".encode())
        finally:
            os.close(handle)


def trace_starts(log: Path) -> dict[str, int]:
    """How often each trace was started."""
    counts: dict[str, int] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        trace_id = line.split()[0]
        counts[trace_id] = counts.get(trace_id, 0) + 1
    return counts
