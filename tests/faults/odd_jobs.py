"""Jobs that are odd by themselves: hostile traces, a row that hangs, a second job with other settings."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dlcot_ray.commands.exits import Exit
from tests.faults.audit import FaultReport, audit, unit_of, unit_starts
from tests.faults.inject import Injector, kill_judge, run_injected
from tests.faults.testbed import SECONDS_PER_ROW, Testbed, run_here, run_until_complete

ODD = ("hostile rows", "hanging row", "two jobs at once")
HANGS = ("LOOP", "STUCK", "WAIT")
"""Words of `faulty_judge.py`: an endless loop, a step that cannot be interrupted, an answer that never comes."""
CAUSES = {"LOOP": "too_slow", "STUCK": "poison_row", "WAIT": "poison_row"}
CRASHES = 3
"""Crashes of a worker after which a row that was alone counts as their cause."""
POLICIES = ("keep_first", "drop_verification")


def run_odd(fault: str, seed: int, bed: Testbed) -> FaultReport:
    """Run one job of an odd kind, then again until it is complete, and audit it."""
    runs: dict[str, Callable[[FaultReport, random.Random, Testbed], None]] = {
        "hostile rows": _hostile_rows,
        "hanging row": _hanging_row,
        "two jobs at once": _two_jobs,
    }
    report = FaultReport(fault, seed)
    bed.cluster.settle()
    started = time.monotonic()
    runs[fault](report, random.Random(f"{fault} {seed}"), bed)
    report.check()
    report.seconds = time.monotonic() - started
    return report


def _hostile_rows(report: FaultReport, rng: random.Random, bed: Testbed) -> None:
    """A judge is killed among hostile traces."""
    source, expected = bed.hostile(report.seed)
    with bed.fresh_output() as (out, log):
        command = bed.command(source, out, log, SECONDS_PER_ROW, "max_rejected_share=1")
        moment = (rng.randrange(2, bed.units - 8), rng.uniform(0.0, 4 * SECONDS_PER_ROW))
        run_injected(report, command, Injector(out, log, [moment], lambda: kill_judge(log)))
        _finish(report, command, bed)
        audit(report, source, out, log, expected)


def _hanging_row(report: FaultReport, rng: random.Random, bed: Testbed) -> None:
    """One row never ends. It is rejected, and every other row is as if it were not there."""
    word, number = rng.choice(HANGS), rng.randrange(bed.rows)
    name = f"t{number:03d}"
    source = bed.hanging(number, word)
    _, expected = bed.reference(padded=False)
    with bed.fresh_output() as (out, log):
        words = ["row_seconds=1", "slow_rows=reject", "max_rejected_share=1", f"max_worker_crashes={CRASHES}"]
        # A worker is replaced after two thirds of it.
        command = bed.command(source, out, log, SECONDS_PER_ROW, *words, "stall_s=36")
        status, printed = run_here(command)
        report.injected.append(f"{word} in {name}")
        if status != 0:
            report.problems.append(f"the run ended with {status}: {printed[-300:]}")
        # Each crash may take along what the same process had in hand.
        report.in_flight = 2 * CRASHES
        _finish(report, command, bed)
        audit(report, source, out, log, expected, but=unit_of(name))
        _check_beside(report, bed, out, name, CAUSES[word])


def _check_beside(report: FaultReport, bed: Testbed, out: Path, name: str, cause: str) -> None:
    """Whether the row was rejected for this cause, and the other rows of its unit are as they were."""
    unit = f"{unit_of(name)}.parquet"
    rejected = out / "rejected" / unit
    rows = pq.read_table(rejected).to_pylist() if rejected.exists() else []
    found = [(row["trace_id"], row["cause"]) for row in rows]
    if found != [(name, cause)]:
        report.problems.append(f"rejected are {found}, not {name} for {cause}")
    for folder in ("enhanced", "annotations"):
        if not (out / folder / unit).exists():
            report.problems.append(f"there is no {folder}/{unit}")
            continue
        wanted, there = (pq.read_table(place / folder / unit).to_pylist() for place in (bed.undisturbed, out))
        # A row that took too long has a placeholder among the annotations.
        if _without(name, there) != _without(name, wanted):
            report.problems.append(f"{folder}/{unit} differs in other rows than {name}")


def _without(name: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["trace_id"] != name]


def _two_jobs(report: FaultReport, rng: random.Random, bed: Testbed) -> None:
    """Two jobs with different policies start into one output: one gets it, and the other writes nothing."""
    source, _ = bed.reference(padded=False)
    with bed.fresh_output() as (out, log):
        logs = [log.with_suffix(f".{policy}") for policy in POLICIES]
        commands = [
            bed.command(source, out, own, SECONDS_PER_ROW, f"policy={policy}")
            for policy, own in zip(POLICIES, logs, strict=True)
        ]
        jobs = []
        for command in commands:
            jobs.append(_started(command))
            time.sleep(rng.uniform(0.0, 1.0))
        ends = [job.wait(timeout=300) for job in jobs]
        report.injected.append(f"jobs that ended with {ends[0]} and {ends[1]}")
        if sorted(ends) not in ([Exit.OK, Exit.FAILED], [Exit.OK, Exit.BUSY]):
            report.problems.append(f"the jobs ended with {ends}")
            return
        winner = ends.index(Exit.OK)
        if unit_starts(logs[1 - winner]):
            report.problems.append("the job that was refused has judged rows")
        _finish(report, commands[winner], bed)
        audit(report, source, out, logs[winner], bed.expected_of(POLICIES[winner]))


def _started(command: list[str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "dlcot_ray.cli", *command]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _finish(report: FaultReport, command: list[str], bed: Testbed) -> None:
    status, printed = run_until_complete(command, bed.cluster)
    if status != 0:
        report.problems.append(f"the runs after it ended with {status}: {printed[-300:]}")
