"""`dlcot evaluate`: scores a judge on label sets, in this process or on Ray.

The judge gets the traces in the same way as in a job. The labels are read only for scoring. A trace that the
judge fails on is scored as in a job: not annotated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable

from dlcot_ray import __version__
from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.labelled import labelled_traces
from dlcot_ray.commands.scoring import score_reader, score_sets
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.settings import EvaluateConfig, JudgeConfig
from dlcot_ray.core.policies.base import Policy, PolicyError
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.errors import ConfigError
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.report import EvaluationReport, figures_of, to_json, to_markdown, worst_to_markdown
from dlcot_ray.evaluation.side_by_side import side_by_side
from dlcot_ray.inputs.label_files import LabelSet, pooled, read_sets, resolve_places
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute, is_local
from dlcot_ray.telemetry.cleaned_console import terminal

_SHOWN = 5
"""Most of the worst cases that are printed for each kind; the report has `worst` of them."""


def run_evaluate(config: EvaluateConfig) -> Exit:
    """Run `dlcot evaluate`.

    Raises:
        JobError: a setting or a file is wrong, or the judge cannot be started.
    """
    config = replace(config, output=absolute(config.output) if config.output else None)
    judge = load_judge(config.judge, config.judge_options, allow_code=config.allow_code)
    judge = replace(judge, in_flight=config.in_flight or judge.in_flight)
    output = Store(config.output, config.storage.output) if config.output else None
    if output is not None:
        output.check_writable()
    places, trace_places = resolve_places(config.set, config.traces)
    traces = labelled_traces(trace_places, config.dataset, config.storage.input)
    sets, left_out = read_sets(places, traces, config.storage.input, config.limit)
    readers: list[LabelSet] = []
    if config.reader:
        places, _ = resolve_places(config.reader, None)
        readers, more = read_sets(places, traces, config.storage.input, None, "reader")
        left_out += more
    if config.pooled:
        sets = pooled(sets)
    report = evaluate_sets(sets, left_out, judge, config, readers)
    console = terminal(highlight=False)
    _print(report, console)
    if output is not None:
        _write(report, output, console)
    return Exit.OK


def evaluate_sets(
    sets: Sequence[LabelSet],
    left_out: Sequence[str],
    judge: JudgeConfig,
    config: EvaluateConfig,
    readers: Sequence[LabelSet] = (),
) -> EvaluationReport:
    """Judge the traces of all sets, and score every set.

    Args:
        sets: the label sets.
        left_out: one sentence per file or row that could not be used; copied to the report.
        judge: the judge to score.
        config: where to judge, and how to score.
        readers: labels of another reader, which are scored in the place of the judge.

    Raises:
        ConfigError: there is no such policy.
        JobError: the judge cannot be started.
    """
    place = Place(config.where, config.ray.address, config.workers)
    policy = _policy(config.policy)
    options = Options(config.tolerance, config.within, config.rounds, config.seed, policy)
    if readers:
        base = judge if config.policy else None
        scored = score_reader(sets, readers, base, place, options)
    else:
        scored = score_sets(sets, judge, place, options)
    settings: dict[str, Any] = {
        "judge_options": judge.options,
        "policy": None if readers and not config.policy else policy.expression,
        "readers": {item.name: item.digest for item in readers},
        "limit": config.limit,
        "tolerance": config.tolerance,
        "within": config.within,
        "rounds": config.rounds,
        "seed": config.seed,
        "dlcot_version": __version__,
    }
    return EvaluationReport(
        scored.identity,
        settings,
        tuple(scored.scores),
        scored.judged.failed,
        len(scored.judged.annotations),
        scored.judged.seconds,
        config.worst,
        tuple(left_out),
        side_by_side(scored.cases, scored.judged.annotations, scored.drops),
    )


def _policy(expression: str | None) -> Policy:
    try:
        return parse_policy(expression or DEFAULT_POLICY)
    except PolicyError as error:
        raise ConfigError(str(error), "check policy=") from error


def _print(report: EvaluationReport, console: Console) -> None:
    for item in report.sets:
        for table in item.scores.tables:
            shown = RichTable(
                title=f"{item.name}, {table.title} ({item.scores.cases:,} cases)", title_justify="left"
            )
            shown.add_column(item.scores.kind)
            for row in table.rows:
                shown.add_column(row.name, justify="right")
            for name, cells in figures_of(table):
                shown.add_row(name, *cells)
            console.print(shown)
        for note in item.scores.notes:
            console.print(f"{note}.", style="dim", markup=False, soft_wrap=True)
        listed = min(report.worst, _SHOWN)
        for bad in item.scores.bad[:listed]:
            console.print(f"  {bad.case} [{bad.start}, {bad.stop}): {bad.what}", markup=False, soft_wrap=True)
        if listed and len(item.scores.bad) > listed:
            more = len(item.scores.bad) - listed
            console.print(f"  and {more:,} more; output= writes the worst {report.worst:,}", style="dim")
    for line in report.left_out:
        console.print(f"left out: {line}", style="dim", markup=False, soft_wrap=True)
    console.print(
        f"judge {report.judge}: {report.traces:,} traces in {report.seconds:.1f} s, {len(report.failed)} "
        "failed",
        markup=False,
        soft_wrap=True,
    )


def _write(report: EvaluationReport, output: Store, console: Console) -> None:
    content = json.dumps(to_json(report), indent=2, ensure_ascii=False)
    output.put("evaluation.json", f"{content}\n".encode())
    output.put("evaluation.md", to_markdown(report).encode())
    if report.side_by_side:
        output.put("traces.md", report.side_by_side.encode())
    if is_local(output.given_url):
        output.put("worst.md", worst_to_markdown(report).encode())
    console.print(f"report: {output.url('evaluation.md')}", markup=False, soft_wrap=True)
