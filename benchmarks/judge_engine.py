"""The model judge on a real engine: against DLCoT's own procedure, and against the bare engine.

    python benchmarks/judge_engine.py FOLDER_OF_PARQUET MODEL [TRACES]

One model, TRACES (10) short traces, four runs one after the other, each from an empty prefix cache: the whole
job on Ray (from a loaded engine to the last unit); the judge's program in one process; the very prompts that
it sent, straight to the engine, in the rounds in which they could be known; DLCoT's procedure
(`reference_procedure.py`), made to answer at the length that its instructions demand. Traces are kept short
(3,000 characters) for the baseline's sake.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from judge_tokens import traces_of
from reference_procedure import requests_of

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.asking import added
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.frame import Tokenizer
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.judging.vllm.engine import VllmEngine

_CHARS = 3_000


class Recorded(VllmEngine):
    """Keeps every request, with how many were done when it was sent."""

    def __init__(self, model: str) -> None:
        arguments = {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": 2 << 30}
        super().__init__(model, max_model_len=8192, engine=arguments)
        self.requests: list[tuple[tuple[int, ...], Constraint, int, int | None]] = []

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """As the engine's own."""
        self.requests.append((tuple(prompt), constraint, max_tokens, seed))
        return await super().complete(prompt, constraint, max_tokens, seed=seed)


async def judged(engine: Recorded, traces: Sequence[Trace]) -> tuple[float, Tokens, float]:
    """Wall seconds, tokens and busy seconds of the judge."""
    judge = ModelJudge(engine, "measured")
    judge.start()
    busy, start = engine.busy_seconds, time.monotonic()
    found = await asyncio.gather(*map(judge.judge, traces))
    total = Tokens()
    for annotation in found:
        total = added(total, annotation.tokens)
    return time.monotonic() - start, total, engine.busy_seconds - busy


async def replayed(engine: Recorded) -> tuple[float, Tokens]:
    """The recorded requests again: each trace's in order, traces side by side."""
    chains: dict[tuple[int, ...], list[Any]] = {}
    for request in engine.requests:
        chains.setdefault(request[0][:1024], []).append(request)
    start = time.monotonic()

    async def chain(requests: Sequence[Any]) -> list[Completion]:
        first, *rest = requests
        plain = super(Recorded, engine).complete
        done = [await plain(first[0], first[1], first[2], seed=first[3])]
        return done + await asyncio.gather(*(plain(r[0], r[1], r[2], seed=r[3]) for r in rest))

    total = Tokens()
    for done in await asyncio.gather(*map(chain, chains.values())):
        for completion in done:
            total = added(total, completion.tokens)
    return time.monotonic() - start, total


async def referred(engine: Recorded, traces: Sequence[Trace]) -> tuple[float, Tokens]:
    """DLCoT's procedure: the steps of a trace in order, traces side by side."""
    sampling = importlib.import_module("vllm.sampling_params")
    rules = RulesJudge()
    encode = Tokenizer(engine.tokenizer).plain
    asked = [requests_of(trace, rules.annotate(trace), encode) for trace in traces]
    rules.close()
    start = time.monotonic()

    async def one(requests: Sequence[Any]) -> Tokens:
        total = Tokens()
        for request in requests:
            parameters = sampling.SamplingParams(
                temperature=0.0, ignore_eos=True, min_tokens=request.decode, max_tokens=request.decode
            )
            done = await engine.generate(request.prompt, parameters)
            cached = done.num_cached_tokens or 0
            cost = Tokens(len(request.prompt) - cached, cached, len(done.outputs[0].token_ids))
            total = added(total, cost)
        return total

    total = Tokens()
    for cost in await asyncio.gather(*map(one, asked)):
        total = added(total, cost)
    return time.monotonic() - start, total


def job_of(model: str, traces: Sequence[Trace]) -> tuple[Tokens, float]:
    """Tokens of `dlcot enhance` on the traces, and its seconds from a loaded engine to the last unit."""
    with TemporaryDirectory() as folder:
        source, output = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        rows = [
            {"id": t.trace_id, "problem": t.problem, "reasoning": t.reasoning, "ground_truth": t.ground_truth}
            for t in traces
        ]
        pq.write_table(pa.Table.from_pylist(rows), source / "traces.parquet")
        options = [f"model={model}", "engine.kv_cache_memory_bytes=2147483648"]
        command = [sys.executable, "-m", "dlcot_ray.cli", "enhance", "ray.address=local", "judge=tiny-cpu"]
        command += [f"input={source}", f"output={output}", f"rows_per_unit={max(1, len(traces) // 4)}"]
        # As many at once as the judge alone and the bare engine get; two units are in work at a time.
        command += [f"in_flight={len(traces)}", "max_failed_units=0"]
        subprocess.run([*command, *(f"judge_options.{o}" for o in options)], check=True, capture_output=True)
        manifest = json.loads((output / "manifest.json").read_text())
    totals = manifest["totals"]
    tokens = Tokens(totals["prefill"], totals["cached"], totals["decode"])
    return tokens, manifest["run"]["engine_seconds"]


async def measure(engine: Recorded, traces: Sequence[Trace], job: tuple[Tokens, float]) -> None:
    """Run all and print."""
    # Once to warm up what the first requests of an engine pay for.
    await referred(engine, [])
    await judged(engine, traces[:1])
    engine.requests.clear()
    await engine.forget()
    wall, cost, busy = await judged(engine, traces)
    shown(f"model judge: engine busy {busy / wall:.2f} of the time", len(traces), wall, cost)
    await engine.forget()
    bare_wall, bare = await replayed(engine)
    straight = rate(bare, bare_wall)
    share = rate(cost, wall) / straight
    shown(f"its prompts, bare engine: the judge has {share:.2f} of this rate", len(traces), bare_wall, bare)
    share = rate(*job) / straight
    shown(f"the whole job on Ray: it has {share:.2f} of the bare rate", len(traces), job[1], job[0])
    await engine.forget()
    base_wall, base = await referred(engine, traces)
    shown(f"DLCoT's procedure: traces per hour 1/{base_wall / wall:.1f}", len(traces), base_wall, base)


def shown(name: str, traces: int, seconds: float, tokens: Tokens) -> None:
    """Print one run at once: the whole takes minutes."""
    figures = f"{tokens.prefill:,} computed, {tokens.cached:,} cached, {tokens.decode:,} decoded"
    print(
        f"{seconds:8.1f} s {traces / seconds * 3600:8,.0f} traces/h {rate(tokens, seconds):8,.0f} tokens/s  "
        f"{name} ({figures})",
        flush=True,
    )


def rate(tokens: Tokens, seconds: float) -> float:
    """All tokens, cached or not, per second."""
    return (tokens.prefill + tokens.cached + tokens.decode) / seconds


def main() -> int:
    """The command."""
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    traces = traces_of(Path(sys.argv[1]), number, _CHARS)
    job = job_of(str(Path(sys.argv[2]).resolve()), traces)
    engine = Recorded(sys.argv[2])
    engine.start()
    try:
        asyncio.run(measure(engine, traces, job))
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
