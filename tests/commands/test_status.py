"""`dlcot status`: figures of finished, running and dead jobs from what lies in storage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.status import Pace, pace_of, status_of
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store
from tests.support.finished_job import FinishedJob
from tests.support.seaweed import S3Place

NOW = 1_800_000_000.0


def running(finished_job: FinishedJob, tmp_path: Path, ages: list[float]) -> Path:
    """A copy of the output as it was with some of its units done, written so many seconds before NOW."""
    out = finished_job.copy(tmp_path)
    (out / "manifest.json").unlink()
    units = sorted((out / "enhanced").glob("*.parquet"))
    for unit in units[len(ages) :]:
        unit.unlink()
    for unit, age in zip(units, ages, strict=False):
        os.utime(unit, (NOW - age, NOW - age))
    os.utime(out / "_job.json", (NOW - 2000, NOW - 2000))
    return out


def test_a_finished_job(finished_job: FinishedJob) -> None:
    told = status_of(Output(Store(str(finished_job.output))))
    totals = json.loads((finished_job.output / "manifest.json").read_text())["totals"]
    assert told["state"] == "complete"
    assert (told["rows_done"], told["rows_left"], told["units_done"], told["units_left"]) == (19, 0, 5, 0)
    for name in (
        "enhanced",
        "unchanged",
        "rejected",
        "tokens_before",
        "tokens_after",
        "by_cause",
        "by_reason",
    ):
        assert told[name] == totals[name]
    assert not told["estimated"]
    assert not told["untrue_manifest"]


def test_a_running_job_has_a_rate_and_a_time_left(finished_job: FinishedJob, tmp_path: Path) -> None:
    out = running(finished_job, tmp_path, [60.0, 40.0, 20.0])
    told = status_of(Output(Store(str(out))), now=NOW)
    assert told["state"] == "running"
    assert (told["rows"], told["rows_done"], told["rows_left"]) == (19, 12, 7)
    assert (told["units_done"], told["units_left"]) == (3, 2)
    assert told["rows_per_s"] == pytest.approx(8 / 40)
    assert told["eta_s"] == pytest.approx(7 / 0.2)
    assert told["last_write_s"] == pytest.approx(20)
    assert not told["manifest"]


def test_a_job_without_recent_units_is_stalled(
    finished_job: FinishedJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = running(finished_job, tmp_path, [900.0, 880.0, 860.0])
    assert status_of(Output(Store(str(out))), now=NOW)["state"] == "stalled"
    slow = status_of(Output(Store(str(out))), now=NOW - 600)
    assert slow["state"] == "running"
    for unit in (out / "enhanced").glob("*.parquet"):
        os.utime(unit, (time.time() - 840, time.time() - 840))
    assert main(["status", str(out)]) == 3
    printed = capsys.readouterr().out
    assert "no unit finished for 14m 00s" in printed
    assert "the job may be dead" in printed


def test_before_the_first_unit_the_time_of_the_record_counts(
    finished_job: FinishedJob, tmp_path: Path
) -> None:
    out = running(finished_job, tmp_path, [])
    told = status_of(Output(Store(str(out))), now=NOW)
    assert (told["state"], told["last_write_s"], told["rows_done"]) == ("stalled", 2000, 0)
    assert status_of(Output(Store(str(out))), now=NOW - 1900)["state"] == "running"


def test_figures_from_a_sample_are_marked_as_estimates(finished_job: FinishedJob) -> None:
    told = status_of(Output(Store(str(finished_job.output))), footers=2)
    assert (told["estimated"], told["footers_read"], told["rows_done"]) == (True, 2, 19)
    assert told["enhanced"] + told["unchanged"] + told["rejected"] == pytest.approx(19, abs=1)


def test_a_manifest_that_disagrees_with_the_listing_is_reported(
    finished_job: FinishedJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished_job.copy(tmp_path)
    next((out / "rejected").glob("*.parquet")).unlink()
    assert main(["status", f"output={out}"]) == 3
    assert "wrong: rejected/ holds 1 objects" in capsys.readouterr().out
    assert main(["status", str(out), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["untrue_manifest"]


def test_the_pace_covers_recent_units_only() -> None:
    early = [(float(at), 100) for at in range(0, 100, 10)]
    late = [(10_000.0 + at, 10) for at in range(0, 100, 10)]
    pace = pace_of([*early, *late], 10_100.0)
    assert pace == Pace(1.0, 10.0, 10.0)
    assert not pace.stalled
    assert pace_of([*early, *late], 10_500.0).stalled
    assert pace_of([], 0.0) == Pace(None, None, 0.0)
    assert pace_of([(5.0, 3)], 10.0) == Pace(None, 5.0, 0.0)


def test_status_of_an_output_on_s3(finished_job: FinishedJob, s3: S3Place) -> None:
    store = Store(s3.url("out"))
    for path in sorted((finished_job.output / "enhanced").rglob("*.parquet")):
        store.put(path.relative_to(finished_job.output).as_posix(), path.read_bytes())
    store.put("_job.json", (finished_job.output / "_job.json").read_bytes())
    told = status_of(Output(store))
    assert (told["state"], told["rows_done"]) == ("finishing", 19)
    assert told["last_write_s"] < 60


def test_the_command_loads_few_modules(finished_job: FinishedJob) -> None:
    """It is run again and again by hand or by `watch`, so it must start fast."""
    program = (
        "import sys; from dlcot_ray.cli import main; assert main(['status', sys.argv[1]]) == 0; "
        "print(*(name for name in sys.modules), sep='\\n')"
    )
    command = [sys.executable, "-c", program, str(finished_job.output)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()
    assert not {"ray", "vllm", "polars", "rich", "sympy", "pandas"}.intersection(loaded)
    assert sum(name.startswith("dlcot_ray") for name in loaded) <= 45
