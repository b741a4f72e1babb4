"""What Ray costs: the whole job against the same functions in one plain loop, and memory by rows.

    python benchmarks/ray_job.py FOLDER_OF_PARQUET [ROWS]

The traces of the folder are repeated under new ids up to ROWS (50,000), in shards of 2,500 rows. Three
runs of the `dlcot` command (two units: start-up; a fifth of the rows; all rows) and two of a plain loop
over `read_units`, `Processor` and `write_unit` (two units; all rows), one after the other. CPU time is that
of a command's whole process tree, helpers and Ray's own processes included; "without start-up" takes off
what the run of two units needed. The job also looks for duplicate ids and writes a manifest, the loop
does not. Memory is the most seen (twice a second) of the driver and of any one worker: resident pages of
its own, without those of Ray's object store that it has mapped (a fixed pool, shared by all).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
from real_traces import read_traces, repeated
from rich.console import Console
from rich.table import Table

from dlcot_ray.commands.enhance import prepare_enhance
from dlcot_ray.config.loading import load_enhance
from dlcot_ray.config.settings import EnhanceConfig
from dlcot_ray.plan.pending import Pending
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.writing import write_unit

SHARD_ROWS = 2_500


@dataclass
class Cost:
    """The cost of one command: seconds, and peak resident MB."""

    wall: float = 0.0
    driver_mb: float = 0.0
    worker_mb: float = 0.0
    by_process: dict[tuple[int, float], float] = field(default_factory=dict)

    @property
    def cpu(self) -> float:
        """Seconds of CPU time, of all processes."""
        return sum(self.by_process.values())

    def sample(self, driver: psutil.Process) -> None:
        """Look at a command and everything that it started."""
        for process in (driver, *driver.children(recursive=True)):
            try:
                times = process.cpu_times()
                key = process.pid, process.create_time()
                self.by_process[key] = max(self.by_process.get(key, 0.0), times.user + times.system)
                memory = process.memory_info()
                resident = (memory.rss - memory.shared) / 1e6
                if process.pid == driver.pid:
                    self.driver_mb = max(self.driver_mb, resident)
                elif process.name().startswith("ray::"):
                    self.worker_mb = max(self.worker_mb, resident)
            except psutil.Error:
                continue


def make_shards(source: Path, target: Path, rows: int) -> None:
    """Shards of `rows` traces in all, repeated from `source`, each with an id of its own."""
    target.mkdir()
    table = read_traces(source)
    for shard in range((rows + SHARD_ROWS - 1) // SHARD_ROWS):
        picked = repeated(table, shard * SHARD_ROWS, min((shard + 1) * SHARD_ROWS, rows))
        pq.write_table(picked, target / f"shard-{shard:05}.parquet", row_group_size=512)


def plain(source: str, output: str) -> None:
    """The loop that Ray is measured against: the job's own functions, one unit after the other."""
    config = load_enhance([f"input={source}", f"output={output}"])
    assert isinstance(config, EnhanceConfig)
    job = prepare_enhance(config)
    job.claim.write(job.record)
    tasks = Pending(job.plan, np.zeros(job.plan.unit_count, bool))
    processor = Processor(job.spec)

    async def loop() -> None:
        for task in tasks:
            for read in read_units(task, job.spec):
                made = await processor(read)
                result = write_unit(read.task, made, job.spec.open_output(), job.spec)
                if result.error:
                    raise SystemExit(result.error)

    asyncio.run(loop())
    processor.close()


def measure(command: list[str]) -> Cost:
    """Run a command to its end; a failing one ends the benchmark."""
    cost, begin = Cost(), time.monotonic()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        driver = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                cost.sample(driver)
            except psutil.NoSuchProcess:
                break
            time.sleep(0.5)
        cost.wall = time.monotonic() - begin
        if process.wait():
            log.seek(0)
            raise SystemExit(log.read().decode(errors="replace"))
    return cost


def main(folder: str, rows: str = "50000") -> None:
    total = int(rows)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sizes = {"start": 512, "fifth": total // 5, "all": total}
        for size, count in sizes.items():
            make_shards(Path(folder), work / size, count)

        def job(size: str) -> Cost:
            words = [f"input={work / size}", f"output={work / f'ray-{size}'}", "ray.address=local"]
            return measure([sys.executable, "-m", "dlcot_ray.cli", "enhance", *words])

        def loop(size: str) -> Cost:
            words = [str(work / size), str(work / f"plain-{size}")]
            return measure([sys.executable, __file__, "--plain", *words])

        runs = {
            "loop, start-up (512)": loop("start"),
            "Ray job, start-up (512)": job("start"),
            f"Ray job, {sizes['fifth']:,}": job("fifth"),
            f"Ray job, {total:,}": job("all"),
            f"loop, {total:,}": loop("all"),
        }
        same = compare(work / "ray-all", work / "plain-all")
    loop_start, job_start, _, job_all, loop_all = runs.values()
    table = Table(title=f"{total:,} traces")
    for column in ("run", "CPU s", "wall s", "driver MB", "largest worker MB"):
        table.add_column(column, justify="right")
    for label, cost in runs.items():
        figures = (cost.cpu, cost.wall, cost.driver_mb, cost.worker_mb)
        table.add_row(label, *(f"{figure:,.0f}" for figure in figures))
    Console().print(table)
    ratios = {
        "cpu_ratio": job_all.cpu / loop_all.cpu,
        "cpu_ratio_without_start_up": (job_all.cpu - job_start.cpu) / (loop_all.cpu - loop_start.cpu),
        "wall_ratio": job_all.wall / loop_all.wall,
        "identical_units": same,
    }
    print(json.dumps({key: round(value, 3) for key, value in ratios.items()}))


def compare(one: Path, other: Path) -> int:
    """How many objects of `enhanced/` are byte-identical; any difference ends the benchmark."""
    files = sorted(path.relative_to(one) for path in (one / "enhanced").rglob("*.parquet"))
    for path in files:
        if (one / path).read_bytes() != (other / path).read_bytes():
            raise SystemExit(f"{path} differs between the job and the loop")
    return len(files)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        plain(*sys.argv[2:4])
    else:
        main(*sys.argv[1:3])
