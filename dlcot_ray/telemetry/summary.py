"""Summary at the end of a run: a table of counts, what went wrong, and what to do about it.

It is made of the manifest alone, so a run that had nothing to do prints the same table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from dlcot_ray.errors import REMEDIES
from dlcot_ray.inputs.choices import PASSED_NOTES

_SHOWN = 10
"""Most files and units listed by name; the manifest has all of them."""

_NAMES_SHOWN = 3
"""Most names listed for one reason why something is not read."""


def print_summary(manifest: Mapping[str, Any], output: str, next_step: str, console: Console) -> None:
    """Print the summary of an output.

    Args:
        manifest: as stored.
        output: path or URL of the output, without credentials.
        next_step: what the user can do now.
        console: where to print.
    """
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    for name, figure, note in _lines(manifest):
        # Not as markup, because what a gate found may hold brackets.
        table.add_row(name, figure, Text(note))
    console.print(table)
    for line in _problems(manifest):
        console.print(line, style="yellow", soft_wrap=True, highlight=False, markup=False)
    console.print(f"output: {output}", soft_wrap=True, highlight=False, markup=False)
    console.print(next_step, soft_wrap=True, highlight=False, markup=False)


def _lines(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The lines of the table: (name, figure, note)."""
    totals = manifest["totals"]
    yield from _row_lines(totals)
    yield from _token_lines(totals)
    if "engine_busy_share" in manifest["run"]:
        lasted = manifest["run"]["engine_seconds"]
        yield "  engine busy", f"{manifest['run']['engine_busy_share']:.1%}", f"of {lasted:,.0f} s, this run"
    if len(totals["by_judge"]) > 1 or _is_cascade(manifest):
        judged = sum(totals["by_judge"].values())
        for name, count in _ranked(totals["by_judge"]):
            yield f"judged by {name}", f"{count:,}", _share(count, judged)
    if totals["writer_prefill"] or totals["writer_decode"]:
        yield _model_tokens("writer tokens", totals, "writer_")
    if totals["unsolved"]:
        yield "unsolved traces", f"{totals['unsolved']:,}", _share(totals["unsolved"], _traces(totals))
    yield from _quality_lines(totals)


def _row_lines(totals: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Traces by status, and under each status by reason or cause."""
    rows, reasons = _traces(totals), _ranked(totals["by_reason"])
    yield "rows", f"{totals['rows']:,}", f"{totals['files']:,} files"
    passed = totals.get("by_passed", {})
    if passed or rows > totals["rows"]:
        yield "traces", f"{rows + sum(passed.values()):,}", "a row may hold several"
    if passed:
        yield "  not chosen", f"{sum(passed.values()):,}", "by the setting generations="
    for reason, count in _ranked(passed):
        yield f"    {reason}", f"{count:,}", PASSED_NOTES.get(reason, "")
    yield "  enhanced", f"{totals['enhanced']:,}", _share(totals["enhanced"], rows)
    for reason, count in reasons:
        if reason.startswith("fallback:"):
            yield f"    after {reason}", f"{count:,}", ""
    yield "  unchanged", f"{totals['unchanged']:,}", _share(totals["unchanged"], rows)
    for reason, count in reasons:
        if not reason.startswith("fallback:"):
            yield f"    {reason}", f"{count:,}", ""
    yield "  rejected", f"{totals['rejected']:,}", _share(totals["rejected"], rows)
    for cause, count in _ranked(totals["by_cause"]):
        yield f"    {cause}", f"{count:,}", REMEDIES.get(cause, "")
    if totals["unfinished"]:
        yield "  not finished", f"{totals['unfinished']:,}", _share(totals["unfinished"], totals["rows"])


def _traces(totals: Mapping[str, Any]) -> int:
    """Traces and rejected rows."""
    return int(totals["enhanced"] + totals["unchanged"] + totals["rejected"])


def _token_lines(totals: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Tokens of the reasoning, and those of the judge with its questions."""
    before, after = totals["tokens_before"], totals["tokens_after"]
    yield "tokens before", f"{before:,}", ""
    yield "tokens after", f"{after:,}", f"{1 - after / before:.1%} cut" if before else ""
    if totals["prefill"] or totals["decode"]:
        yield _model_tokens("judge tokens", totals, "")
        questions, again, failed = (_over_steps(totals, name) for name in ("questions", "reasked", "failed"))
        yield "  questions", f"{questions:,}", f"{again:,} asked again, {failed:,} answered by the rules"


def _model_tokens(name: str, totals: Mapping[str, Any], prefix: str) -> tuple[str, str, str]:
    prefill, cached, decode = (totals[f"{prefix}{kind}"] for kind in ("prefill", "cached", "decode"))
    return name, f"{prefill:,}", f"{cached:,} cached, {decode:,} decoded"


def _is_cascade(manifest: Mapping[str, Any]) -> bool:
    return str(manifest["settings"].get("judge", "")).startswith("cascade/")


def _over_steps(totals: Mapping[str, Any], figure: str) -> int:
    return sum(count for name, count in totals["by_step"].items() if name.endswith(f".{figure}"))


def _quality_lines(totals: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Counts of gates, seams and errors."""
    stopped, passed = totals["by_gate"], totals["by_gate_passed"]
    checked = sum(stopped.values()) + sum(passed.values())
    if checked:
        yield "gates that rejected an edit", f"{sum(stopped.values()):,}", f"of {checked:,} checks"
        for gate in sorted({*stopped, *passed}):
            count = stopped.get(gate, 0)
            if count:
                yield f"    {gate}", f"{count:,}", f"of {count + passed.get(gate, 0):,}"
                for name, detail in totals["gate_examples"].get(gate, ()):
                    yield "", "", f"{name}: {detail}"
    seams, errors = totals["by_seam"], totals["by_error"]
    if seams:
        yield "seams at cuts", f"{sum(seams.values()):,}", _listed(seams)
    if errors:
        yield "errors in the kept text", f"{sum(errors.values()):,}", _listed(errors)
    if totals.get("without_messages"):
        count = totals["without_messages"]
        yield "without messages", f"{count:,}", "no reply follows, or a later trace has the conversation"
    if totals["pairs"]:
        yield "preference pairs", f"{totals['pairs']:,}", ""


def _problems(manifest: Mapping[str, Any]) -> Iterator[str]:
    faults, failed = manifest["unusable_inputs"], manifest["failed_units"]
    for fault in faults[:_SHOWN]:
        remedy = f"; {fault['remedy']}" if fault["remedy"] else ""
        yield f"unusable input: {fault['file']}: {fault['message']}{remedy}"
    if len(faults) > _SHOWN:
        yield f"... and {len(faults) - _SHOWN:,} more unusable inputs, see the manifest"
    yield from skipped_lines(manifest.get("skipped_inputs", {}))
    for unit in failed[:_SHOWN]:
        yield f"failed: {unit['file']}, rows {unit['rows'][0]}-{unit['rows'][1] - 1}: {unit['error']}"
    if len(failed) > _SHOWN:
        yield f"... and {len(failed) - _SHOWN:,} more failed units, see the manifest"


def skipped_lines(skipped: Mapping[str, Any]) -> Iterator[str]:
    """Lines about what lies among the inputs and is not read.

    Args:
        skipped: as `outputs.manifest.skipped_as_dict` returns it.
    """
    files = skipped.get("files", ())
    for reason, count in skipped.get("by_reason", {}).items():
        names = [item["file"] for item in files if item["reason"] == reason]
        more = f" and {count - _NAMES_SHOWN:,} more" if count > _NAMES_SHOWN else ""
        yield f"not read, {reason}: {', '.join(names[:_NAMES_SHOWN])}{more}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in _ranked(counts))
