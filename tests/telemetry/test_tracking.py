"""The figures of a run reach a tracker with the interface of W&B, and one that fails costs one warning.

The tracker is a small module (`tests/support/tracker.py`), because the real packages bring web servers along.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.cli import main
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.telemetry.live import Live
from dlcot_ray.telemetry.progress import RunProgress
from dlcot_ray.telemetry.tracking import RunTracker, live_figures
from tests.support.tracker import of_kind, with_tracker

SECRET = "not-for-any-tracker-0123456789"


@pytest.fixture(params=["trackio", "wandb"])
def name(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a tracker whose package is a small module."""
    name = str(request.param)
    with_tracker(name, tmp_path, monkeypatch)
    monkeypatch.setenv("WANDB_API_KEY", SECRET)
    return name


def a_job(**config: Any) -> JobRecord:
    return JobRecord("enhance", {"policy": "keep_first"}, config)


def tracked(tmp_path: Path, kind: str) -> list[Any]:
    return of_kind(tmp_path / "tracked", kind)


def test_the_last_figures_are_those_of_the_run(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = RunProgress(total_rows=40, done_rows=10, interval_s=99)
    live = Live(judges=2, in_flight=3, requeued=1, engine_busy_s=3.0, engine_s=4.0, failed=1)
    job = a_job(policy="keep_first", input=["s3://me:pw@bucket/in"], storage={"input": {"x": SECRET}})

    def figures() -> dict[str, float | None]:
        return {**progress.numbers(), **live_figures(live)}

    with RunTracker(name, "traces", None, job, figures):
        progress.update(UnitStats(rows=10, enhanced=7, rejected=3, tokens_before=900, tokens_after=600))
    (given,), (last,), (ended,) = (tracked(tmp_path, kind) for kind in ("init", "log", "finish"))
    assert (given["project"], given["name"]) == ("traces", f"enhance-{job.fingerprint}")
    assert given["config"]["policy"] == "keep_first"
    assert ended == {}
    assert (last["rows"], last["rows_done"], last["rows_left"]) == (40, 20, 20)
    assert (last["enhanced"], last["rejected"], last["tokens_saved"]) == (7, 3, 300)
    assert last["eta_s"] == pytest.approx(20 / last["rows_per_s"])
    assert (last["judges"], last["failed"], last["engine_busy_share"]) == (2, 1, 0.75)
    # What trackio looks at when Python ends, to finish the run once more.
    assert sys.modules[name].current.get() is None
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"figures go to {name}: project traces, run enhance-" in printed.err
    everything = (tmp_path / "tracked").read_text()
    assert SECRET not in everything
    assert "me:pw" not in everything


def test_a_figure_that_is_not_known_is_not_sent(name: str, tmp_path: Path) -> None:
    with RunTracker(name, "traces", "night", a_job(), lambda: live_figures(Live(judges=1))):
        pass
    assert tracked(tmp_path, "init")[0]["name"] == "night"
    assert tracked(tmp_path, "log") == [{"judges": 1, "in_flight": 0, "requeued": 0, "failed": 0}]


@pytest.mark.parametrize("fails", ["log", "init"])
def test_a_tracker_that_fails_costs_one_warning(
    name: str,
    fails: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FAILS", fails)
    sent: list[int] = []

    def figures() -> dict[str, float | None]:
        sent.append(1)
        return {"rows": float(len(sent))}

    with RunTracker(name, "traces", None, a_job(), figures, every_s=0.01):
        while fails == "log" and len(sent) < 5:
            pass
    printed = capsys.readouterr()
    warnings = [line for line in printed.err.splitlines() if "the job goes on" in line]
    assert len(warnings) == 1
    assert {"log": "the server refuses ***", "init": "no route to the server"}[fails] in warnings[0]
    assert (tmp_path / "tracked").exists() == (fails == "log")


def test_a_job_that_fails_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="broken"), RunTracker(name, "traces", None, a_job(), dict):
        raise ValueError("broken")
    assert tracked(tmp_path, "finish") == [{"exit_code": 1} if name == "wandb" else {}]


@pytest.mark.parametrize(
    ("command", "word"), [("enhance", "input"), ("derive", "annotations"), ("refresh", "input")]
)
def test_a_tracker_that_is_not_installed_is_refused_before_anything_is_written(
    command: str,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "trackio", None)
    out = tmp_path / "out"
    assert main([command, f"{word}={tmp_path}", f"output={out}", "tracker=trackio"]) == 2
    assert "run: pip install 'dlcot-ray[trackio]'" in capsys.readouterr().err
    assert not out.exists()
