"""A rules judge that waits until several processes judge; each process leaves a file."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge


class SlowJudge(RulesJudge):
    """Judges once `several` processes have left a file in `folder`, or after `seconds`; waiting counts as busy."""

    def __init__(self, folder: str, several: int = 2, seconds: float = 120.0) -> None:
        super().__init__()
        self._folder, self._several, self._seconds = Path(folder), several, seconds
        self.busy_seconds = 0.0

    async def judge(self, trace: Trace) -> Annotation:
        (self._folder / str(os.getpid())).touch()
        begin = time.monotonic()
        while len(list(self._folder.iterdir())) < self._several:
            if time.monotonic() - begin > self._seconds:
                break
            await asyncio.sleep(0.1)
        # Half, because two units wait at the same time.
        self.busy_seconds += (time.monotonic() - begin) / 2
        return await super().judge(trace)
