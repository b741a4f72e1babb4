"""The report of a snapshot as Markdown, for `report.md` and the dataset card, and as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dlcot_ray.commands.refresh.changes import NO_GROUP, Change
from dlcot_ray.commands.refresh.report import Bound, SnapshotReport

REPORT_TEXT_FILE = "report.md"
_SHOWN = 50
"""Values per column in the Markdown; `report.json` has all of them."""


def report_text(report: SnapshotReport, bounds: Sequence[Bound]) -> str:
    """The content of `report.md`."""
    if report.previous:
        compared = f"This snapshot is compared with {report.previous}."
    else:
        compared = "This is the first snapshot."
    lines = [
        f"# Snapshot {report.snapshot}",
        "",
        compared,
        "",
        *_overall(report.total),
        *_bounds(bounds),
    ]
    for column, values in report.groups.items():
        if list(values) != [NO_GROUP]:
            lines += ["", f"## By {column}", "", *_table(column, values)]
    return "\n".join(lines) + "\n"


def summary_lines(report: SnapshotReport, copied: int = 0) -> Iterator[str]:
    """A few lines for the terminal.

    Args:
        copied: number of units that were copied from the previous snapshot.
    """
    total = report.total
    yield (
        f"{total.rows:,} rows: {total.added:,} traces added, {total.changed:,} changed, "
        f"{total.removed:,} removed, {total.judged:,} judged"
    )
    if copied:
        yield f"{copied:,} unchanged units copied from the previous snapshot"
    yield (
        f"tokens cut {total.cut:.1%} ({total.cut_before:.1%} before), rejected {total.rejected_share:.1%} "
        f"({total.rejected_share_before:.1%} before), labels flipped on {total.flipped:,} of "
        f"{total.comparable:,} traces"
    )


def _overall(total: Change) -> Iterator[str]:
    yield "| | this snapshot | previous |"
    yield "|---|---:|---:|"
    yield f"| rows | {total.rows:,} | {total.rows_before:,} |"
    before = _part(total.rejected_before, total.rows_before)
    yield f"| rejected | {_part(total.rejected, total.rows)} | {before} |"
    yield f"| reasoning tokens in | {total.tokens_in:,} | {total.tokens_in_before:,} |"
    yield f"| reasoning tokens out | {total.tokens_out:,} | {total.tokens_out_before:,} |"
    yield f"| tokens cut | {total.cut:.1%} | {total.cut_before:.1%} |"
    yield ""
    yield (
        f"Traces added: {total.added:,}. Changed: {total.changed:,}. Removed: {total.removed:,}. "
        f"Judged: {total.judged:,}, of which {total.judge_failed:,} failed. "
        "The annotations of all others were reused."
    )
    yield ""
    yield (
        f"{total.comparable:,} traces of unchanged content were judged in both snapshots. Of these, "
        f"{total.flipped:,} have a correct approach in one snapshot only, and {total.relabelled:,} have "
        "other labels."
    )


def _bounds(bounds: Sequence[Bound]) -> Iterator[str]:
    if not bounds:
        return
    yield from ("", "| bound | limit | this snapshot | |", "|---|---:|---:|---|")
    for bound in bounds:
        verdict = "**exceeded**" if bound.exceeded else "kept"
        yield f"| `{bound.name}` | {bound.limit:g} | {bound.value:g} | {verdict} |"


def _table(column: str, values: Mapping[str, Change]) -> Iterator[str]:
    figures = "rows | added | changed | removed | judged | cut | (before) | rejected | (before) | flipped"
    yield f"| {column} | {figures} |"
    yield "|---|" + "---:|" * 10
    ranked = sorted(values.items(), key=lambda item: (-max(item[1].rows, item[1].rows_before), item[0]))
    for value, change in ranked[:_SHOWN]:
        name = " ".join(value.replace("|", "\\|").split())
        yield (
            f"| {name} | {change.rows:,} | {change.added:,} | {change.changed:,} | {change.removed:,} "
            f"| {change.judged:,} | {change.cut:.1%} | {change.cut_before:.1%} "
            f"| {change.rejected_share:.1%} | {change.rejected_share_before:.1%} | {change.flipped:,} |"
        )
    if len(ranked) > _SHOWN:
        yield ""
        yield f"{len(ranked) - _SHOWN:,} more values are in `report.json`."


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.1%})" if whole else f"{part:,}"
