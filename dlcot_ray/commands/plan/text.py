"""The figures of `dlcot plan` as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dlcot_ray.telemetry.console import duration
from dlcot_ray.telemetry.summary import skipped_lines


def plan_lines(figures: Mapping[str, Any]) -> list[str]:
    """Lines for people.

    Args:
        figures: as `commands.plan.command.forecast` returns them.
    """
    sample, tokens = figures["sample"], figures["trace_tokens"]
    lines = [
        f"files      {figures['files']:,}",
        f"rows       {figures['rows']:,}, {figures['rows_done']:,} done, {figures['rows_left']:,} left",
        f"units      {figures['units']:,}, {figures['units_done']:,} done",
        f"sample     {sample['rows']:,} rows, {sample['unusable']:,} of them no traces; tokens "
        f"{'estimated' if figures['tokenizer'] == 'estimated' else 'by ' + figures['tokenizer']}",
        f"traces     {tokens['mean']:,.0f} tokens on average, {tokens['longest']:,} the longest, "
        f"{tokens['total']:,} in all (± {tokens['error']:.0%})",
    ]
    for part in figures["histogram"]:
        if part["share"]:
            edge = f"to {part['to']:,}" if part["to"] else "and more"
            lines.append(
                f"  {part['from']:>7,} {edge:<10} {part['share']:>6.1%} {'#' * round(part['share'] * 40)}"
            )
    if figures["passed_through"]:
        lines.append(f"too long   {figures['passed_through']:,} of the sample pass through (max_trace_chars)")
    lines += [
        f"rejected   {item['count']:,} of the sample ({cause}), as {item['example']}"
        for cause, item in sample["rejected"].items()
    ]
    lines += _judge_lines(figures)
    if figures["other_job_in_output"]:
        lines.append("output     holds another job's results (other settings): the job would refuse it")
    lines += [f"unusable   {fault}" for fault in figures["unusable_inputs"][:10]]
    lines += [f"skipped    {line}" for line in skipped_lines(figures["skipped"])]
    if len(figures["unusable_inputs"]) > 10:
        lines.append(f"           and {len(figures['unusable_inputs']) - 10:,} more unusable inputs")
    return lines


def _judge_lines(figures: Mapping[str, Any]) -> list[str]:
    judge, asked = figures["judge"], figures["judge_tokens"]
    if figures["cpu_hours"] is not None:
        hours = figures["cpu_hours"]
        return [
            f"judge      {judge}: about {duration(hours * 3600)} of CPU time (a rate measured on one machine)"
        ]
    if asked is None:
        return [f"judge      {judge}: of a kind whose tokens cannot be told beforehand"]
    context, gpu = figures["context"], figures["gpu"]
    lines = [
        f"judge      {judge}: {asked['prefill']:,} tokens prefilled, {asked['cached']:,} cached, "
        f"{asked['decode']:,} decoded (± {asked['error']:.0%}; answers: {figures['habits']})",
        f"context    {context['tokens']:,} tokens: "
        + (
            f"{context['in_windows']:,} of the sample in windows, {context['most_windows']} at most"
            if context["in_windows"]
            else "the longest of the sample fits"
        ),
    ]
    if gpu is None:
        return [*lines, "gpu        none, or no figures for the model: add them in costs= (conf/cost.yaml)"]
    lines.append(
        f"gpu        {gpu['type']} x {gpu['per_worker']}: {gpu['hours']:,.2f} GPU-hours, "
        f"{gpu['cost']:,.2f} {gpu['currency']} at {gpu['price_per_hour']:g} per hour"
        + (f", {gpu['wall_hours']:,.2f} hours with these workers" if gpu["wall_hours"] else "")
    )
    lines.append(
        f"           by arithmetic at {gpu['efficiency']:.0%} of the peaks, not measured; "
        f"{gpu['decode_share']:.0%} of it decode"
    )
    if gpu["kv_tokens"] <= 0:
        lines.append(f"memory     the weights ({gpu['weights_gb']:,.0f} GB) do not fit: more or larger GPUs")
        return lines
    lines.append(
        f"memory     weights {gpu['weights_gb']:,.0f} GB, room for {gpu['kv_tokens']:,} tokens of keys and "
        f"values ({gpu['kv_bytes_per_token'] / 1e3:,.0f} kB each): {gpu['traces_at_once']:,.0f} average "
        f"traces at once; the longest takes {gpu['longest_kv_gb']:.1f} GB"
    )
    if not gpu["fits"]:
        lines.append("           less than one full context: lower judge_options.max_model_len")
    return lines
