from __future__ import annotations

from typing import Any

from dlcot_ray.commands.watching import watch_line, watched

RUNNING: dict[str, Any] = {
    "state": "running",
    "rows": 400,
    "rows_done": 100,
    "rows_left": 300,
    "rows_per_s": 15.0,
    "eta_s": 20.0,
    "estimated": False,
    "tokens_before": 1000,
    "tokens_after": 700,
    "rejected": 2,
    "failed_units": [],
    "last_write_s": 3.0,
}
ENDED = {**RUNNING, "state": "complete", "rows_done": 400, "rows_left": 0, "rows_per_s": None, "eta_s": None}


def test_a_line_has_rows_rate_time_and_tokens() -> None:
    assert watch_line(RUNNING) == (
        "running: 100 of 400 rows (25.0%), 15.0 rows/s, 20s left, 300 tokens saved (30.0%), 2 rejected, "
        "last unit 3s ago"
    )


def test_failed_units_are_told() -> None:
    assert "1 units failed" in watch_line({**ENDED, "failed_units": [{"unit": "a"}]})


def test_watching_ends_with_the_job() -> None:
    looks = iter([RUNNING, RUNNING, ENDED])
    waits: list[float] = []
    states = [found["state"] for found in watched(lambda: next(looks), 5.0, waits.append)]
    assert states == ["running", "running", "complete"]
    assert waits == [5.0, 5.0]
