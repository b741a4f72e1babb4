"""Show one enhanced trace before and after, from a finished output: ``show.py OUTPUT TRACE_ID``."""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
from rich.text import Text

from dlcot_ray.telemetry.cleaned_console import terminal

STYLE = {"keep": "", "drop": "red strike", "replace": "green", "insert": "green"}
PREVIEW = 420
"""Characters shown of a long kept or dropped range: its beginning and its end."""


def shorten(text: str) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= PREVIEW:
        return text
    half = PREVIEW // 2
    return f"{text[:half]} [... {len(text) - PREVIEW} characters ...] {text[-half:]}"


def main(output: str, trace_id: str) -> int:
    """Print the trace; exit status 1 if the output does not hold it."""
    rows = pl.read_parquet(str(Path(output) / "enhanced" / "**" / "*.parquet"))
    found = rows.filter(pl.col("trace_id") == trace_id)
    console = terminal(highlight=False)
    if found.is_empty():
        console.print(f"{output}: no trace {trace_id!r}; it holds {', '.join(rows['trace_id'].head(5))}, ...")
        return 1
    row = found.row(0, named=True)
    console.rule(f"{trace_id}: {row['tokens_before']} -> {row['tokens_after']} tokens ({row['policy']})")
    console.print(Text(row["problem"], style="bold"))
    for edit in row["edits"]:
        source = row["reasoning"][edit["start"] : edit["stop"]]
        note = f" {edit['op']} segments {edit['segment_start']}-{edit['segment_stop'] - 1} "
        console.print(
            Text(f"\n[{note.strip()}{': ' + edit['reason'] if edit['reason'] else ''}]", style="cyan")
        )
        console.print(Text(shorten((edit["text"] or source).strip()), style=STYLE[edit["op"]]))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
