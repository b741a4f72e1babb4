"""A judge around another judge: it passes on everything but what it changes."""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.protocol import Judge


class WrappedJudge:
    """Does what the wrapped judge does. A subclass changes `judge`, and goes on by `super().judge(trace)`."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    @property
    def identity(self) -> str:
        """Identity of the wrapped judge."""
        return self._judge.identity

    def start(self) -> None:
        """Start the wrapped judge."""
        self._judge.start()

    async def judge(self, trace: Trace) -> Annotation:
        """The wrapped judge's annotation.

        Raises:
            JudgeError, JudgeDied: as the wrapped judge.
        """
        return await self._judge.judge(trace)

    def close(self) -> None:
        """Close the wrapped judge."""
        self._judge.close()
