"""The report of a night as Markdown, for people and for the dataset card."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dlcot_ray.commands.refresh.report import Bound, Change, SnapshotReport

REPORT_TEXT_FILE = "report.md"
_SHOWN = 50
"""Values of one column that are listed; `report.json` has them all."""


def report_text(report: SnapshotReport, bounds: Sequence[Bound]) -> str:
    """`report.md`."""
    against = f"compared with {report.previous}" if report.previous else "the first one"
    lines = [
        f"# Night {report.night}",
        "",
        f"This night is {against}.",
        "",
        *_overall(report.total),
        *_bounds(bounds),
    ]
    for column, values in report.groups.items():
        if list(values) != ["(none)"]:
            lines += ["", f"## By {column}", "", *_table(column, values)]
    return "\n".join(lines) + "\n"


def summary_lines(report: SnapshotReport, carried: int | None = None) -> Iterator[str]:
    """A few lines for the terminal."""
    total = report.total
    yield (
        f"{total.rows:,} rows: {total.added:,} traces added, {total.changed:,} changed, "
        f"{total.removed:,} removed, {total.judged:,} judged"
    )
    if carried:
        yield f"{carried:,} units carried over as they were"
    yield (
        f"tokens cut {total.cut:.1%} ({total.cut_before:.1%} before), rejected {total.rejected_share:.1%} "
        f"({total.rejected_share_before:.1%} before), labels flipped on {total.flipped:,} of "
        f"{total.comparable:,} traces"
    )


def _overall(total: Change) -> Iterator[str]:
    yield "| | this night | the last |"
    yield "|---|---:|---:|"
    yield f"| rows | {total.rows:,} | {total.rows_before:,} |"
    before = _part(total.rejected_before, total.rows_before)
    yield f"| rejected | {_part(total.rejected, total.rows)} | {before} |"
    yield f"| reasoning tokens in | {total.tokens_in:,} | {total.tokens_in_before:,} |"
    yield f"| reasoning tokens out | {total.tokens_out:,} | {total.tokens_out_before:,} |"
    yield f"| tokens cut | {total.cut:.1%} | {total.cut_before:.1%} |"
    yield ""
    yield (
        f"Traces added {total.added:,}, changed {total.changed:,}, removed {total.removed:,}. "
        f"Judged {total.judged:,} ({total.judge_failed:,} in vain); the rest was known."
    )
    yield ""
    yield (
        f"Of {total.comparable:,} traces of unchanged content that were judged on both nights, "
        f"{total.flipped:,} have a correct approach on one of them only, and {total.relabelled:,} have other "
        "labels."
    )


def _bounds(bounds: Sequence[Bound]) -> Iterator[str]:
    if not bounds:
        return
    yield from ("", "| bound | limit | this night | |", "|---|---:|---:|---|")
    for bound in bounds:
        verdict = "**broken**" if bound.broken else "kept"
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
        yield f"... and {len(ranked) - _SHOWN:,} more values, see `report.json`."


def _part(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.1%})" if whole else f"{part:,}"
