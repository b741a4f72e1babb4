"""The cost of a refresh, by kind of change: 100,000 short synthetic traces, five refreshes in a row.

    python benchmarks/nightly.py [ROWS]

ROWS traces in shards of 2,500, on local disk, the rules judge, five times `dlcot refresh`: the first one;
one without a change; one per cent of the traces edited, all in one shard; one per cent edited, spread over
all shards (then every file is read again); another policy. Printed per refresh: seconds of the whole command
(with the start of Ray), traces judged, and the time as a share of the first one's. Each refresh must judge
exactly the changed traces, or the benchmark ends with an error. The rules judge takes about a millisecond for
such a trace, so these savings are a lower bound: with a model, judging takes nearly all of the time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

SHARD_ROWS = 2_500


def trace(number: int, edition: int) -> dict[str, str]:
    """A short trace: two approaches to one sum, a check, a conclusion."""
    a, b = 17 + number, 5 + number % 7
    total = a + b
    thought = [
        f"Okay, so I need to add {a} and {b}." + " Let me see." * edition,
        f"Let me just add them directly. {a} + {b} = {total}. So the answer is {total}.",
        f"Alternatively, I could count up from {a}, {b} times. That gives {total} again, so it is {total}.",
        f"Wait, let me double-check by subtracting: {total} - {b} = {a}. Yes, that works.",
        f"So the final answer is \\boxed{{{total}}}.",
    ]
    return {
        "id": f"sum-{number}",
        "problem": f"What is {a} + {b}?",
        "reasoning": "\n\n".join(thought),
        "answer": str(total),
        "source": f"source-{number % 3}",
        "teacher": f"teacher-{number % 5}",
    }


def write(folder: Path, shard: int, editions: dict[int, int]) -> None:
    numbers = range(shard * SHARD_ROWS, (shard + 1) * SHARD_ROWS)
    rows = [trace(number, editions.get(number, 0)) for number in numbers]
    pq.write_table(pa.Table.from_pylist(rows), folder / f"shard-{shard:05d}.parquet", row_group_size=512)


def refresh(work: Path, name: str, *words: str) -> tuple[float, dict[str, Any] | None]:
    """Seconds, and the total of the report; None if there was nothing to do."""
    command = [
        sys.executable,
        "-m",
        "dlcot_ray.cli",
        "refresh",
        f"input={work / 'in'}",
        f"output={work / 'out'}",
    ]
    command += [f"name={name}", "ray.address=local", "bounds.max_cut_change=1", *words]
    begin = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begin
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    report = work / "out" / "snapshots" / name / "report.json"
    return seconds, json.loads(report.read_text())["total"] if report.exists() else None


def main(rows: str = "100000") -> None:
    shards = int(rows) // SHARD_ROWS
    total, hundredth = shards * SHARD_ROWS, shards * SHARD_ROWS // 100
    editions: dict[int, int] = {}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "in").mkdir()
        for shard in range(shards):
            write(work / "in", shard, editions)
        figures: dict[str, tuple[float, int]] = {}

        def run(title: str, expected: int, *words: str) -> None:
            seconds, report = refresh(work, f"snapshot-{len(figures) + 1}", *words)
            judged = report["judged"] if report else 0
            if judged != expected:
                raise SystemExit(f"{title}: {judged} judged instead of {expected}")
            figures[title] = (seconds, judged)

        run("first", total)
        run("nothing changed", 0)
        editions.update(dict.fromkeys(range(min(hundredth, SHARD_ROWS)), 1))
        write(work / "in", 0, editions)
        run("1 % edited, in one shard", min(hundredth, SHARD_ROWS))
        editions.update(dict.fromkeys(range(50, total, 100), 2))
        for shard in range(shards):
            write(work / "in", shard, editions)
        run("1 % edited, in all shards", hundredth)
        run("another policy", 0, "policy=keep_first")
    table = Table(title=f"{total:,} traces in {shards} shards")
    for column in ("refresh", "seconds", "judged", "of the first one's time"):
        table.add_column(column, justify="right")
    first = figures["first"][0]
    for title, (seconds, judged) in figures.items():
        table.add_row(title, f"{seconds:.1f}", f"{judged:,}", f"{seconds / first:.2f}")
    Console().print(table)
    print(json.dumps({title: round(seconds / first, 3) for title, (seconds, _) in figures.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:2])
