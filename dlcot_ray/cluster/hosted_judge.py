"""A judge inside a Ray actor: start it once, exit with its engine, report that it is unavailable.

Ray restarts an actor whose constructor fails, without end. So a judge that cannot start does not fail the
constructor: the first call of the actor raises the reason, and the driver reads it out of Ray's error.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, TypeVar

from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable

_EXIT_STATUS = 70
_UNAVAILABLE = "judge unavailable: "
"""Marks the reason among the lines that Ray wraps around it; JSON follows."""


class Startable(Protocol):
    """A judge, or something that owns one."""

    def start(self) -> None:
        """Load the engine; raises JudgeUnavailable where that cannot work."""
        ...

    def close(self) -> None:
        """Release the engine. Safe to call twice."""
        ...


Hosted = TypeVar("Hosted", bound=Startable)


async def _no_message(message: str) -> None:
    return None


class HostedJudge(Generic[Hosted]):
    """The judge of one actor.

    Args:
        make: builds the judge.
        stop_job: reason not to start it at all, or empty.
    """

    def __init__(self, make: Callable[[], Hosted], stop_job: str = "") -> None:
        self._judge: Hosted | None = None
        self._unavailable: tuple[str, str] | None = (stop_job, "") if stop_job else None
        if not stop_job:
            try:
                self._judge = make()
                self._judge.start()
            except (JobError, JudgeUnavailable) as error:
                self._unavailable = (error.message, error.remedy)

    def get(self) -> Hosted:
        """The judge.

        Raises:
            RuntimeError: it is unavailable; `unavailable_judge` reads the reason.
        """
        if self._judge is None or self._unavailable is not None:
            raise _marked(*(self._unavailable or ("it was closed", "")))
        return self._judge

    @asynccontextmanager
    async def use(
        self, send_last_message: Callable[[str], Awaitable[None]] = _no_message
    ) -> AsyncIterator[Hosted]:
        """The judge, for one piece of work; the process exits if the engine dies meanwhile.

        An engine cannot be restarted in its process. Ray starts a new process, which gets the work again.

        Args:
            send_last_message: awaited with the engine's error before the exit.

        Raises:
            RuntimeError: the judge is unavailable; `unavailable_judge` reads the reason.
        """
        try:
            yield self.get()
        except JudgeDied as error:
            await send_last_message(str(error))
            os._exit(_EXIT_STATUS)
        except JudgeUnavailable as error:
            raise _marked(error.message, error.remedy) from error

    def close(self) -> None:
        """Release the engine. Safe to call twice."""
        if self._judge is not None:
            self._judge.close()


def stop_error(reason: str) -> RuntimeError:
    """The error with which an actor stops the whole job; `unavailable_judge` reads the reason."""
    return _marked(reason, "")


def unavailable_judge(error: Exception) -> JobError | None:
    """The reason that a `HostedJudge` raised, read out of Ray's error; None for any other error."""
    _, found, rest = str(error).partition(_UNAVAILABLE)
    if not found:
        return None
    (message, remedy), _ = json.JSONDecoder().raw_decode(rest)
    return JobError(message, remedy)


def _marked(message: str, remedy: str) -> RuntimeError:
    return RuntimeError(f"{_UNAVAILABLE}{json.dumps([message, remedy])}")
