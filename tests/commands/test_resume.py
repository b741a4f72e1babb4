"""A job that is asked to stop stops at once, says how to go on, leaves no process, and can go on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main

ROWS = 120


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_job_leaves_no_temporary_objects_and_resumes(
    number: signal.Signals, tmp_path: Path, ray_session: str
) -> None:
    paragraphs = [f"JudgeStep {n}: {n} + {n} = {2 * n}, and that is fine so far." for n in range(200)]
    table = pa.table(
        {
            "id": [f"t{row}" for row in range(ROWS)],
            "problem": ["What is 20 + 22?"] * ROWS,
            "reasoning": ["\n\n".join([*paragraphs, f"Row {row}: the answer is 42."]) for row in range(ROWS)],
            "answer": ["42"] * ROWS,
        }
    )
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet")
    output = tmp_path / "out"
    words = ["enhance", f"input={tmp_path / 'in'}", f"output={output}", "rows_per_unit=4"]
    command = [sys.executable, "-m", "dlcot_ray.cli", *words, "ray.address=local"]
    job = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 120
        while (
            not list(output.glob("enhanced/*.parquet")) and job.poll() is None and time.monotonic() < deadline
        ):
            time.sleep(0.05)
        family = psutil.Process(job.pid).children(recursive=True)
        job.send_signal(number)
        _, told = job.communicate(timeout=60)
    finally:
        job.kill()
    assert job.returncode == 1
    last = "dlcot: stopped; finished units are kept: run the same command again to resume\n"
    assert told.splitlines(keepends=True)[-1] == last
    assert "Traceback" not in told
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive
    finished = len(list(output.glob("enhanced/*.parquet")))
    assert 0 < finished < ROWS // 4
    assert not (output / "manifest.json").exists()
    if number is signal.SIGINT:
        return
    assert main([*words, f"ray.address={ray_session}"]) == 0
    ids = [name for path in output.glob("enhanced/*.parquet") for name in pl.read_parquet(path)["id"]]
    assert sorted(ids) == sorted(f"t{row}" for row in range(ROWS))
