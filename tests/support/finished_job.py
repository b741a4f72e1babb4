"""A finished job that the commands which look at outputs are tried on."""

from __future__ import annotations

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.cli import main
from tests.support.sums import sum_thought


@dataclass(frozen=True)
class FinishedJob:
    """Where its input and its output lie."""

    source: Path
    output: Path

    def copy(self, place: Path) -> Path:
        """A copy of the output that a test may damage."""
        return Path(shutil.copytree(self.output, place / "out"))


def sum_trace(number: int, *, says: int | None = None) -> dict[str, Any]:
    """A trace with two approaches to one sum, a check and a conclusion; `says` is a wrong answer."""
    a, b = 17 + number, 5 + number % 7
    total = a + b if says is None else says
    return {
        "id": f"sum-{number}",
        "problem": f"What is {a} + {b}?",
        "reasoning": sum_thought(a, b, total),
        "answer": str(a + b),
        "status": f"theirs {number}",
        "score": math.nan if number % 3 else 0.5,
    }


def make_finished_job(root: Path) -> FinishedJob:
    """Run a job below `root`: 19 rows in two files and five units: 17 enhanced, one unsolved and rejected, one without reasoning."""
    source, output = root / "in", root / "out"
    source.mkdir()
    first = [sum_trace(number) for number in range(12)]
    first[3]["reasoning"] = None
    second = [sum_trace(number) for number in range(12, 19)]
    second[2]["id"] = "sum-0"
    second[4] = sum_trace(16, says=99)
    pq.write_table(pa.Table.from_pylist(first), source / "a.parquet")
    pq.write_table(pa.Table.from_pylist(second), source / "b.parquet")
    words = [f"input={source}", f"output={output}", "rows_per_unit=4", "ray.address=local", "workers=1"]
    settings = [
        "policy=keep_first+preference_pairs",
        "unsolved=reject",
        "max_rejected_share=1",
        "reply=answer",
    ]
    assert main(["enhance", *words, *settings]) == 0
    return FinishedJob(source, output)
