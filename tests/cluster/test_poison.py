"""Poison rows, judges that hang, and too many failures: the job goes on, or stops with a reason."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from dlcot_ray.cli import main
from tests.support import REPO, SUPPORT
from tests.support.faulty_judge import trace_starts
from tests.support.words import later_wins

JUDGE = SUPPORT / "faulty.yaml"
ROWS = 24

pytestmark = pytest.mark.usefixtures("ray_session")


def source(folder: Path, **problems: str) -> Path:
    """Rows r0 ... r23; `problems` replaces the problem of some of them."""
    folder.mkdir()
    rows = [
        {
            "id": f"r{i}",
            "problem": problems.get(f"r{i}", f"What is {i} + 1?"),
            "reasoning": f"Let me add. {i} + 1 = {i + 1}. The answer is {i + 1}.",
            "answer": str(i + 1),
        }
        for i in range(ROWS)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "a.parquet")
    return folder


def enhance(data: Path, out: Path, *words: str) -> int:
    given = (
        f"input={data}",
        f"output={out}",
        f"judge={JUDGE}",
        "allow_code=true",
        "rows_per_unit=4",
        "retries=0",
        *words,
    )
    return main(["enhance", *later_wins(*given)])


def manifest(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "manifest.json").read_text())
    return content


def rows_of(out: Path, folder: str) -> pl.DataFrame:
    return pl.concat([pl.read_parquet(path) for path in sorted((out / folder).rglob("*.parquet"))])


def assert_all_is_free() -> None:
    """A finished job holds no CPU of a Ray session that goes on, and leaves no ledger there."""
    until = time.monotonic() + 60
    while any(child.name().startswith("ray::Ledger") for child in psutil.Process().children(recursive=True)):
        assert time.monotonic() < until, "a ledger is left"
        time.sleep(0.2)
    while (free := ray.available_resources().get("CPU")) != ray.cluster_resources()["CPU"]:
        assert time.monotonic() < until, f"only {free} CPUs are free"
        time.sleep(0.2)


@pytest.mark.parametrize("in_flight", [1, 4])
def test_a_poison_row_is_found_and_rejected(
    tmp_path: Path, in_flight: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, log = source(tmp_path / "in", r9="CRASH"), tmp_path / "out", tmp_path / "log"
    words = ("workers=1", f"in_flight={in_flight}", f"judge_options.log={log}", "max_rejected_share=1.0")
    assert enhance(data, out, *words) == 0
    assert "raylet" not in capsys.readouterr().out
    bad = rows_of(out, "rejected").row(0, named=True)
    assert (bad["trace_id"], bad["stage"], bad["cause"]) == ("r9", "judge", "poison_row")
    assert bad["message"] == "it killed its judge 3 times"
    good = rows_of(out, "enhanced")
    assert sorted(good["trace_id"]) == sorted(f"r{i}" for i in range(ROWS) if i != 9)
    assert manifest(out)["complete"]
    counts = trace_starts(log)
    assert counts["r9"] == 3
    # The other rows of its unit are started again after each crash; units in flight beside it, after the first.
    again = {row: count for row, count in counts.items() if count > 1}
    assert max(again.values()) <= 4
    assert len({int(row[1:]) // 4 for row in again}) <= 3


def test_a_judge_that_crashes_before_its_first_unit_ends_the_job_with_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = source(tmp_path / "in")
    assert enhance(data, tmp_path / "out", "workers=1", "judge_options.start_crashes=true") == 1
    assert "worker processes crashed before they took a unit" in capsys.readouterr().err
    assert_all_is_free()


def test_more_failed_units_than_allowed_stop_the_job(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = source(tmp_path / "in", r1="CRASH", r9="CRASH"), tmp_path / "out"
    # A unit is quarantined at its first crash, so that no row is tested alone.
    words = ("workers=1", "max_worker_crashes=1", "max_rejected_share=1.0")
    assert enhance(data, out, *words, "max_failed_units=1") == 1
    said = capsys.readouterr().err
    assert "2 units failed, more than max_failed_units=1" in said
    assert "it killed its worker 1 times" in said
    assert not (out / "manifest.json").exists()
    assert enhance(data, out, *words, "max_failed_units=2") == 3
    failed = manifest(out)["failed_units"]
    assert [unit["rows"] for unit in failed] == [[0, 4], [8, 12]]
    assert len(rows_of(out, "enhanced")) == ROWS - 8


def test_rows_that_hang_cost_only_themselves(tmp_path: Path) -> None:
    data = source(tmp_path / "in", r3="LOOP", r9="STUCK")
    words = ("workers=1", "row_seconds=1", "max_rejected_share=1.0")
    assert enhance(data, tmp_path / "out", *words) == 0
    rows = rows_of(tmp_path / "out", "enhanced")
    assert sorted(rows["trace_id"]) == sorted(f"r{i}" for i in range(ROWS) if i != 9)
    slow = rows.row(by_predicate=pl.col("trace_id") == "r3", named=True)
    assert (slow["status"], slow["status_reason"]) == ("unchanged", "too_slow")
    # Nothing interrupts this one, so it takes its process along; it is found as rows are that crash theirs.
    stuck = rows_of(tmp_path / "out", "rejected").row(0, named=True)
    assert (stuck["trace_id"], stuck["stage"], stuck["cause"]) == ("r9", "judge", "poison_row")

    data = source(tmp_path / "in2", r3="LOOP")
    assert enhance(data, tmp_path / "two", *words, "slow_rows=reject") == 0
    rejected = rows_of(tmp_path / "two", "rejected")
    assert list(zip(rejected["trace_id"], rejected["cause"], strict=True)) == [("r3", "too_slow")]


def test_a_job_that_hangs_ends_with_a_diagnosis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = source(tmp_path / "in"), tmp_path / "out"
    begin = time.monotonic()
    assert enhance(data, out, "workers=1", "stall_s=20", "judge_options.start_hangs=true") == 1
    assert time.monotonic() - begin < 200
    line = capsys.readouterr().err.strip().splitlines()[-1]
    for words in ("nothing was finished for", "stall_s=20", "Ray has 1 of 1 nodes", "of 1 judges run"):
        assert words in line
    assert "what is finished is kept" in line


def test_a_row_whose_answer_never_comes_is_found_and_rejected(tmp_path: Path) -> None:
    data, out = source(tmp_path / "in", r9="WAIT"), tmp_path / "out"
    words = ("workers=1", "in_flight=4", "stall_s=36", "max_worker_crashes=2", "max_rejected_share=1.0")
    assert enhance(data, out, *words) == 0
    bad = rows_of(out, "rejected").row(0, named=True)
    assert (bad["trace_id"], bad["cause"]) == ("r9", "poison_row")
    assert "no row was finished for 2" in bad["message"]
    assert len(rows_of(out, "enhanced")) == ROWS - 1


def test_finished_rows_are_progress_though_no_unit_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, out = source(tmp_path / "in"), tmp_path / "out"
    # Ray Data stops a graph in which no block is finished for so long, and it does not count rows.
    monkeypatch.setattr(ray.data.DataContext.get_current(), "execution_no_progress_timeout_s", 4)
    words = ("workers=1", f"rows_per_unit={ROWS}", "judge_options.seconds=0.6", "stall_s=30")
    assert enhance(data, out, *words) == 0
    assert len(rows_of(out, "enhanced")) == ROWS


def test_a_job_ends_even_where_ray_itself_hangs(tmp_path: Path) -> None:
    data, out, log = source(tmp_path / "in"), tmp_path / "out", tmp_path / "log"
    words = [
        f"input={data}",
        f"output={out}",
        f"judge={JUDGE}",
        "allow_code=true",
        f"judge_options.log={log}",
        "stall_s=15",
    ]
    command = [sys.executable, "-m", "dlcot_ray.cli", "enhance", "ray.address=local", *words]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    more = ["rows_per_unit=2", "judge_options.seconds=1.5"]
    job = subprocess.Popen(
        [*command, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    family: list[psutil.Process] = []
    try:
        until = time.monotonic() + 120
        while not log.exists() and time.monotonic() < until:
            time.sleep(0.1)
        family = psutil.Process(job.pid).children(recursive=True)
        for process in family:
            if process.name() in ("gcs_server", "raylet"):
                process.suspend()
        said, _ = job.communicate(timeout=150)
    finally:
        job.kill()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
    assert job.returncode == 1
    line = said.strip().splitlines()[-1]
    assert "nothing was finished for" in line
    assert "Traceback" not in said
    # A stopped process may take a while to be killed.
    _, left = psutil.wait_procs(family, timeout=60)
    assert not [process for process in left if process.status() != psutil.STATUS_ZOMBIE]
