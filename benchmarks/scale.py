"""Scaling on S3: ten times the traces, the last per cent of a job, and two workers against one.

    python benchmarks/scale.py FOLDER_OF_PARQUET [ROWS [SHARDS]]

The job reads from and writes to a real S3 server (SeaweedFS, one process on 127.0.0.1, as in the tests) with
the rules as judge. Its traces are the folder's real ones with at most 6,000 characters of reasoning, repeated
under new ids, in SHARDS (400) shards; "a tenth" is the first tenth of the shards.

    tenth, all   the job over a tenth and over all ROWS (300,000)
    resume       one object of `enhanced/` in a hundred is gone, and the manifest: the same command again
    one          the tenth again with one worker, to be compared with `tenth` (one worker per core)
    long         a fifteenth of ROWS, real traces at their own length, on the local disk (here the S3 server
                 takes CPU that a real one would not); and again with one worker

Rates are rows per second between the first finished unit and the last; `first` is the time of the first
unit since the command was started. CPU time is that of a process and its helpers, by what it does; memory is
the most seen (once a second) of the driver and of any one worker, resident pages of their own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from real_traces import read_traces, repeated

from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet
from tests.support.seaweed import S3Server, seaweed

MOST_CHARS = 6_000
BUCKET = "dlcot"
OTHER = "other Ray"


@dataclass
class Use:
    """The cost of one command: seconds, CPU seconds by role, and peak resident MB."""

    wall: float = 0.0
    driver_mb: float = 0.0
    worker_mb: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    first: float = 0.0

    @property
    def rate(self) -> float:
        """Rows per second between the first unit and the last."""
        took = self.run["last_unit_seconds"] - self.run["first_unit_seconds"]
        return float(self.run["rows"] / max(took, 1e-6))

    @property
    def cpu_ms_per_row(self) -> float:
        """Milliseconds of CPU time, start-up included."""
        return float(1e3 * sum(self.cpu.values()) / self.run["rows"])


@dataclass
class Seen:
    """The last sample of a process: its role and its CPU seconds."""

    name: str = ""
    role: str = OTHER
    cpu: float = 0.0


def role_of(process: psutil.Process, driver: int) -> str:
    """The role of a process of the job; a helper has the role of its parent."""
    if process.pid == driver:
        return "driver"
    for one in (process, *process.parents()):
        if one.pid == driver:
            break
        if one.name().startswith("ray::") and "Judge" in " ".join(one.cmdline()):
            return "judges"
        if one.name().startswith("ray::MapBatches"):
            return "reading, writing"
    return OTHER


def watch(command: list[str]) -> Use:
    """Run a command to its end; a failing one ends the benchmark."""
    use, begin = Use(), time.monotonic()
    seen: dict[tuple[int, float], Seen] = {}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        driver = psutil.Process(process.pid)
        while process.poll() is None:
            for one in family(driver):
                try:
                    times, memory = one.cpu_times(), one.memory_info()
                    mine = seen.setdefault((one.pid, one.create_time()), Seen())
                    if mine.name != (name := one.name()):
                        # An idle worker has another name while it waits. Looking up parents is slow.
                        role = role_of(one, process.pid)
                        mine.name, mine.role = name, mine.role if role == OTHER else role
                    mine.cpu = max(mine.cpu, times.user + times.system)
                    resident = (memory.rss - memory.shared) / 1e6
                    if one.pid == process.pid:
                        use.driver_mb = max(use.driver_mb, resident)
                    elif name.startswith("ray::"):
                        use.worker_mb = max(use.worker_mb, resident)
                except psutil.Error:
                    continue
            time.sleep(1.0)
        use.wall = time.monotonic() - begin
        if process.wait():
            log.seek(0)
            raise SystemExit(log.read().decode(errors="replace"))
    total: dict[str, float] = defaultdict(float)
    for mine in seen.values():
        total[mine.role] += mine.cpu
    use.cpu = dict(total)
    return use


def family(driver: psutil.Process) -> list[psutil.Process]:
    """A process and everything that it started, as far as it still runs."""
    try:
        return [driver, *driver.children(recursive=True)]
    except psutil.Error:
        return []


def make_shards(table: pa.Table, rows: int, shards: int, folder: str, tenth: str | None = None) -> None:
    """Shards of traces that repeat under new ids; a copy of the first tenth in `tenth`."""
    chars = pc.mean(pc.utf8_length(table["reasoning"])).as_py()
    print(f"{folder}: {table.num_rows} real traces of {chars:,.0f} characters", file=sys.stderr, flush=True)
    every = Store(folder)
    for shard in range(shards):
        first, stop = rows * shard // shards, rows * (shard + 1) // shards
        data = to_parquet(repeated(table, first, stop))
        every.put(f"train-{shard:05}.parquet", data)
        if tenth is not None and shard < shards // 10:
            Store(tenth).put(f"train-{shard:05}.parquet", data)


def job(source: str, target: str, *words: str) -> Use:
    """Run `dlcot enhance` from one place into another."""
    output = Store(target)
    before = {info.relative for info in output.scan("enhanced")}
    begin = time.time()
    places = [f"input={source}", f"output={target}", "ray.address=local", *words]
    use = watch([sys.executable, "-m", "dlcot_ray.cli", "enhance", *places])
    use.run = json.loads(output.read_bytes("manifest.json"))["run"]
    written = [info.modified or 0 for info in output.scan("enhanced") if info.relative not in before]
    # The server gives whole seconds, rounded down, so the time is up to one second too long.
    use.first = min(written) + 1 - begin
    print(f"{target}: {use}", file=sys.stderr, flush=True)
    return use


def lose_some(target: str) -> int:
    """Remove the objects that a job killed near its end would not have written."""
    store = Store(target)
    lost = [info.relative for info in store.list("enhanced")][::100]
    store.delete_all([*lost, "manifest.json"])
    return len(lost)


def measured(source: Path, rows: int, shards: int, server: S3Server, disk: Path) -> dict[str, Use]:
    os.environ.update(server.environment())
    traces, bucket = read_traces(source), f"s3://{BUCKET}"
    short = traces.filter(pc.less_equal(pc.utf8_length(traces["reasoning"]), MOST_CHARS)).combine_chunks()
    every, tenth, out = f"{bucket}/all", f"{bucket}/tenth", f"{bucket}/out-all"
    make_shards(short, rows, shards, every, tenth)
    runs = {"tenth": job(tenth, f"{bucket}/out-tenth"), "all": job(every, out)}
    lost = lose_some(out)
    runs["resume"] = job(every, out)
    assert runs["resume"].run["units"] == lost, runs["resume"].run
    runs["one"] = job(tenth, f"{bucket}/out-one", "workers=1")
    long = str(disk / "long")
    make_shards(traces, max(rows // 15, 1), max(shards // 10, 1), long)
    runs["long"] = job(long, str(disk / "out-long"))
    runs["long, one"] = job(long, str(disk / "out-long-one"), "workers=1")
    return runs


def main(folder: str, rows: str = "300000", shards: str = "400") -> None:
    with tempfile.TemporaryDirectory() as name, seaweed(Path(name)) as server:
        runs = measured(Path(folder), int(rows), int(shards), server, Path(name))
    table = Table(title=f"{int(rows):,} traces in {int(shards):,} shards")
    roles = sorted({role for use in runs.values() for role in use.cpu})
    for column in ("run", "rows/s", "first s", "LISTs", "driver MB", "worker MB", "CPU ms/row", *roles):
        table.add_column(column, justify="right")
    for label, use in runs.items():
        calls = use.run["list_calls"]
        figures = (use.rate, use.first, calls, use.driver_mb, use.worker_mb)
        cpu = (f"{use.cpu_ms_per_row:.2f}", *(f"{use.cpu.get(role, 0):,.0f} s" for role in roles))
        table.add_row(label, *(f"{figure:,.0f}" for figure in figures), *cpu)
    Console(width=160).print(table)
    tenth, every, one = runs["tenth"], runs["all"], runs["one"]
    ratios = {
        "rate_all_to_tenth": every.rate / tenth.rate,
        "cpu_per_row_all_to_tenth": every.cpu_ms_per_row / tenth.cpu_ms_per_row,
        "driver_mb_all_to_tenth": every.driver_mb / tenth.driver_mb,
        "worker_mb_all_to_tenth": every.worker_mb / tenth.worker_mb,
        "rate_two_workers_to_one": tenth.rate / one.rate,
        "rate_two_workers_to_one_long": runs["long"].rate / runs["long, one"].rate,
        "resume_first_unit_s": runs["resume"].first,
    }
    print(json.dumps({key: round(value, 3) for key, value in ratios.items()}))


if __name__ == "__main__":
    main(*sys.argv[1:4])
