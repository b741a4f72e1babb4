"""A judge with faults on command: the rules judge, slowed down, that notes every trace it begins.

Words in a trace's problem make it misbehave: CRASH ends the process as a segmentation fault or the kernel's
out-of-memory killer would, HANG never answers. `log` is a file with one line for each trace begun, so that a
test can count what was done again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge


class FaultyJudge(RulesJudge):
    """`seconds`: how long a trace takes; `start_crashes`: the process ends as soon as it starts."""

    def __init__(self, *, seconds: float = 0.0, log: str = "", start_crashes: bool = False) -> None:
        super().__init__()
        self._seconds = seconds
        self._log = log
        self._start_crashes = start_crashes

    def start(self) -> None:
        if self._start_crashes:
            os.kill(os.getpid(), signal.SIGKILL)
        super().start()

    async def judge(self, trace: Trace) -> Annotation:
        if self._log:
            self._note(trace.trace_id)
        if "CRASH" in trace.problem:
            os.kill(os.getpid(), signal.SIGKILL)
        if "HANG" in trace.problem:
            await asyncio.sleep(1e6)
        await asyncio.sleep(self._seconds)
        return await super().judge(trace)

    def _note(self, trace_id: str) -> None:
        # One write to a file opened for appending is whole, whoever else writes.
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, f"{trace_id} {os.getpid()}\n".encode())
        finally:
            os.close(handle)


def begun(log: Path) -> dict[str, int]:
    """How often each trace was begun."""
    counts: dict[str, int] = {}
    for line in log.read_text().splitlines() if log.exists() else []:
        trace_id = line.split()[0]
        counts[trace_id] = counts.get(trace_id, 0) + 1
    return counts
