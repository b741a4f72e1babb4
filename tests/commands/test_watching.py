from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.watching import watch_line, watched
from tests.support import REPO
from tests.support.finished_job import sum_trace

RUNNING: dict[str, Any] = {
    "state": "running",
    "rows": 400,
    "rows_done": 100,
    "rows_left": 300,
    "units_done": 10,
    "rows_per_s": 15.0,
    "eta_s": 20.0,
    "estimated": False,
    "tokens_before": 1000,
    "tokens_after": 700,
    "rejected": 2,
    "failed_units": [],
    "engine_busy_share": None,
    "live": None,
    "last_write_s": 3.0,
}
ENDED = {**RUNNING, "state": "complete", "rows_done": 400, "rows_left": 0, "rows_per_s": None, "eta_s": None}


def test_a_line_has_rows_rate_time_and_tokens() -> None:
    assert watch_line(RUNNING) == (
        "running: 100 of 400 rows (25.0%), 15.0 rows/s, 20s left, 300 tokens saved (30.0%), 2 rejected, "
        "last unit 3s ago"
    )


def test_failed_units_are_told() -> None:
    failed = {**ENDED, "failed_units": [{"unit": "a", "error": "out of disk"}], "engine_busy_share": 0.5}
    assert "engine 50% busy, 1 unit failed (out of disk)" in watch_line(failed)


def test_watching_ends_with_the_job() -> None:
    looks = iter([RUNNING, RUNNING, ENDED])
    waits: list[float] = []
    states = [found["state"] for found in watched(lambda: next(looks), 5.0, waits.append)]
    assert states == ["running", "running", "complete"]
    assert waits == [5.0, 5.0]


def test_a_real_job_is_watched_to_its_end(
    tmp_path: Path, ray_session: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out, judge, seen = (tmp_path / name for name in ("in", "out", "judge.yaml", "seen"))
    source.mkdir()
    seen.mkdir()
    # 20 units of a trace each, two at a time, each for a second: the driver records itself every five seconds.
    pq.write_table(pa.Table.from_pylist([sum_trace(number) for number in range(20)]), source / "a.parquet")
    options = {"folder": str(seen), "several": 99, "seconds": 1.0}
    judge.write_text(f"factory: tests.support.slow_judge:SlowJudge\noptions: {json.dumps(options)}\n")
    words = [
        "enhance",
        f"input={source}",
        f"output={out}",
        f"judge={judge}",
        "allow_code=true",
        "rows_per_unit=1",
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPO), "RAY_ADDRESS": ray_session}
    job = subprocess.Popen(
        [sys.executable, "-m", "dlcot_ray.cli", *words, "workers=1", "report=false"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until = time.monotonic() + 120
        while not (out / "_job.json").exists() and job.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert main(["status", str(out), "--watch", "watch_s=0.5", "--json"]) == 0
        assert job.wait(60) == 0, job.stderr.read() if job.stderr else ""
    finally:
        job.kill()
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert lines[-1].partition(" ")[2].startswith("complete: 20 of 20 rows (100.0%)")
    assert any("rows/s" in line and "left" in line for line in lines), lines
    assert any("1 judge, 1 unit in flight, engine " in line for line in lines), "\n".join(lines)
    done = [int(found[1]) for line in lines if (found := re.search(r"(\d+) of 20 rows", line))]
    assert done == sorted(done)
    assert len(set(done)) > 3
    assert json.loads(shown.out)["state"] == "complete"
    assert not (out / "_live.json").exists()
