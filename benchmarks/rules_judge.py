"""Throughput of the rules judge and of every policy, in one process, on real traces.

    python benchmarks/rules_judge.py FOLDER_OF_PARQUET [ROWS]

Prints traces per second of CPU time for judging, and for each policy derived from the annotations, as
well as the share of tokens cut. CPU time is that of the judging process alone; the judge waits for its CAS
helper, so wall time is what both take on one core. The helper is started before, by judging one trace.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import POLICIES, parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.judge import RulesJudge


def read(folder: Path, rows: int | None) -> list[Trace]:
    frames = [pl.read_parquet(f) for f in sorted(folder.glob("**/*.parquet"))]
    traces = []
    for frame in frames:
        answer = next((c for c in ("answer_text", "response") if c in frame.columns), None)
        for row in frame.iter_rows(named=True):
            response = row[answer] if answer else None
            traces.append(
                Trace(row["id"], row["problem"] or "", row["reasoning"], row["ground_truth"], response)
            )
    return traces if rows is None else traces[:: max(1, len(traces) // rows)]


def main(folder: str = "examples/shards", rows: str = "") -> None:
    traces = read(Path(folder), int(rows) if rows else None)
    judge = RulesJudge()
    judge.annotate(Trace("warm-up", "", "The answer is $x+1$.", "1+x"))
    wall, cpu = time.perf_counter(), time.process_time()
    annotations = [judge.annotate(trace) for trace in traces]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    judge.close()
    tokens = sum(estimate_tokens(trace.reasoning) for trace in traces)
    table = Table(title=f"{len(traces)} traces, {tokens / len(traces):.0f} tokens each (estimated)")
    for column in ("step", "traces/s (CPU)", "traces/s (wall)", "tokens cut"):
        table.add_column(column, justify="right")
    table.add_row("rules judge", f"{len(traces) / cpu:.0f}", f"{len(traces) / wall:.0f}", "")
    for name in POLICIES:
        policy = parse_policy(name)
        wall, cpu = time.perf_counter(), time.process_time()
        results = [enhance(t, a, policy) for t, a in zip(traces, annotations, strict=True)]
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        left = sum(estimate_tokens(result.reasoning) for result in results)
        table.add_row(
            name, f"{len(traces) / cpu:.0f}", f"{len(traces) / wall:.0f}", f"{1 - left / tokens:.1%}"
        )
    Console().print(table)


if __name__ == "__main__":
    main(*sys.argv[1:3])
