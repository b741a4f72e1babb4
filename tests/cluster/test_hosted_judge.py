"""A judge inside an actor: one start, the reason at the first call, an exit with the engine."""

from __future__ import annotations

import asyncio
import os

import pytest

from dlcot_ray.cluster.hosted_judge import HostedJudge, stop_error, unavailable_judge
from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable


class Engine:
    """Counts its starts and closes; `fault` is raised by the start."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.fault = fault
        self.starts = self.closes = 0

    def start(self) -> None:
        self.starts += 1
        if self.fault is not None:
            raise self.fault

    def close(self) -> None:
        self.closes += 1


class Exited(BaseException):
    """Takes the place of the end of the process."""


def raise_in(hosted: HostedJudge[Engine], error: Exception, messages: list[str]) -> None:
    async def keep(message: str) -> None:
        messages.append(message)

    async def run() -> None:
        async with hosted.use(keep):
            raise error

    asyncio.run(run())


def test_a_judge_is_started_once_and_closed() -> None:
    engine = Engine()
    hosted = HostedJudge(lambda: engine)
    assert hosted.get() is engine
    assert hosted.get() is engine
    assert engine.starts == 1
    hosted.close()
    assert engine.closes == 1


@pytest.mark.parametrize("fault", [JudgeUnavailable("no model", "get one"), JobError("no model", "get one")])
def test_a_judge_that_cannot_start_is_reported_by_the_first_call(fault: Exception) -> None:
    hosted = HostedJudge(lambda: Engine(fault))
    with pytest.raises(RuntimeError) as raised:
        hosted.get()
    # As Ray shows it: many lines around the one that counts.
    wrapped = RuntimeError(f"ray::JudgeActor()\n  File x\n{raised.value}\nmore lines")
    reason = unavailable_judge(wrapped)
    assert reason is not None
    assert (reason.message, reason.remedy) == ("no model", "get one")
    hosted.close()


def test_a_judge_is_not_started_where_the_job_stops() -> None:
    engine = Engine()
    hosted = HostedJudge(lambda: engine, stop_job="13 worker processes crashed")
    with pytest.raises(RuntimeError, match="13 worker processes crashed"):
        hosted.get()
    assert engine.starts == 0
    assert str(unavailable_judge(stop_error("too many crashes"))) == "too many crashes"
    assert unavailable_judge(RuntimeError("something else")) is None


def test_the_process_exits_when_the_engine_died(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Exited

    monkeypatch.setattr(os, "_exit", end)
    messages: list[str] = []
    with pytest.raises(Exited):
        raise_in(HostedJudge(Engine), JudgeDied("out of memory"), messages)
    assert (statuses, messages) == ([70], ["out of memory"])


def test_an_engine_that_becomes_unavailable_is_reported_too() -> None:
    messages: list[str] = []
    with pytest.raises(RuntimeError) as raised:
        raise_in(HostedJudge(Engine), JudgeUnavailable("no more keys", "buy some"), messages)
    assert str(unavailable_judge(raised.value)) == "no more keys; buy some"
    assert messages == []
