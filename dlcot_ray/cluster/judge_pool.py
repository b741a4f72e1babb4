"""Judges traces outside a job's graph, for evaluations: in this process, or in actors on Ray.

A light judge runs in this process, because starting Ray takes longer than judging. Any other judge runs in
actors of the same size as in a job, and by the same rules. One that cannot start ends the evaluation with its
own message; one whose engine dies is replaced and gets its traces again. There is no Ray Data here: a few
hundred traces need a deadline, not streaming.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray.cluster.hosted_judge import HostedJudge, unavailable_judge
from dlcot_ray.cluster.nodes import plan_workers, ray_reason, start_ray, stop_ray
from dlcot_ray.config.groups import WorkerConfig
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.pool import pool_of
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import MAX_TRACE_CHARS, Trace
from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import Judge, JudgeDied, JudgeUnavailable
from dlcot_ray.work.judging import Judged, judge_all

_RESTARTS = 5
_SMALLEST_CHUNK = 16
"""Traces that a judge in this process gets at once, at least."""
_CHUNKS_AT_ONCE = 2
"""Chunks in one actor at a time, so that its engine is not idle between two."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """What judging a set of traces gave.

    Attributes:
        annotations: by trace id.
        failed: by trace id, why a trace has only a placeholder.
        seconds: wall-clock time.
    """

    annotations: dict[str, Annotation]
    failed: dict[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where to judge.

    Attributes:
        where: ``here``, ``ray``, or ``auto``: here for a light judge, on Ray for any other.
        address: of the Ray cluster, as `start_ray` takes it.
        workers: most actors; None takes the room that the cluster has.
        max_seconds: deadline; None for no deadline.
    """

    where: str = "auto"
    address: str | None = None
    workers: int | None = None
    max_seconds: float | None = None


def judge_traces(traces: Sequence[Trace], config: JudgeConfig, place: Place) -> Judgements:
    """Judge all traces, longest first.

    Raises:
        JobError: the judge is unavailable, its engine died too often, or the deadline passed.
    """
    here = config.light if place.where == "auto" else place.where == "here"
    started = time.monotonic()
    ordered = sorted(traces, key=lambda trace: -len(trace.reasoning))
    judged: list[Judged] = []
    if ordered:
        try:
            judged = (_judge_here if here else _judge_on_ray)(ordered, config, place)
        except TimeoutError as error:
            raise JobError(
                f"judging {len(traces)} traces took longer than {place.max_seconds:g} s",
                "give it more time, or fewer traces",
            ) from error
    return Judgements(
        {item.trace.trace_id: item.annotation for item in judged},
        {item.trace.trace_id: f"{item.reason}: {item.detail}" for item in judged if item.reason},
        time.monotonic() - started,
    )


def _judge_here(traces: Sequence[Trace], config: JudgeConfig, place: Place) -> list[Judged]:
    judge = make_judge(config)
    try:
        judge.start()
        return asyncio.run(_in_time(_in_chunks(traces, judge, config), place.max_seconds))
    except JudgeUnavailable as error:
        raise JobError(error.message, error.remedy) from error
    except JudgeDied as error:
        raise JobError(f"the judge died ({error})", "run again, or on Ray, which replaces it") from error
    finally:
        judge.close()


async def _in_chunks(traces: Sequence[Trace], judge: Judge, config: JudgeConfig) -> list[Judged]:
    """Judge chunk by chunk; the event loop runs in between, so that the deadline can stop any judge."""
    size = max(_SMALLEST_CHUNK, 4 * config.in_flight)
    judged: list[Judged] = []
    for at in range(0, len(traces), size):
        judged += await _judge_chunk(traces[at : at + size], judge, config)
        await asyncio.sleep(0)
    return judged


async def _judge_chunk(traces: Sequence[Trace], judge: Judge, config: JudgeConfig) -> list[Judged]:
    return await judge_all(list(enumerate(traces)), judge, MAX_TRACE_CHARS, config.in_flight)


async def _in_time(work: Any, seconds: float | None) -> list[Judged]:
    async with asyncio.timeout(seconds):
        done: list[Judged] = await work
        return done


class _ChunkActor:
    """One worker that judges chunks of traces."""

    def __init__(self, config: JudgeConfig) -> None:
        self._config = config
        self._judge = HostedJudge(lambda: make_judge(config))

    async def judge(self, traces: Sequence[Trace]) -> list[Judged]:
        """Judge one chunk; Ray repeats the call in a new process where this one exits."""
        async with self._judge.use() as judge:
            return await _judge_chunk(traces, judge, self._config)


def _judge_on_ray(traces: Sequence[Trace], config: JudgeConfig, place: Place) -> list[Judged]:
    import ray

    size = max(1, config.in_flight)
    chunks = [traces[at : at + size] for at in range(0, len(traces), size)]
    deadline = None if place.max_seconds is None else time.monotonic() + place.max_seconds
    ours = start_ray(place.address)
    workers: list[Any] = []
    try:
        plan = plan_workers(pool_of(config, WorkerConfig(), place.workers, None), len(chunks))
        actor = ray.remote(_ChunkActor).options(
            num_cpus=plan.cpus,
            num_gpus=plan.gpus or None,
            accelerator_type=plan.accelerator_type,
            max_restarts=_RESTARTS,
            max_task_retries=_RESTARTS,
            max_concurrency=_CHUNKS_AT_ONCE,
        )
        workers = [actor.remote(config) for _ in range(plan.count)]
        return _collect(ray, workers, chunks, deadline)
    except ray.exceptions.RayError as error:
        failure = unavailable_judge(error)
        raise failure or JobError(f"Ray stopped judging ({ray_reason(error)})", "run again") from error
    finally:
        for worker in workers:
            ray.kill(worker)
        if ours:
            stop_ray()


def _collect(ray: Any, workers: Sequence[Any], chunks: Sequence[Any], deadline: float | None) -> list[Judged]:
    """Keep every worker busy until all chunks are done."""
    waiting = list(reversed(chunks))
    running: dict[Any, Any] = {}
    for worker in [w for w in workers for _ in range(_CHUNKS_AT_ONCE)]:
        if waiting:
            running[worker.judge.remote(waiting.pop())] = worker
    judged: list[Judged] = []
    while running:
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        done, _ = ray.wait(list(running), num_returns=1, timeout=left)
        if not done:
            raise TimeoutError
        worker = running.pop(done[0])
        judged.extend(ray.get(done[0]))
        if waiting:
            running[worker.judge.remote(waiting.pop())] = worker
    return judged
