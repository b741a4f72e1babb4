"""The systems of `judge_alternatives.py`: the job, `ray.data.llm` stage by stage, and a plain client."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq
from alternative_parts import KINDS, Asked, Result, answered, kill_engine_of
from judge_endpoint import CONTEXT, ENGINE, THREADS, served

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.model.asking import added
from dlcot_ray.judging.model.engine import Completion, Constraint, ConstraintKind
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.vllm.engine import VllmEngine

SIDE_BY_SIDE = 16
UNIPROC = "vllm.v1.executor.uniproc_executor.UniProcExecutor"


class Forced(VllmEngine):
    """Gives the answer that a dry run assumes, generated token by token."""

    async def complete(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, seed: int | None = None
    ) -> Completion:
        """As the engine's own, with one choice."""
        answer = constraint.assumed or "0"
        forced = Constraint(ConstraintKind.CHOICE, answer)
        done = await super().complete(prompt, forced, len(answer) + 2, seed=seed)
        answered()
        return done


def forced_judge(model: str, ask: list[str]) -> ModelJudge:
    """The factory of the judge's file."""
    engine = Forced(
        model,
        max_model_len=CONTEXT,
        threads=THREADS,
        engine={**ENGINE, "distributed_executor_backend": UNIPROC},
    )
    return ModelJudge(engine, "forced", ask=ask)


def with_dlcot(traces: Sequence[Trace], model: str, ask: Sequence[str], kill: bool) -> Result:
    """`dlcot enhance` on a Ray of its own."""
    with TemporaryDirectory() as folder:
        source, output, judge = Path(folder, "in"), Path(folder, "out"), Path(folder, "forced.yaml")
        source.mkdir()
        pq.write_table(pa.Table.from_pylist(list(map(_row, traces))), source / "traces.parquet")
        judge.write_text(
            f"factory: alternative_systems:forced_judge\noptions: {{model: {model}, ask: {list(ask)}}}\n"
            "cpus: 1.0\ngpus: 0.0\nworkers: 1\nin_flight: 32\n"
        )
        command = [sys.executable, "-m", "dlcot_ray.cli", "enhance", "ray.address=local", f"judge={judge}"]
        command += ["allow_code=true", f"input={source}", f"output={output}"]
        command += [f"rows_per_unit={-(-len(traces) // 4)}"]
        here = str(Path(__file__).parent)
        path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
        begin = time.monotonic()
        job = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.DEVNULL)
        if kill:
            kill_engine_of(job.pid)
        code = job.wait()
        whole = time.monotonic() - begin
        stored = [pq.read_table(file) for file in output.glob("annotations/**/*.parquet")]
        found = [row for table in stored for row in table.select(["fingerprint", "tokens"]).to_pylist()]
        total = Tokens()
        for row in found:
            total = added(total, Tokens(**row["tokens"]))
        manifest = output / "manifest.json"
        busy = json.loads(manifest.read_text())["run"]["engine_seconds"] if manifest.exists() else None
    judged = sum(bool(row["fingerprint"]) for row in found)
    return Result(len(traces), len(traces) - judged, busy, whole, total, f"exit {code}")


def _row(trace: Trace) -> Mapping[str, Any]:
    return {
        "id": trace.trace_id,
        "problem": trace.problem,
        "reasoning": trace.reasoning,
        "ground_truth": trace.ground_truth,
    }


def count_cached() -> None:
    """In each Ray worker: tell how many tokens came from the cache, which `ray.data.llm` leaves out."""
    import ray.llm._internal.batch.stages.vllm_engine_stage as stage

    made = stage.vLLMOutputData.from_vllm_engine_output

    def counting(output: Any) -> Any:
        data = made(output)
        answered()
        data.metrics = {"cached": float(output.num_cached_tokens or 0), "end": time.time()}
        return data

    stage.vLLMOutputData.from_vllm_engine_output = staticmethod(counting)


def with_ray_data_llm(
    asked: Sequence[Asked], traces: int, model: str, *, go_on: bool, kill: bool, kinds: Sequence[str] = KINDS
) -> Result:
    """One processor per kind of question, one after the other."""
    import ray
    from ray.data.llm import build_processor, vLLMEngineProcessorConfig

    environment = {"OMP_NUM_THREADS": str(THREADS), "VLLM_CPU_OMP_THREADS_BIND": "nobind"}
    environment |= {"VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)
    ray.init(
        address="local",
        num_cpus=4,
        log_to_driver=False,
        runtime_env={"worker_process_setup_hook": count_cached, "env_vars": environment},
    )
    if kill:
        kill_engine_of(os.getpid())
    begin, working, total = time.monotonic(), 0.0, Tokens()
    missing: set[int] = set()
    note = ""
    for kind in kinds:
        rows: list[dict[str, Any]] = [
            {"trace": one.trace, "ids": list(one.prompt), "answer": one.answer}
            for one in asked
            if one.kind == kind and one.trace not in missing
        ]
        if not rows:
            continue
        config = vLLMEngineProcessorConfig(
            model_source=model,
            engine_kwargs={
                **ENGINE,
                "max_model_len": CONTEXT,
                "enable_prefix_caching": True,
                "seed": 0,
                "distributed_executor_backend": UNIPROC,
            },
            placement_group_config={"bundles": [{"CPU": 1}]},
            batch_size=8,
            concurrency=1,
            should_continue_on_error=go_on,
            log_engine_metrics=False,
            chat_template_stage=False,
            tokenize_stage=False,
            detokenize_stage=False,
        )
        processor = build_processor(config, preprocess=_request, postprocess=_answer)
        try:
            done = processor(ray.data.from_items(rows)).materialize().to_pandas().to_dict("records")
        except Exception as error:
            note = f"{kind}: {type(error).__name__}"
            missing = set(range(traces))
            break
        good = [row for row in done if not row["failed"]]
        missing |= {row["trace"] for row in rows} - {int(row["trace"]) for row in good}
        missing |= {int(row["trace"]) for row in done if row["failed"]}
        working += max(row["end"] for row in good) - min(row["end"] - row["taken"] for row in good)
        for row in good:
            cached = int(row["cached"])
            total = added(total, Tokens(int(row["prompt"]) - cached, cached, int(row["decoded"])))
    ray.shutdown()
    whole = time.monotonic() - begin
    return Result(traces, len(missing), working if len(missing) < traces else None, whole, total, note)


def _request(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "trace": row["trace"],
        "tokenized_prompt": row["ids"],
        "sampling_params": {
            "temperature": 0.0,
            "max_tokens": len(row["answer"]) + 2,
            "structured_outputs": {"choice": [row["answer"]]},
        },
    }


def _answer(row: dict[str, Any]) -> dict[str, Any]:
    metrics = row.get("metrics") or {}
    return {
        "trace": row["trace"],
        "failed": bool(row.get("__inference_error__")),
        "prompt": row["num_input_tokens"],
        "decoded": row["num_generated_tokens"],
        "cached": float(metrics.get("cached") or 0),
        "end": float(metrics.get("end") or 0),
        "taken": float(row["time_taken_llm"]),
    }


def with_client(asked: Sequence[Asked], traces: int, model: str, kill: bool) -> Result:
    """Each trace's first question, then its others at once."""
    chains: dict[int, list[Asked]] = defaultdict(list)
    for one in asked:
        chains[one.trace].append(one)
    begin = time.monotonic()
    with served(model) as url:
        ready = time.monotonic()
        if kill:
            kill_engine_of(os.getpid())
        costs = asyncio.run(_all_chains(url, list(chains.values())))
        working = time.monotonic() - ready
    total = Tokens()
    for cost in costs:
        total = added(total, cost or Tokens())
    lost = sum(cost is None for cost in costs)
    return Result(traces, lost, working if lost < traces else None, time.monotonic() - begin, total)


async def _all_chains(url: str, chains: Sequence[Sequence[Asked]]) -> list[Tokens | None]:
    turn = asyncio.Semaphore(SIDE_BY_SIDE)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=1200)) as session:

        async def ask(one: Asked) -> Tokens:
            body = {
                "model": "judge",
                "prompt": list(one.prompt),
                "temperature": 0.0,
                "max_tokens": len(one.answer) + 2,
                "structured_outputs": {"choice": [one.answer]},
            }
            async with session.post(f"{url}/completions", json=body) as answer:
                answer.raise_for_status()
                usage = (await answer.json())["usage"]
            answered()
            cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
            return Tokens(usage["prompt_tokens"] - cached, cached, usage["completion_tokens"])

        async def chain(requests: Sequence[Asked]) -> Tokens | None:
            async with turn:
                try:
                    first, *rest = requests
                    total = await ask(first)
                    for cost in await asyncio.gather(*map(ask, rest)):
                        total = added(total, cost)
                except (aiohttp.ClientError, TimeoutError):
                    return None
                return total

        return list(await asyncio.gather(*map(chain, chains)))
