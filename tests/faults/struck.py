"""What a struck job came to, and the audit that finds it out from storage and from the judges' own log."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from dlcot_ray.plan.names import unit_name
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX
from tests.faults.ground import ROWS_PER_SHARD, ROWS_PER_UNIT, objects
from tests.support.faulty_judge import begun


@dataclass
class Struck:
    """What one job came to; `notes` says what was struck."""

    fault: str
    seed: int
    notes: list[str] = field(default_factory=list)
    lost: int = 0
    duplicated: int = 0
    differing: int = 0
    strays: int = 0
    redone: int = 0
    in_flight: int = 0
    seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Put down what does not hold."""
        for name in ("lost", "duplicated", "differing", "strays"):
            if getattr(self, name):
                self.problems.append(f"{getattr(self, name)} {name}")
        if self.redone > self.in_flight:
            self.problems.append(f"{self.redone} units redone, {self.in_flight} were in flight")


def unit_of(trace_id: str) -> str:
    """The unit that a trace belongs to."""
    shard, row = divmod(int(trace_id[1:]), ROWS_PER_SHARD)
    start = row - row % ROWS_PER_UNIT
    return unit_name(f"s{shard}", start, start + ROWS_PER_UNIT)


def starts(log: Path) -> Counter[str]:
    """How often each unit was begun: as often as that row of it which was begun most."""
    found: Counter[str] = Counter()
    for trace_id, count in begun(log).items():
        unit = unit_of(trace_id)
        found[unit] = max(found[unit], count)
    return found


def audit(found: Struck, source: Path, out: Path, log: Path, plain: dict[str, bytes]) -> None:
    """Compare an output with its input and with that of the undisturbed run."""
    ids = [row for path in sorted(source.glob("*.parquet")) for row in pq.read_table(path)["id"].to_pylist()]
    came: Counter[str] = Counter()
    for folder in ("enhanced", "rejected"):
        for path in (out / folder).rglob("*.parquet"):
            came.update(pq.read_table(path, columns=["trace_id"])["trace_id"].to_pylist())
    found.lost = sum(name not in came for name in ids)
    found.duplicated = sum(count - 1 for count in came.values()) + sum(name not in set(ids) for name in came)
    mine = objects(out)
    found.differing = sum(mine.get(name) != plain.get(name) for name in mine.keys() | plain.keys())
    found.strays = sum(TEMPORARY_SUFFIX in path.name for path in out.rglob("*"))
    found.redone = sum(count - 1 for count in starts(log).values())
