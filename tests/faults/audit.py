"""The audit of a job with injected faults: its output and the judges' log against an undisturbed run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from dlcot_ray.plan.names import unit_name
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX
from tests.faults.testbed import ROWS_PER_SHARD, ROWS_PER_UNIT
from tests.support.faulty_judge import trace_starts
from tests.support.records import units_of


@dataclass
class FaultReport:
    """What the audit of one job found.

    Attributes:
        fault, seed: which faults were injected, and when.
        injected: each fault that was injected, in words.
        lost: input rows that are not in the output.
        duplicated: rows that are in the output more than once, or not in the input.
        differing: data objects that differ from those of the undisturbed run.
        leftovers: temporary files and uploads that are left after the last run.
        redone: starts of units beyond the first.
        in_flight: units that were started and not listed when a fault was injected.
        seconds: duration of all runs of the job.
        problems: what must not happen and did, in words.
    """

    fault: str
    seed: int
    injected: list[str] = field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    differing: int = 0
    leftovers: int = 0
    redone: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Add a problem for each count that is too high."""
        for name in ("lost", "duplicated", "differing", "leftovers"):
            if getattr(self, name):
                self.problems.append(f"{getattr(self, name)} {name}")
        if self.redone > self.in_flight:
            self.problems.append(f"{self.redone} units redone, {self.in_flight} were in flight")


def unit_of(trace_id: str) -> str:
    """The name of the unit that a trace belongs to."""
    shard, row = divmod(int(trace_id[1:]), ROWS_PER_SHARD)
    start = row - row % ROWS_PER_UNIT
    return unit_name(f"s{shard}", start, start + ROWS_PER_UNIT)


def unit_starts(log: Path) -> Counter[str]:
    """How often each unit was started: the most starts of any of its rows."""
    found: Counter[str] = Counter()
    for trace_id, count in trace_starts(log).items():
        unit = unit_of(trace_id)
        found[unit] = max(found[unit], count)
    return found


def audit(
    report: FaultReport, source: Path, out: Path, log: Path, expected: dict[str, bytes], but: str = ""
) -> None:
    """Compare an output with its input and with the data objects of the undisturbed run, without those of a unit."""
    ids = [row for path in sorted(source.glob("*.parquet")) for row in pq.read_table(path)["id"].to_pylist()]
    written: Counter[str] = Counter()
    for folder in ("enhanced", "rejected"):
        for path in (out / folder).rglob("*.parquet"):
            written.update(pq.read_table(path, columns=["trace_id"])["trace_id"].to_pylist())
    known = set(ids)
    report.lost = sum(name not in written for name in ids)
    report.duplicated = sum(count - 1 for count in written.values()) + sum(
        name not in known for name in written
    )
    found = units_of(out)
    names = {name for name in found.keys() | expected.keys() if name.partition("/")[2] != f"{but}.parquet"}
    report.differing = sum(found.get(name) != expected.get(name) for name in names)
    report.leftovers = sum(TEMPORARY_SUFFIX in path.name for path in out.rglob("*"))
    report.redone = sum(count - 1 for count in unit_starts(log).values())
