"""The one protocol of every judge, and what a judge may rely on.

`judge` is a coroutine because a model judge keeps many traces in flight on one engine; the rules
judge simply never awaits. A judge answers with an annotation or raises `JudgeError`; it never drops
a row: the job then passes the row through unchanged and flagged.
"""

from __future__ import annotations

from typing import Protocol

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace


class JudgeError(Exception):
    """A trace could not be judged. `raw_reply` is what the model said, where one did."""

    def __init__(self, message: str, *, raw_reply: str | None = None) -> None:
        super().__init__(message)
        self.raw_reply = raw_reply


class Judge(Protocol):
    """Turns a trace into an annotation."""

    @property
    def identity(self) -> str:
        """Name and version, e.g. ``rules/1``; part of every fingerprint."""
        ...

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace.

        Raises:
            JudgeError: the trace could not be judged.
        """
        ...

    def close(self) -> None:
        """Release engines and helper processes. Safe to call twice."""
        ...
