"""`dlcot status --watch`: one line after the other while a job runs, until it ends.

Each line comes from the output alone, as the figures of `dlcot status`. So it works from any machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from dlcot_ray.telemetry.console import duration

STARTING = "starting"
ENDED = ("complete", "ended with rows left")
"""States of a job that has written its manifest."""

_LONGEST_ERROR = 80

Figures = Mapping[str, Any]


def watched(
    look: Callable[[], Figures], every_s: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Figures]:
    """The figures of a job now and every `every_s` seconds; the last ones are those of its end.

    Args:
        look: reads them.
        every_s: seconds between two looks.
        sleep: waits so many seconds.

    Raises:
        JobError: the output cannot be read.
    """
    while True:
        figures = look()
        yield figures
        if figures["state"] in ENDED:
            return
        sleep(every_s)


def watch_line(figures: Figures) -> str:
    """State, rows, rate, time left, tokens saved and failed units of a job, on one line."""
    share = figures["rows_done"] / figures["rows"] if figures["rows"] else 1.0
    about = "about " if figures["estimated"] else ""
    if figures["state"] == STARTING:
        return f"{STARTING}: inputs are looked for and counted"
    parts = [f"{figures['state']}: {figures['rows_done']:,} of {figures['rows']:,} rows ({share:.1%})"]
    if figures["rows_per_s"] and figures["rows_left"]:
        parts += [f"{figures['rows_per_s']:,.1f} rows/s", f"{duration(figures['eta_s'])} left"]
    if figures["tokens_before"]:
        saved = figures["tokens_before"] - figures["tokens_after"]
        parts.append(f"{about}{saved:,} tokens saved ({saved / figures['tokens_before']:.1%})")
    if figures["rejected"]:
        parts.append(f"{about}{figures['rejected']:,} rejected")
    if told := workers_told(figures):
        parts.append(told)
    if failed_of(figures):
        parts.append(f"{_counted(failed_of(figures), 'unit')} failed ({_last_error(figures)})")
    if figures["last_write_s"] is not None and figures["units_done"] and figures["state"] not in ENDED:
        parts.append(f"last unit {duration(figures['last_write_s'])} ago")
    return ", ".join(parts)


def workers_told(figures: Figures) -> str:
    """Judges, units in flight, busy share of the engines and requeued units; empty where nothing is known."""
    live, busy, parts = figures["live"], figures["engine_busy_share"], []
    if live is not None:
        judges = _counted(live["judges"], "judge") if live["judges"] else "judges start"
        parts += [judges, f"{_counted(live['in_flight'], 'unit')} in flight"]
    if busy is not None:
        parts.append(f"engine {busy:.0%} busy")
    if live is not None and live["requeued"]:
        parts.append(f"{_counted(live['requeued'], 'unit')} requeued")
    return ", ".join(parts)


def failed_of(figures: Figures) -> int:
    """Units that failed: those of the manifest, or of the run so far."""
    named = len(figures["failed_units"])
    return named if figures["live"] is None else max(named, figures["live"]["failed"])


def _last_error(figures: Figures) -> str:
    error = str(figures["failed_units"][-1]["error"])
    return error if len(error) <= _LONGEST_ERROR else f"{error[: _LONGEST_ERROR - 3]}..."


def _counted(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
