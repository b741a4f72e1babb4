"""A rules judge that logs every trace it judges, so that tests can count judgements."""

from __future__ import annotations

import os
import time
from pathlib import Path

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.rules.judge import RulesJudge, annotate

_HELD_S = 120.0


class CountingJudge(RulesJudge):
    """Appends the id of each trace to `log`.

    While the file `log`.slow exists, each trace takes a second; while `log`.held exists, none is judged, for
    two minutes at most.

    Args:
        log: a path that all workers share.
        edition: part of its identity; another edition counts as another judge.
    """

    def __init__(self, log: str, edition: int = 1) -> None:
        # A long timeout, so that no verdict depends on the load of the machine and runs stay comparable.
        super().__init__(cas_timeout_seconds=120.0)
        self._log, self._edition = log, edition

    @property
    def identity(self) -> str:
        return f"counting/{self._edition}"

    async def judge(self, trace: Trace) -> Annotation:
        if Path(f"{self._log}.slow").exists():
            time.sleep(1.0)
        end = time.monotonic() + _HELD_S
        while Path(f"{self._log}.held").exists() and time.monotonic() < end:
            time.sleep(0.1)
        handle = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(handle, f"{trace.trace_id}\n".encode())
        finally:
            os.close(handle)
        return annotate(trace, find(trace, self.checker), self.identity)
