"""The model judge on a real engine: against DLCoT's own procedure, and against the bare engine.

    python benchmarks/judge_engine.py FOLDER_OF_PARQUET MODEL [TRACES]

One engine, one model, TRACES (10) short traces, three runs one after the other, each from an empty prefix
cache: the judge's program; the very prompts that it sent, straight to the engine, in the rounds in which they
could be known; DLCoT's procedure (`reference_procedure.py`), made to answer at the length that its
instructions demand. Traces are kept short (3,000 characters) for the baseline's sake.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from judge_tokens import traces_of
from reference_procedure import requests_of
from rich.console import Console
from rich.table import Table

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


async def measure(engine: Recorded, traces: Sequence[Trace]) -> None:
    """Run all and print."""
    # Once to warm up what the first requests of an engine pay for.
    await referred(engine, [])
    await judged(engine, traces[:1])
    engine.requests.clear()
    await engine.forget()
    wall, cost, busy = await judged(engine, traces)
    await engine.forget()
    bare_wall, bare = await replayed(engine)
    await engine.forget()
    base_wall, base = await referred(engine, traces)
    table = Table("", "wall s", "traces/h", "prefill", "cached", "decode", "tokens/s")
    console = Console(width=110)
    for name, seconds, tokens in (
        ("model judge", wall, cost),
        ("its prompts, bare engine", bare_wall, bare),
        ("DLCoT's procedure", base_wall, base),
    ):
        rate = (tokens.prefill + tokens.cached + tokens.decode) / seconds
        figures = (tokens.prefill, tokens.cached, tokens.decode)
        hour = f"{len(traces) / seconds * 3600:,.0f}"
        table.add_row(name, f"{seconds:,.1f}", hour, *(f"{n:,}" for n in figures), f"{rate:,.0f}")
    console.print(table)
    ours = (cost.prefill + cost.cached + cost.decode) / wall
    straight = (bare.prefill + bare.cached + bare.decode) / bare_wall
    console.print(
        f"traces per hour against DLCoT's procedure: {base_wall / wall:.1f}x; "
        f"token rate against the bare engine: {ours / straight:.2f}; "
        f"engine busy {busy / wall:.2f} of the time"
    )


def main() -> int:
    """The command."""
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    number = int(sys.argv[3]) if len(sys.argv) > 3 else 10
    traces = traces_of(Path(sys.argv[1]), number, _CHARS)
    engine = Recorded(sys.argv[2])
    engine.start()
    try:
        asyncio.run(measure(engine, traces))
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
