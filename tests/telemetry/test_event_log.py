"""The event log of a job with a unit that crashes its worker, against the figures of the manifest."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.cluster.ledger.unit_events import EventKind, Phase, UnitEvents
from dlcot_ray.config.groups import LogConfig
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.results import Effort, UnitResult
from dlcot_ray.telemetry.event_log import EventLog
from tests.support import SUPPORT
from tests.support.finished_job import sum_trace
from tests.support.tracker import of_kind, with_tracker

FAULTY = SUPPORT / "faulty.yaml"
SECRET = "not-for-any-log-0123456789"


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def of(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


@pytest.mark.usefixtures("ray_session")
def test_the_events_of_a_unit_that_crashes_its_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tracker("trackio", tmp_path, monkeypatch)
    data, out, log = tmp_path / "in", tmp_path / "out", tmp_path / "log.jsonl"
    data.mkdir()
    rows = [sum_trace(number) for number in range(8)]
    rows[5]["problem"] = "CRASH"
    pq.write_table(pa.Table.from_pylist(rows), data / "a.parquet")
    words = (
        f"input={data}",
        f"output={out}",
        f"judge={FAULTY}",
        "rows_per_unit=4",
        "max_worker_crashes=1",
        "allow_code=true",
    )
    asked = ("workers=1", "retries=0", "log.format=json", f"log.file={log}", "log.level=debug")
    assert main(["enhance", *words, *asked, "tracker=trackio"]) == 3
    printed = capsys.readouterr()
    assert '"event"' not in printed.out + printed.err
    assert "open me" not in printed.out
    manifest = json.loads((out / "manifest.json").read_text())
    tracked = of_kind(tmp_path / "tracked", "log")[-1]
    assert {name: tracked[name] for name in ("rows", "rows_done", "failed", "requeued")} == {
        "rows": 8, "rows_done": 4, "failed": 1, "requeued": 1,
    }  # fmt: skip
    assert tracked["tokens_saved"] == manifest["totals"]["tokens_before"] - manifest["totals"]["tokens_after"]
    totals, events = manifest["totals"], lines(log)
    assert {event["job"] for event in events} == {manifest["fingerprint"]}
    assert all(datetime.fromisoformat(event["time"]).utcoffset() is not None for event in events)
    assert [events[0]["event"], events[-1]["event"]] == ["job_started", "job_finished"]
    assert (events[0]["rows"], events[0]["units"]) == (totals["rows"], 2)
    good, bad = "a.r000000000-000000004", "a.r000000004-000000008"
    assert {event["unit"] for event in of(events, "unit_started")} == {good, bad}
    (finished,) = of(events, "unit_finished")
    assert finished["unit"] == good
    assert finished["file"] == manifest["inputs"][0]["file"]
    assert finished["seconds"] > 0
    for name in ("enhanced", "unchanged", "rejected"):
        assert finished[name] == totals[name] == events[-1][name]
    (failed,), (listed,) = of(events, "unit_failed"), manifest["failed_units"]
    assert (failed["unit"], failed["cause"]) == (listed["unit"], listed["error"])
    assert [failed["first_row"], failed["first_row"] + failed["rows"]] == listed["rows"]
    (quarantined,) = of(events, "unit_quarantined")
    assert (quarantined["unit"], quarantined["cause"]) == (bad, listed["error"])
    requeued = [event for event in of(events, "unit_requeued") if event["unit"] == bad]
    assert [event["attempt"] for event in requeued] == [1]
    assert requeued[0]["cause"] == "its worker crashed"
    assert (requeued[0]["rows"], requeued[0]["phase"]) == (4, "judging")
    assert events[-1]["unfinished"] == totals["unfinished"] == 4
    assert events[-1]["failed_units"] == 1
    assert events[-1]["seconds"] == manifest["run"]["seconds"]


def test_the_error_that_ends_a_job_is_the_last_line_without_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    file = tmp_path / "log.jsonl"
    said = f"PUT s3://user:{'pw' * 5}@host/x?X-Amz-Signature=abcdef&a=1 with {SECRET} is refused, 100 %s"
    with pytest.raises(JobError), EventLog(LogConfig("json", "info", str(file)), "f00d"):
        raise JobError(said)
    (event,) = lines(file)
    assert (event["event"], event["level"], event["job"]) == ("job_failed", "error", "f00d")
    assert event["cause"] == "PUT s3://***@host/x?***&a=1 with *** is refused, 100 %s"


def test_events_below_the_minimum_log_level_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = UnitResult("a.r0-2", "a.parquet", 0, 2, UnitStats(rows=2, enhanced=2), effort=Effort(1.5, 2))
    bad = UnitResult("a.r2-4", "a.parquet", 2, 4, error="cannot be read")
    with EventLog(LogConfig("json", "error"), "f00d") as log:
        log.unit(good)
        log.unit(bad)
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["unit"] == "a.r2-4"
    with EventLog(LogConfig(), "f00d") as log:
        log.unit(bad)
    assert capsys.readouterr().err == ""
    with EventLog(LogConfig("json", file=str(tmp_path / "log")), "f00d") as log:
        log.unit(good)
    (line_in_file,) = lines(tmp_path / "log")
    assert (line_in_file["seconds"], line_in_file["attempt"], line_in_file["rows"]) == (1.5, 2, 2)


def test_a_log_that_cannot_be_written_and_an_unknown_format_are_errors(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = tmp_path / "missing" / "log"
    with pytest.raises(JobError, match="log"), EventLog(LogConfig("json", file=str(nowhere)), "f00d"):
        pass
    assert main(["enhance", f"input={tmp_path}", f"output={tmp_path / 'o'}", "log.format=xml"]) == 2
    assert "log.format cannot be 'xml'" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is full")
def test_a_full_disk_is_reported_once_and_the_job_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    result = UnitResult("a.r0-2", "a.parquet", 0, 2, UnitStats(rows=2, enhanced=2))
    with EventLog(LogConfig("json", file="/dev/full"), "f00d") as log:
        log.unit(result)
        log.unit(result)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "dlcot: the log cannot be written (No space left on device); the job goes on without"


def test_events_are_sent_until_they_are_acknowledged() -> None:
    events = UnitEvents(clock=lambda: 7.0)
    for number in range(3):
        events.add(EventKind.UNIT_STARTED, f"u{number}", Phase.JUDGING, 1)
    count, first = events.after(0)
    assert (count, [item.unit for item in first]) == (3, ["u0", "u1", "u2"])
    # The answer was lost: all events are sent again, with the new one.
    events.add(EventKind.UNIT_REQUEUED, "u0", Phase.READING, 1, cause="its worker crashed")
    count, again = events.after(0)
    assert (count, len(again)) == (4, 4)
    assert events.after(3) == (4, again[3:])
    assert events.after(4) == (4, ())
    events.add(EventKind.UNIT_STARTED, "u0", Phase.JUDGING, 2)
    # A number above the count is of a ledger that crashed.
    assert [item.attempt for item in events.after(50)[1]] == [2]
