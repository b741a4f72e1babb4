"""What a running job tells of itself reaches `dlcot status`, and is gone when the job has ended."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from dlcot_ray.commands.status import status_of
from dlcot_ray.commands.watching import watch_line
from dlcot_ray.outputs.job_record import InputRecord
from dlcot_ray.outputs.layout import LIVE_FILE, Output
from dlcot_ray.outputs.owning.marks import clear
from dlcot_ray.outputs.results import EngineUse, UnitResult
from dlcot_ray.telemetry.live import FRESH_S, Live, LiveRecord, read_live
from tests.support.made_output import make_output, sum_row
from tests.support.records import write_record


def an_output(place: Path, units: int = 1) -> Output:
    """The output of a job that has planned its inputs and written its units."""
    output = make_output(place, [[sum_row(number)] for number in range(units)])
    inputs = tuple(InputRecord(f"in/part{n}.parquet", f"part{n}", 1, 1, "1") for n in range(units))
    record = output.record()
    assert record is not None
    write_record(output, replace(record, inputs=inputs))
    return output


def wait_for(output: Output, failed: int) -> Live:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        live = read_live(output, time.time())
        if live is not None and live.failed >= failed:
            return live
        time.sleep(0.02)
    raise AssertionError("there is no live record")


def unit(number: int, error: str = "", **others: Any) -> UnitResult:
    return UnitResult(f"part0.r{number}", "in/part0.parquet", number, number + 1, error=error, **others)


def test_a_running_job_tells_its_engine_and_its_failures(tmp_path: Path) -> None:
    output = an_output(tmp_path / "out")
    with LiveRecord(output, every_s=0.02) as live:
        live.observe(judges=2, in_flight=3, idle_s=1.25, requeued=1)
        live.observe(judges=2, in_flight=3, idle_s=0.5, requeued=1)
        live.add(unit(0, engine=EngineUse(3.0, 4.0)))
        for number in range(1, 13):
            live.add(unit(number, "the store refused the object"))
        found = wait_for(output, 12)
        assert (found.judges, found.in_flight, found.requeued, found.failed) == (2, 3, 2, 12)
        assert len(found.failed_units) == 10
        told = status_of(output)
        assert told["engine_busy_share"] == 0.75
        assert told["failed_units"][0]["rows"] == [1, 2]
        line = watch_line(told)
        assert "2 judges, 3 units in flight, engine 75% busy, 2 units requeued" in line
        assert "12 units failed (the store refused the object)" in line
    assert not output.store.exists(LIVE_FILE)
    assert status_of(output)["live"] is None


def test_the_record_of_a_dead_driver_tells_nothing(tmp_path: Path) -> None:
    output = an_output(tmp_path / "out")
    now = time.time()
    output.store.put(LIVE_FILE, Live(judges=1, written=now).to_json())
    assert read_live(output, now + FRESH_S) == Live(judges=1, written=now)
    assert read_live(output, now + FRESH_S + 1) is None
    for damaged in (b"{", b"[]", b"{}", b'{"failed_units": [], "other": 1}'):
        output.store.put(LIVE_FILE, damaged)
        assert read_live(output, now) is None
    clear(output)
    assert not output.store.exists(LIVE_FILE)


def test_a_slow_unit_whose_rows_go_on_is_no_stall(tmp_path: Path) -> None:
    output = an_output(tmp_path / "out", 2)
    (tmp_path / "out" / "enhanced" / "part1.r000000000-000000001.parquet").unlink()
    later = time.time() + 3600
    assert status_of(output, now=later)["state"] == "stalled"
    output.store.put(LIVE_FILE, Live(judges=1, idle_s=4.0, written=later).to_json())
    assert status_of(output, now=later)["state"] != "stalled"
    output.store.put(LIVE_FILE, Live(judges=1, idle_s=400.0, written=later).to_json())
    assert status_of(output, now=later)["state"] == "stalled"
