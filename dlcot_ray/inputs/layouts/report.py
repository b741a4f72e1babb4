"""What a job understands of its input: which column serves as what, and what will come of the rows.

A report is made of plain JSON types, because the job's record, the manifest and `dlcot inspect` keep it. It
holds no text of the rows but in `examples`.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import pyarrow as pa

from dlcot_ray.core.diff import shortened
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import REMEDIES
from dlcot_ray.inputs.cells import ColumnPath
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.layouts.choosing import Choice
from dlcot_ray.inputs.layouts.fitting import Fit
from dlcot_ray.inputs.layouts.references import reference_of

EXAMPLES = 3
"""Traces that a report shows."""
_SHOWN_CHARS = 300


def report_of(choice: Choice, schema: pa.Schema, *, named: bool) -> dict[str, Any]:
    """The report of one layout.

    Args:
        choice: what was chosen, or why nothing was.
        schema: the columns of the files.
        named: whether the user named the preset.

    Returns:
        ``layout`` (None if refused), ``named``, ``roles`` (field -> path), ``unused`` (column -> why, or an
        empty text), ``rows`` of the sample, ``traces``, ``rejected`` (cause -> rows, message, remedy),
        ``references`` (kind -> rows), ``near`` (layout -> rows that fit), ``refusal``, ``remedy``.
    """
    fit = choice.fit
    roles = {} if choice.refusal else dict(_roles(fit.columns))
    used = frozenset() if choice.refusal else _used(fit.columns)
    refused = bool(choice.refusal) or fit.columns is None
    return {
        "layout": None if refused else fit.preset.name,
        "named": named,
        "roles": roles,
        "unused": {} if refused else _unused(fit, schema, used),
        "rows": fit.rows,
        "traces": 0 if refused else len(fit.traces),
        "rejected": {} if refused else _rejected(fit),
        "references": {} if refused else dict(Counter(map(reference_of, fit.traces))),
        "near": {item.preset.name: item.fitting for item in ((fit,) if choice.refusal else ()) + choice.near},
        "refusal": choice.refusal or fit.problem,
        "remedy": choice.remedy,
    }


def examples_of(choice: Choice) -> list[dict[str, str | None]]:
    """Some traces of the sample as they are understood, shortened and fit for a terminal."""
    traces = () if choice.refusal else choice.fit.traces
    count = min(EXAMPLES, len(traces))
    return [_shown(traces[place * len(traces) // count]) for place in range(count)]


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """A report for people: one line each for the layout, its columns, its rows and its references."""
    if report["layout"] is None:
        remedy = f"; {report['remedy']}" if report["remedy"] else ""
        return [f"layout     none: {report['refusal']}{remedy}"]
    how = "as named" if report["named"] else "detected"
    near = ", ".join(report["near"])
    lines = [f"layout     {report['layout']} ({how}{f'; near: {near}' if near else ''})"]
    lines.append("columns    " + ", ".join(f"{field}: {path}" for field, path in report["roles"].items()))
    if report["unused"]:
        shown = (f"{name} ({why})" if why else name for name, why in report["unused"].items())
        lines.append("not used   " + ", ".join(shown))
    lines.append(f"sample     {report['rows']:,} rows, {report['traces']:,} traces")
    for cause, entry in report["rejected"].items():
        lines.append(f"rejected   {entry['rows']:,} {cause}: {entry['message']}; {entry['remedy']}")
    kinds = sorted(report["references"].items(), key=lambda item: -item[1])
    lines.append("reference  " + (", ".join(f"{count:,} {kind}" for kind, count in kinds) or "none"))
    return lines


def clean(text: str) -> str:
    """A text without control characters, on one line: it cannot move the cursor or colour the terminal."""
    spaced = " ".join(text.split())
    return "".join(
        char if unicodedata.category(char)[0] != "C" else "\N{REPLACEMENT CHARACTER}" for char in spaced
    )


def _roles(columns: ColumnMap | None) -> Iterator[tuple[str, str]]:
    """Field -> path, in the order of a reader's interest."""
    for field, paths in _paths(columns):
        yield field, ", ".join(path.text for path in paths)


def _used(columns: ColumnMap | None) -> frozenset[str]:
    return frozenset(
        name for _, paths in _paths(columns) for path in paths for name in (path.text, *path.columns)
    )


def _paths(columns: ColumnMap | None) -> Iterator[tuple[str, tuple[ColumnPath, ...]]]:
    if columns is None:
        return
    if columns.messages is not None:
        yield "messages", (columns.messages.path,)
    if columns.prompt is not None:
        yield "prompt", (columns.prompt.path,)
    for field in ("system", "problem", "context", "reasoning", "tagged", "response", "ground_truth", "id"):
        path = getattr(columns, field)
        if path is not None:
            yield field, (path,)
    if columns.correctness:
        yield "correctness", columns.correctness


def _unused(fit: Fit, schema: pa.Schema, used: Collection[str]) -> dict[str, str]:
    names = [name for name in schema.names if name not in used]
    nested = [path for path in fit.left_out if path not in schema.names and path not in used]
    return {path: fit.left_out.get(path, "") for path in (*names, *nested)}


def _rejected(fit: Fit) -> dict[str, dict[str, Any]]:
    ranked = sorted(fit.faults.items(), key=lambda item: -item[1])
    messages = fit.messages
    return {
        cause: {"rows": rows, "message": clean(messages[cause]), "remedy": REMEDIES.get(cause, "")}
        for cause, rows in ranked
    }


def _shown(trace: Trace) -> dict[str, str | None]:
    fields = ("trace_id", "problem", "reasoning", "response", "ground_truth")
    texts = {name: getattr(trace, name) for name in fields}
    return {
        name: None if text is None else clean(shortened(text, _SHOWN_CHARS)) for name, text in texts.items()
    }
