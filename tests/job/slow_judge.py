"""A judge that takes its time and leaves a file per process, to see how many of them work."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge


class SlowJudge(RulesJudge):
    """The rules with a pause, which counts as its engine's work."""

    def __init__(self, folder: str, pause: float = 0.7) -> None:
        super().__init__()
        self._folder, self._pause = Path(folder), pause
        self.busy_seconds = 0.0

    async def judge(self, trace: Trace) -> Annotation:
        (self._folder / str(os.getpid())).touch()
        begin = time.monotonic()
        await asyncio.sleep(self._pause)
        # Two units at once share the time.
        self.busy_seconds += (time.monotonic() - begin) / 2
        return await super().judge(trace)
