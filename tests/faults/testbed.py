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

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.cli import main as dlcot
from tests.support import SUPPORT
from tests.support.fault_cluster import FaultCluster
from tests.support.faulty_proxy import FaultyProxy
from tests.support.plain_run import run_without_ray
from tests.support.records import units_of

ROWS_PER_SHARD, ROWS_PER_UNIT = 48, 4
SECONDS_PER_ROW = 0.06
PAD_BYTES = 500_000
"""Extra bytes per row where a writer is killed during a put, so that a put takes some milliseconds."""


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
        self._shards = shards
        self._folder = folder
        self._references: dict[bool, tuple[Path, dict[str, bytes]]] = {}

    def reference(self, padded: bool) -> tuple[Path, dict[str, bytes]]:
        """The input folder, and the data objects of an undisturbed run over it."""
        if padded not in self._references:
            source = self._folder / ("padded" if padded else "plain")
            write_shards(source, self._shards, PAD_BYTES if padded else 0)
            out = self._folder / f"{source.name}-undisturbed"
            run_without_ray(self.command(source, out, self._folder / "none.log", 0.0)[1:])
            self._references[padded] = (source, units_of(out))
        return self._references[padded]

    def command(
        self, source: Path, out: Path | str, log: Path, seconds: float = SECONDS_PER_ROW
    ) -> list[str]:
        """The words of the command line of a job."""
        return [
            "enhance",
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

    @contextmanager
    def fresh_output(self) -> Iterator[tuple[Path, Path]]:
        """An output folder and a judges' log, removed afterwards."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            yield folder / "out", folder / "starts.log"
        finally:
            shutil.rmtree(folder)


def write_shards(folder: Path, shards: int, pad: int) -> None:
    """Write synthetic shards; each row has `pad` extra bytes of noise."""
    folder.mkdir(parents=True)
    noise = random.Random(3)
    for shard in range(shards):
        rows = []
        for i in range(shard * ROWS_PER_SHARD, (shard + 1) * ROWS_PER_SHARD):
            a, b = 1000 + i, 2000 + 7 * i
            thought = (
                f"Okay, so I need to add {a} and {b}.\n\nLet me just add them. {a} + {b} = {a + b}. "
                f"So the answer is {a + b}.\n\nAlternatively, I could start from {b}. {b} + {a} = {a + b} "
                f"again, so the answer is {a + b}.\n\nSo the final answer is \\boxed{{{a + b}}}."
            )
            row = {
                "id": f"t{i:03d}",
                "problem": f"What is {a} + {b}?",
                "reasoning": thought,
                "answer": str(a + b),
            }
            rows.append({**row, "pad": noise.randbytes(pad)})
        pq.write_table(pa.Table.from_pylist(rows), folder / f"s{shard}.parquet", row_group_size=12)


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
