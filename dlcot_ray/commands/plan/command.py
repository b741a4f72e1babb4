"""`dlcot plan`: what a job would do and cost, from input metadata and a sample of rows, before it runs.

The sample's traces go through the judge's real program on an engine that computes nothing
(`judging/model/dry_run.py`); their mean is scaled to the rows that are left. GPU time and money are
arithmetic on top (`judging/cost.py`, figures in `conf/cost.yaml`). What it does not see: repeated ids, which
need every row, and traces that are much longer than all of the sample.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from dlcot_ray.commands.enhance import resolve_enhance
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.plan.text import plan_lines
from dlcot_ray.commands.prepare import check_usable
from dlcot_ray.config.costs import Costs, load_costs
from dlcot_ray.config.settings import JudgeConfig, PlanConfig
from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import find_inputs
from dlcot_ray.inputs.layouts.deciding import LayoutDecider
from dlcot_ray.judging.cascade import CascadeJudge
from dlcot_ray.judging.cheap import cheap_judge
from dlcot_ray.judging.cost import Model, gpu_seconds, kv_tokens
from dlcot_ray.judging.model.dry_run import DryRunEngine, EstimatedTokenizer, with_habits
from dlcot_ray.judging.model.judge import ModelJudge
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.judging.tokenizers import load_tokenizer
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.manifest import skipped_as_dict
from dlcot_ray.outputs.schemas import OUTPUT_COLUMNS
from dlcot_ray.plan.completed import complete_units
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.plan.sample import Sample, take_sample
from dlcot_ray.storage.store import Store
from dlcot_ray.telemetry.console import print_report

EDGES = (0, 1024, 2048, 4096, 8192, 16384, 32768, 65536)
"""Edges of the histogram of trace lengths, in tokens."""
_VLLM = "dlcot_ray.judging.vllm.factory:vllm_judge"
_CASCADE = "dlcot_ray.judging.vllm.factory:cascade_judge"
_GPU_BLOCK, _CPU_BLOCK = 16, 128
"""Tokens per block of vLLM's prefix cache, by where it runs."""
_AROUND = 500
"""Tokens that a trace's prompt has beside the trace, for its KV memory: system text, problem, question."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """One trace of the sample: the tokens of its reasoning, what judging it costs, prompts it is shown in."""

    length: int
    tokens: Tokens
    windows: int


def run_plan(config: PlanConfig) -> Exit:
    """Run `dlcot plan`.

    Raises:
        JobError: the settings or inputs cannot be used.
    """
    figures = forecast(config)
    print_report(figures, plan_lines(figures), config.json)
    return Exit.WITH_FAULTS if figures["unusable_inputs"] else Exit.OK


def forecast(config: PlanConfig) -> dict[str, Any]:
    """The figures of a job that has not run yet, as plain JSON types.

    Raises:
        JobError: the settings or inputs cannot be used.
    """
    costs = load_costs(config.costs)
    gpu_name, gpu = costs.gpu(config.gpu)
    wants_output = bool(config.output)
    resolved = resolve_enhance(config)
    judge, given = resolved.judge, resolved.config
    output = Output(Store(given.output or "", config.storage.output)) if wants_output else None
    record = output.record() if output is not None else None
    found = find_inputs(given.input, config.storage.input)
    names = {item.file: item.name for item in record.inputs} if record is not None else {}
    metadata = MetadataCache()
    recorded = record.layouts if record is not None else ()
    decider = LayoutDecider(resolved.preset, found.shards, config.storage.input, recorded)
    plan = make_plan(
        assign_names(found.shards, names, OUTPUT_COLUMNS),
        resolved.preset,
        rows_per_unit=config.rows_per_unit,
        bytes_per_unit=config.bytes_per_unit,
        options=config.storage.input,
        metadata=metadata,
        decider=decider,
        beside=found,
    )
    check_usable(plan)
    rows_done, units_done = _done(plan, output)
    other = record is not None and dict(record.settings) != dict(resolved.settings)
    sample = take_sample(plan, config.sample, config.storage.input, metadata)
    tokenizer, source = _tokenizer(judge, config.tokenizer)
    runs = _dry_run(sample, judge, tokenizer, costs, config)
    left = plan.rows - rows_done
    scale = left / sample.rows if sample.rows else 0.0
    lengths = [item.length for item in runs]
    figures: dict[str, Any] = {
        "judge": config.judge,
        "files": len(plan.shards),
        "rows": plan.rows,
        "units": plan.unit_count,
        "rows_done": rows_done,
        "units_done": units_done,
        "rows_left": left,
        "other_job_in_output": other,
        "unusable_inputs": [str(fault) for fault in plan.faults],
        "skipped": skipped_as_dict(plan.skipped),
        "sample": {
            "rows": sample.rows,
            "traces": len(sample.traces),
            "unusable": sample.unusable,
            "rejected": sample.by_cause(),
        },
        "tokenizer": source,
        "trace_tokens": {
            "mean": fmean(lengths) if lengths else 0.0,
            "longest": max(lengths, default=0),
            "total": round(sum(lengths) * scale),
            "error": _error(lengths),
        },
        "histogram": [
            {"from": low, "to": high, "share": _between(lengths, low, high)}
            for low, high in zip(EDGES, [*EDGES[1:], None], strict=True)
        ],
        "passed_through": sum(len(t.reasoning) > config.max_trace_chars for t in sample.traces),
        "judge_tokens": None,
        "gpu": None,
        "cpu_hours": None,
    }
    seconds = costs.seconds_per_token(config.judge)
    if seconds is not None:
        figures["cpu_hours"] = sum(lengths) * scale * seconds / 3600
        return figures
    if not _can_dry_run(judge):
        return figures
    costs_of = [item.tokens for item in runs]
    figures["judge_tokens"] = {
        kind: round(sum(getattr(tokens, kind) for tokens in costs_of) * scale)
        for kind in ("prefill", "cached", "decode")
    }
    figures["judge_tokens"]["error"] = _error([tokens.prefill for tokens in costs_of])
    figures["habits"] = "measured" if costs.habits(config.judge) is not None else "as the rules judge answers"
    context = int(judge.options.get("max_model_len", 32_768))
    figures["context"] = {
        "tokens": context,
        "in_windows": sum(item.windows > 1 for item in runs),
        "most_windows": max((item.windows for item in runs), default=0),
    }
    model = costs.model(judge)
    if judge.gpus and model is not None:
        efficiency = config.efficiency or costs.efficiency_of(judge)
        price = gpu.price if config.price is None else config.price
        share = float(judge.options.get("engine", {}).get("gpu_memory_utilization", 0.9)) - costs.activations
        room = kv_tokens(model, gpu, share)
        held = min(context, max(lengths, default=0) + _AROUND)
        parts = [
            gpu_seconds(
                model, gpu, prefill=i.tokens.prefill, decode=i.tokens.decode,
                context=min(context, i.length + _AROUND), share=share,
            )
            for i in runs
        ]  # fmt: skip
        hours = sum(map(sum, parts)) * scale / 3600 / efficiency
        workers = config.workers
        figures["gpu"] = {
            "type": gpu_name,
            "per_worker": model.gpus,
            "efficiency": efficiency,
            "hours": hours,
            "decode_share": sum(d for _, d in parts) / (sum(map(sum, parts)) or 1.0),
            "price_per_hour": price,
            "cost": hours * price,
            "currency": costs.currency,
            "wall_hours": hours / (workers * model.gpus) if workers else None,
            "fits": room >= context,
            **_memory(model, room, held, lengths),
        }
    return figures


def _memory(model: Model, room: float, held: int, lengths: Sequence[int]) -> dict[str, Any]:
    mean = (fmean(lengths) if lengths else 0.0) + _AROUND
    return {
        "kv_bytes_per_token": model.kv_bytes,
        "kv_tokens": round(room),
        "weights_gb": model.weights / 1e9,
        "longest_kv_gb": held * model.kv_bytes / 1e9,
        "traces_at_once": max(0.0, room / mean),
    }


def _done(plan: Plan, output: Output | None) -> tuple[int, int]:
    """Rows and units that an output has already."""
    if output is None:
        return 0, 0
    done = complete_units(plan, output.units(output.objects("enhanced"))) > 0
    return int(plan.unit_rows[done].sum()), int(done.sum())


def _tokenizer(judge: JudgeConfig, name: str | None) -> tuple[Any, str]:
    """The judge's tokenizer if it is on this machine, else an estimate; and which of both."""
    model = str(judge.options.get("model") or "")
    place = name or (model if model and Path(model).expanduser().is_dir() else None)
    if place is None or not _can_dry_run(judge):
        return EstimatedTokenizer(), "estimated"
    try:
        loaded = load_tokenizer(place)
    except Exception:
        # Any reason is as good as another: the estimate serves as well.
        return EstimatedTokenizer(), "estimated"
    return loaded, place


def _can_dry_run(judge: JudgeConfig) -> bool:
    return judge.factory in (_VLLM, _CASCADE)


def _dry_run(
    sample: Sample, judge: JudgeConfig, tokenizer: Any, costs: Costs, config: PlanConfig
) -> list[DryRun]:
    """Every trace of the sample through the judge's program; ones above the ceiling cost nothing."""
    if not _can_dry_run(judge):
        return [DryRun(estimate_tokens(trace.reasoning), Tokens(), 0) for trace in sample.traces]
    options = judge.options
    block = _GPU_BLOCK if judge.gpus else _CPU_BLOCK
    engine = DryRunEngine(tokenizer, int(options.get("max_model_len", 32_768)), block)
    votes = int(options.get("structure_votes", 1))
    model = ModelJudge(
        engine,
        "dry run",
        prompts=options.get("prompts"),
        ask=options.get("ask"),
        structure_votes=votes,
    )
    made: Judge = model
    if judge.factory == _CASCADE:
        cheap = cheap_judge(str(options.get("first", "rules")), options.get("first_model"))
        made = CascadeJudge(cheap, model, min_confidence=float(options.get("min_confidence", 0.6)))
    habits = costs.habits(config.judge)

    async def each() -> list[DryRun]:
        # An engine computes the system text once, so no trace of the sample pays for it.
        await model.judge(Trace("system", "", "The system text is cached from here on."))
        return [await one(trace) for trace in sample.traces]

    async def one(trace: Trace) -> DryRun:
        length = len(tokenizer(trace.reasoning, add_special_tokens=False)["input_ids"])
        if len(trace.reasoning) > config.max_trace_chars:
            return DryRun(length, Tokens(), 0)
        annotation = await made.judge(trace)
        windows = next((status.questions for status in annotation.steps), 0) // votes
        return DryRun(length, with_habits(annotation, habits, length, votes), windows)

    made.start()
    try:
        return asyncio.run(each())
    finally:
        made.close()


def _between(lengths: Sequence[int], low: int, high: int | None) -> float:
    inside = sum(low <= length < (high or length + 1) for length in lengths)
    return inside / len(lengths) if lengths else 0.0


def _error(values: Sequence[float]) -> float:
    """Half the width of the 95 % interval of a sum scaled up from these, as a share of it."""
    if len(values) < 2 or not sum(values):
        return 0.0
    return 1.96 * stdev(values) / sqrt(len(values)) / fmean(values)
