"""The model judge on a served engine against the engine in its own process: do they say the same?

    python benchmarks/judge_endpoint.py FOLDER_OF_PARQUET MODEL [TRACES [CHARS [AT_ONCE]]]

One model, TRACES (50) real traces of at most CHARS (3,000) characters, AT_ONCE (1) of them in work at a time.
The judge runs on the engine in this process and on `vllm serve` on 127.0.0.1, with the same arguments.
Printed are the traces with the same annotation, and where the first answers part. Where traces are in work
side by side, the engine in this process runs twice: the batch decides how sums are rounded, so a close call
may flip between two runs of one engine, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from judge_tokens import traces_of

from dlcot_ray.core.annotation import Annotation, Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.endpoint.factory import endpoint_judge
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.vllm.engine import VllmEngine
from tests.support.vllm_server import vllm_server

CONTEXT = 8192
THREADS = int(os.environ.get("OMP_NUM_THREADS", len(os.sched_getaffinity(0))))
ENGINE = {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 2 << 30}


def served(model: str) -> AbstractContextManager[str]:
    """The URL of a `vllm serve` that takes the same arguments as the engine in this process."""
    return vllm_server(Path(model), "judge", None, CONTEXT, ENGINE, THREADS)


def annotated(judge: ModelJudge, traces: Sequence[Trace], at_once: int) -> tuple[list[Annotation], float]:
    """Annotations in order, and the seconds that they took."""

    async def all_of_them() -> list[Annotation]:
        turn = asyncio.Semaphore(at_once)

        async def one(trace: Trace) -> Annotation:
            async with turn:
                return await judge.judge(trace)

        return list(await asyncio.gather(*map(one, traces)))

    begin = time.monotonic()
    return asyncio.run(all_of_them()), time.monotonic() - begin


def bare(annotation: Annotation) -> Annotation:
    """Without what names the judge, and without costs and replies."""
    steps = tuple(replace(status, tokens=Tokens()) for status in annotation.steps)
    return replace(annotation, judge="", fingerprint="", tokens=Tokens(), replies=(), steps=steps)


def compared(name: str, ours: Sequence[Annotation], theirs: Sequence[Annotation]) -> None:
    """Print how many are the same."""
    pairs = list(zip(ours, theirs, strict=True))
    replies = [pair for a, b in pairs for pair in zip(a.replies, b.replies, strict=False)]
    same = sum(bare(one) == bare(other) for one, other in pairs)
    alike = sum(a == b for a, b in replies)
    print(
        f"{name}: {same} of {len(ours)} annotations the same, {alike} of {len(replies)} answers", flush=True
    )
    for one, other in pairs:
        first = next(((a, b) for a, b in zip(one.replies, other.replies, strict=False) if a != b), None)
        if first is not None:
            print(
                f"  {one.trace_id} {first[0].step.value}:\n    {first[0].text}\n    {first[1].text}",
                flush=True,
            )


def main() -> int:
    """The command."""
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    number, chars, at_once = (*map(int, sys.argv[3:6]), *(50, 3_000, 1)[len(sys.argv) - 3 :])
    model = str(Path(sys.argv[2]).resolve())
    traces = traces_of(Path(sys.argv[1]), number, chars)
    engine = VllmEngine(model, max_model_len=CONTEXT, threads=THREADS, engine=ENGINE)
    judge = ModelJudge(engine, "measured", keep_replies=True)
    judge.start()
    inside, seconds = annotated(judge, traces, at_once)
    print(f"engine in this process: {number} traces in {seconds:.0f} s", flush=True)
    if at_once > 1:
        asyncio.run(engine.forget())
        compared("the same engine again", annotated(judge, traces, at_once)[0], inside)
    judge.close()
    with served(model) as url:
        judge = endpoint_judge(url, "judge", tokenizer=model, max_model_len=CONTEXT, keep_replies=True)
        judge.start()
        outside, seconds = annotated(judge, traces, at_once)
        judge.close()
    print(f"vllm serve: {number} traces in {seconds:.0f} s", flush=True)
    compared("vllm serve against the engine in this process", outside, inside)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
