"""The model judge on a real engine: against the bare engine, and against DLCoT's own procedure.

    python benchmarks/judge_engine.py FOLDER_OF_PARQUET MODEL [TRACES [CHARS [DLCOT [GIB]]]]

One model, TRACES (120) real traces of at most CHARS (3,000) characters, and a KV cache of GIB (6) GiB:
140,000 tokens of the 135M model, as many as a GPU has beside a model of 32B. Each run begins with an engine
that has seen none of them, so that neither its prefix cache nor its compiled grammars know anything:

- the whole job on Ray, from a loaded engine to the last unit;
- the judge's program in one process;
- the very prompts that it sent, straight to the engine: each trace's first one, then all others at once, as
  many traces side by side as its KV cache holds;
- the judge's program on DLCOT (10; 0: none) of the traces, and on the same DLCoT's procedure
  (`reference_procedure.py`), made to answer at the length that its instructions demand.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from judge_tokens import traces_of
from reference_procedure import requests_of

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.admission import TokenBudget
from dlcot_ray.judging.model.asking import added
from dlcot_ray.judging.model.engine import Completion, Constraint
from dlcot_ray.judging.model.frame import Tokenizer
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.judging.vllm.engine import VllmEngine

_TRACE: ContextVar[int] = ContextVar("_TRACE")


Request = tuple[tuple[int, ...], Constraint, int, int | None]


class Recorded(VllmEngine):
    """Keeps every request, by trace."""

    def __init__(self, model: str, *, max_model_len: int, engine: Mapping[str, Any]) -> None:
        super().__init__(model, max_model_len=max_model_len, engine=engine)
        self.requests: dict[int, list[Request]] = defaultdict(list)

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """As the engine's own."""
        self.requests[_TRACE.get()].append((tuple(prompt), constraint, max_tokens, seed))
        return await super().complete(prompt, constraint, max_tokens, seed=seed)


@contextmanager
def fresh(model: str, gib: int) -> Iterator[Recorded]:
    """A loaded engine."""
    arguments = {"dtype": "float32", "enforce_eager": True, "kv_cache_memory_bytes": gib << 30}
    engine = Recorded(model, max_model_len=8192, engine=arguments)
    engine.start()
    try:
        yield engine
    finally:
        engine.close()


async def judged(engine: Recorded, traces: Sequence[Trace]) -> tuple[float, Tokens, float]:
    """Wall seconds, tokens and busy seconds of the judge."""
    # The questions of the job's default policy, so that all three ask the same.
    judge = ModelJudge(engine, "measured", ask=())
    judge.start()
    busy, start = engine.busy_seconds, time.monotonic()

    async def one(number: int) -> Tokens:
        _TRACE.set(number)
        return (await judge.judge(traces[number])).tokens

    total = Tokens()
    for cost in await asyncio.gather(*map(one, range(len(traces)))):
        total = added(total, cost)
    return time.monotonic() - start, total, engine.busy_seconds - busy


async def replayed(engine: VllmEngine, chains: Sequence[Sequence[Request]]) -> tuple[float, Tokens]:
    """Recorded requests again: each trace's first one, then its others at once; traces side by side."""
    firsts = [chain[0][0] for chain in chains]
    ends = list(zip(min(firsts), max(firsts), strict=False))
    # What all prompts begin with is in the cache once.
    head = next((at for at, (one, other) in enumerate(ends) if one != other), 0)
    budget = TokenBudget(int((engine.kv_tokens - head) * 0.9))
    start = time.monotonic()

    async def ask(request: Request) -> Tokens:
        prompt, constraint, most, seed = request
        return (await VllmEngine.complete(engine, prompt, constraint, most, seed=seed)).tokens

    async def chain(requests: Sequence[Request]) -> list[Tokens]:
        first, *rest = requests
        async with budget.hold(len(first[0]) - head + 256):
            return [await ask(first), *await asyncio.gather(*map(ask, rest))]

    total = Tokens()
    for costs in await asyncio.gather(*map(chain, chains)):
        for cost in costs:
            total = added(total, cost)
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


def job_of(model: str, traces: Sequence[Trace], gib: int) -> tuple[Tokens, float]:
    """Tokens of `dlcot enhance` on the traces, and its seconds from a loaded engine to the last unit."""
    with TemporaryDirectory() as folder:
        source, output = Path(folder, "in"), Path(folder, "out")
        source.mkdir()
        rows = [
            {"id": t.trace_id, "problem": t.problem, "reasoning": t.reasoning, "ground_truth": t.ground_truth}
            for t in traces
        ]
        pq.write_table(pa.Table.from_pylist(rows), source / "traces.parquet")
        options = [f"model={model}", f"engine.kv_cache_memory_bytes={gib << 30}"]
        command = [sys.executable, "-m", "dlcot_ray.cli", "enhance", "ray.address=local", "judge=tiny-cpu"]
        command += [f"input={source}", f"output={output}", "max_failed_units=0"]
        # The KV cache is the limit for all three; two units are in work at a time.
        command += [f"rows_per_unit={-(-len(traces) // 4)}", f"in_flight={len(traces)}"]
        subprocess.run([*command, *(f"judge_options.{o}" for o in options)], check=True, capture_output=True)
        manifest = json.loads((output / "manifest.json").read_text())
    totals = manifest["totals"]
    tokens = Tokens(totals["prefill"], totals["cached"], totals["decode"])
    return tokens, manifest["run"]["engine_seconds"]


def measure(
    model: str, gib: int, warm: Sequence[Trace], traces: Sequence[Trace], few: Sequence[Trace]
) -> None:
    """Run all and print."""
    job = job_of(model, traces, gib)
    with fresh(model, gib) as engine:
        # Warm up: the one-time costs of the first requests are not part of a rate.
        asyncio.run(judged(engine, warm))
        first = dict(engine.requests)
        engine.requests.clear()
        wall, cost, busy = asyncio.run(judged(engine, traces))
        chains = list(engine.requests.values())
    shown(f"model judge: engine busy {busy / wall:.2f} of the time", len(traces), wall, cost)
    with fresh(model, gib) as engine:
        asyncio.run(replayed(engine, list(first.values())))
        bare_wall, bare = asyncio.run(replayed(engine, chains))
    straight = rate(bare, bare_wall)
    share = rate(cost, wall) / straight
    shown(f"its prompts, bare engine: the judge has {share:.2f} of this rate", len(traces), bare_wall, bare)
    share = rate(*job) / straight
    shown(f"the whole job on Ray: it has {share:.2f} of the bare rate", len(traces), job[1], job[0])
    if not few:
        return
    with fresh(model, gib) as engine:
        asyncio.run(judged(engine, warm))
        wall, cost, _ = asyncio.run(judged(engine, few))
        shown("model judge", len(few), wall, cost)
        asyncio.run(engine.forget())
        base_wall, base = asyncio.run(referred(engine, few))
    shown(f"DLCoT's procedure: traces per hour 1/{base_wall / wall:.1f}", len(few), base_wall, base)


def shown(name: str, traces: int, seconds: float, tokens: Tokens) -> None:
    """Print one run as soon as it ends, because all runs take minutes."""
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
    number, chars, few, gib = (*map(int, sys.argv[3:7]), *(120, 3_000, 10, 6)[len(sys.argv) - 3 :])
    *traces, last = traces_of(Path(sys.argv[1]), number + 1, chars)
    measure(
        str(Path(sys.argv[2]).resolve()), gib, [last], traces, traces[:: len(traces) // max(few, 1)][:few]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
