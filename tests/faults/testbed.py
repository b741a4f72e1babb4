"""What fault rounds run on: generated shards, an undisturbed output to compare with, a fresh output per job.

All rows have about the same length, so that a moment in a job is the same moment for every seed.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.cli import main as dlcot
from tests.support import SUPPORT
from tests.support.fault_cluster import FaultCluster
from tests.support.faulty_proxy import FaultyProxy
from tests.support.hostile import FLOODS, mixed, solved
from tests.support.plain_run import run_without_ray
from tests.support.records import units_of
from tests.support.words import later_wins

ROWS_PER_SHARD, ROWS_PER_UNIT = 48, 4
SECONDS_PER_ROW = 0.06
PAD_BYTES = 500_000
"""Extra bytes per row where a writer is killed during a put, so that a put takes some milliseconds."""
HOSTILE_CHARS = (200, 2000, 8000)


class Testbed:
    """Inputs, the undisturbed output to compare with, and a fresh output for each job.

    Args:
        folder: where everything is written.
        shards: the input's size.
    """

    __test__ = False

    def __init__(self, folder: Path, shards: int, cluster: FaultCluster, proxy: FaultyProxy) -> None:
        self.cluster, self.proxy = cluster, proxy
        self.units = shards * ROWS_PER_SHARD // ROWS_PER_UNIT
        self.rows = shards * ROWS_PER_SHARD
        self._folder = folder

    def reference(self, padded: bool) -> tuple[Path, dict[str, bytes]]:
        """The input folder, and the data objects of an undisturbed run over it."""
        source = self._folder / ("padded" if padded else "plain")
        if not source.exists():
            write_shards(source, rows_of(self.rows, PAD_BYTES if padded else 0))
        return source, self._undisturbed(source)

    @property
    def undisturbed(self) -> Path:
        """The output of the undisturbed run over rows without padding."""
        return self._folder / "plain-undisturbed"

    def expected_of(self, policy: str) -> dict[str, bytes]:
        """The data objects of an undisturbed run over rows without padding, with another policy."""
        return self._undisturbed(self._folder / "plain", f"policy={policy}")

    def hostile(self, seed: int) -> tuple[Path, dict[str, bytes]]:
        """An input folder in which every fourth row is hostile, and the objects of an undisturbed run."""
        source = self._folder / f"hostile-{seed}"
        if not source.exists():
            write_shards(source, with_hostile(rows_of(self.rows, 0), seed))
        return source, self._undisturbed(source)

    def hanging(self, number: int, word: str) -> Path:
        """An input folder whose row of this number lets the judge hang."""
        rows = rows_of(self.rows, 0)
        rows[number]["problem"] += f" {word}"
        source = self._folder / f"hanging-{number}-{word}"
        if not source.exists():
            write_shards(source, rows)
        return source

    def _undisturbed(self, source: Path, *words: str) -> dict[str, bytes]:
        out = self._folder / "-".join([source.name, "undisturbed", *words])
        if not out.exists():
            command = self.command(source, out, self._folder / "none.log", 0.0, *words)
            run_without_ray(command[1:])
        return units_of(out)

    def command(
        self, source: Path, out: Path | str, log: Path, seconds: float = SECONDS_PER_ROW, *words: str
    ) -> list[str]:
        """The words of the command line of a job; `words` win over the usual ones."""
        usual = [
            f"input={source}",
            f"output={out}",
            f"judge={SUPPORT / 'faulty.yaml'}",
            "allow_code=true",
            f"judge_options.seconds={seconds}",
            f"judge_options.log={log}",
            f"rows_per_unit={ROWS_PER_UNIT}",
            f"ray.address={self.cluster.address}",
            # The injected faults crash the workers here, not the units.
            "max_worker_crashes=20",
            "progress_s=1e9",
            "stall_s=120",
        ]
        return ["enhance", *later_wins(*usual, *words)]

    @contextmanager
    def fresh_output(self) -> Iterator[tuple[Path, Path]]:
        """An output folder and a judges' log, removed afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            yield folder / "out", folder / "starts.log"
        finally:
            shutil.rmtree(folder)


def rows_of(count: int, pad: int) -> list[dict[str, Any]]:
    """Synthetic rows, each with `pad` extra bytes of noise."""
    noise = random.Random(3)
    rows = []
    for i in range(count):
        a, b = 1000 + i, 2000 + 7 * i
        thought = (
            f"Okay, so I need to add {a} and {b}.\n\nLet me just add them. {a} + {b} = {a + b}. "
            f"So the answer is {a + b}.\n\nAlternatively, I could start from {b}. {b} + {a} = {a + b} "
            f"again, so the answer is {a + b}.\n\nSo the final answer is \\boxed{{{a + b}}}."
        )
        row = {"id": f"t{i:03d}", "problem": f"What is {a} + {b}?", "reasoning": thought}
        rows.append({**row, "answer": str(a + b), "pad": noise.randbytes(pad)})
    return rows


def with_hostile(rows: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """The rows, every fourth of them with a hostile trace in its place."""
    chosen = random.Random(seed)
    floods = sorted(FLOODS)
    for row in rows[chosen.randrange(4) :: 4]:
        length = chosen.choice(HOSTILE_CHARS)
        text = mixed(length, seed) if chosen.random() < 0.5 else FLOODS[chosen.choice(floods)](length)
        row["reasoning"] = solved(text).reasoning if chosen.random() < 0.5 else text
    return rows


def write_shards(folder: Path, rows: list[dict[str, Any]]) -> None:
    """Write the rows as shards."""
    folder.mkdir(parents=True)
    for shard, first in enumerate(range(0, len(rows), ROWS_PER_SHARD)):
        part = pa.Table.from_pylist(rows[first : first + ROWS_PER_SHARD])
        pq.write_table(part, folder / f"s{shard}.parquet", row_group_size=12)


def run_here(command: list[str]) -> tuple[int, str]:
    """Run a job in this process, which is attached to the cluster; returns its exit status and its stdout."""
    printed = StringIO()
    with redirect_stdout(printed):
        status = dlcot(command)
    return status, printed.getvalue()


def run_until_complete(command: list[str], cluster: FaultCluster) -> tuple[int, str]:
    """Run a job until it exits with 0, at most three times, because a busy machine loses nodes by itself."""
    for _ in range(3):
        status, printed = run_here(command)
        if status == 0:
            break
        cluster.settle()
    return status, printed
