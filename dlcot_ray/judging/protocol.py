"""The protocols of every judge and writer, and the errors that they raise.

A judge turns a trace into an annotation. A writer supplies the few sentences that an edit needs (a repair, a
bridge). Both are coroutines, because a model keeps many traces in flight on one engine. A judge that fails on
a trace raises `JudgeError`, and the job passes the row through unchanged and flagged; a writer without a text
says why. Only `JudgeUnavailable` (no engine can be started) and `JudgeDied` (the engine died) concern more
than one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dlcot_ray.core.annotation import Annotation, ErrorSpan, Tokens
from dlcot_ray.core.trace import Trace


class JudgeError(Exception):
    """A trace could not be judged. `raw_reply` is what the model said, where one did."""

    def __init__(self, message: str, *, raw_reply: str | None = None) -> None:
        super().__init__(message)
        self.raw_reply = raw_reply


class JudgeUnavailable(Exception):
    """The judge cannot be started with its settings, so another attempt would fail too. Ends the job."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}; {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy


class JudgeDied(Exception):
    """The judge's engine died, so the judge's process must be replaced."""


class Judge(Protocol):
    """Turns a trace into an annotation."""

    @property
    def identity(self) -> str:
        """Name and version, e.g. ``rules/1``; part of every fingerprint. Cheap: loads no engine."""
        ...

    def start(self) -> None:
        """Load what judging needs, so that a fault shows before the first trace. Safe to call twice.

        Raises:
            JudgeUnavailable: it cannot be loaded.
        """
        ...

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace.

        Raises:
            JudgeError: the trace could not be judged.
            JudgeDied: the engine died, so no other trace can be judged either.
        """
        ...

    def close(self) -> None:
        """Release engines and helper processes. Safe to call twice."""
        ...


class MethodComparer(Protocol):
    """A judge with a numeric similarity of methods; the threshold curve of an evaluation needs one."""

    @property
    def same_method(self) -> float:
        """The similarity from which two texts count as one method."""
        ...

    def method_similarity(self, problem: str, first: str, second: str) -> float:
        """The similarity of the methods of two solutions to one problem, 0..1."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """The answer of a writer.

    Attributes:
        text: the text to insert or to put in place of the segments, or None where it has none.
        tokens: what asking cost.
        note: why there is no text, or empty.
    """

    text: str | None
    tokens: Tokens = field(default_factory=Tokens)
    note: str = ""


class Writer(Protocol):
    """Writes the few sentences that an edit needs, in the trace's own voice (DLCoT steps 5.2 and 6)."""

    @property
    def identity(self) -> str:
        """Name and version; part of what a derived output records."""
        ...

    async def repair(
        self, trace: Trace, segment_offsets: Sequence[int], start: int, stop: int, errors: Sequence[ErrorSpan]
    ) -> Written:
        """Rewrite segments `[start, stop)` without their errors; the new text is not longer.

        Raises:
            JudgeDied: the engine is gone.
        """
        ...

    async def bridge(self, trace: Trace, segment_offsets: Sequence[int], left: int, right: int) -> Written:
        """One or two sentences that join segment `left` to segment `right`; all segments between are dropped.

        `left` is -1 if no segment precedes; `right` is the number of segments if none follows.

        Raises:
            JudgeDied: the engine is gone.
        """
        ...
