"""Progress of a run: one live line on a terminal, a line every `progress_s` seconds elsewhere.

All of it goes to stderr, so that stdout holds the summary alone.
"""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.telemetry.cleaned_console import terminal
from dlcot_ray.telemetry.console import duration
from dlcot_ray.terminal import note

_COUNTED = ("enhanced", "unchanged", "rejected", "tokens_before", "tokens_after")


class RunProgress:
    """Progress of one run. Use it as a context manager, and call `update` after every unit.

    Args:
        total_rows: rows of all inputs.
        done_rows: rows that earlier runs finished.
        interval_s: seconds between lines where stderr is not a terminal.
    """

    def __init__(self, total_rows: int, done_rows: int, interval_s: float) -> None:
        self._total = total_rows
        self._done = done_rows
        self._rows = 0
        self._counts = dict.fromkeys(_COUNTED, 0)
        self._interval = interval_s
        self._started = self._last_line = time.monotonic()
        self._first: float | None = None
        self._first_rows = 0
        console = terminal(stderr=True)
        self._live = Progress(
            TextColumn("{task.description}"), BarColumn(), _Figures(self), console=console, transient=True
        )
        self._task = self._live.add_task("starting", total=total_rows or 1, completed=done_rows)
        self._terminal = console.is_terminal

    def __enter__(self) -> Self:
        if self._terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal:
            self._live.stop()

    def update(self, stats: UnitStats) -> None:
        """Count one finished unit."""
        self._rows += stats.rows
        for name in _COUNTED:
            self._counts[name] += getattr(stats, name)
        now = time.monotonic()
        if self._first is None:
            self._first, self._first_rows = now, self._rows
        if self._terminal:
            self._live.update(self._task, description="enhancing", completed=self._done + self._rows)
        elif now - self._last_line >= self._interval:
            self._last_line = now
            note(self.figures())

    def figures(self) -> str:
        """Rows, share, speed, tokens cut and time left, on one line."""
        rows = self._done + self._rows
        share = rows / self._total if self._total else 1.0
        parts = [f"{rows:,} of {self._total:,} rows ({share:.0%})"]
        speed = self._speed()
        if speed:
            parts.append(f"{speed:,.0f} rows/s")
        before = self._counts["tokens_before"]
        if before:
            cut = before - self._counts["tokens_after"]
            parts.append(f"{_short(cut)} tokens cut ({cut / before:.0%})")
        if speed and self._rows and rows < self._total:
            parts.append(f"{duration((self._total - rows) / speed)} left")
        return ", ".join(parts)

    def numbers(self) -> dict[str, float | None]:
        """The same as numbers, under the names of `dlcot status --json`; tokens are those of this run."""
        rows, speed = self._done + self._rows, self._speed() if self._rows else None
        left = self._total - rows
        return {
            "rows": self._total,
            "rows_done": rows,
            "rows_left": left,
            "rows_per_s": speed,
            "eta_s": left / speed if speed else None,
            **self._counts,
            "tokens_saved": self._counts["tokens_before"] - self._counts["tokens_after"],
        }

    def _speed(self) -> float:
        """Rows per second of this run; the time to start counts only until a second unit is finished."""
        now = time.monotonic()
        if self._first is not None and self._rows > self._first_rows:
            return (self._rows - self._first_rows) / max(now - self._first, 1e-6)
        return self._rows / max(now - self._started, 1e-6)


class _Figures(ProgressColumn):
    """The text of the live line."""

    def __init__(self, progress: RunProgress) -> None:
        super().__init__()
        self._progress = progress

    def render(self, task: Task) -> Text:
        """The same figures as in a printed line."""
        return Text(self._progress.figures())


def _short(number: int) -> str:
    for limit, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if number >= limit:
            return f"{number / limit:.1f}{unit}"
    return str(number)
