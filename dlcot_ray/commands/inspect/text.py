"""The figures of `dlcot inspect` as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlcot_ray.inputs.layouts.report import report_lines
from dlcot_ray.telemetry.summary import skipped_lines


def inspect_lines(figures: Mapping[str, Any]) -> list[str]:
    """Lines for people.

    Args:
        figures: as `command.inspect_inputs` returns them.
    """
    files, looked_at = figures["files"], figures["looked_at"]
    lines = [f"{files:,} files" + (f", {looked_at} of them looked at" if looked_at < files else "")]
    for group in figures["layouts"]:
        lines += ["", *_group_lines(group)]
    lines += [f"unusable   {fault}" for fault in figures["unusable_inputs"]]
    lines += [f"skipped    {line}" for line in skipped_lines(figures["skipped"])]
    return lines


def _group_lines(group: Mapping[str, Any]) -> Iterator[str]:
    more = (
        f" and {group['files'] - len(group['names']):,} more" if group["files"] > len(group["names"]) else ""
    )
    yield f"files      {', '.join(group['names'])}{more}"
    yield from report_lines(group)
    for number, example in enumerate(group["examples"], start=1):
        yield f"trace {number}    {example['trace_id']}"
        for name, text in example.items():
            if name != "trace_id":
                yield f"  {name + ':':<14}{'(none)' if text is None else text}"
