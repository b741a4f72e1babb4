"""Output of the report commands: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dlcot_ray.errors import JobError
from dlcot_ray.terminal import printable_json, tell


def print_report(figures: Mapping[str, Any], lines: Iterable[str], json_to: str | None) -> None:
    """Print a report.

    Args:
        figures: the report as plain JSON types.
        lines: the report for people.
        json_to: None prints the lines; ``stdout`` prints the figures as JSON instead; a path writes the JSON
            there and prints the lines.

    Raises:
        JobError: the file cannot be written.
    """
    text = printable_json(json.dumps(figures, indent=2, ensure_ascii=False, default=str))
    if json_to == "stdout":
        tell(text)
        return
    for line in lines:
        tell(line)
    if json_to is not None:
        try:
            Path(json_to).write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            raise JobError(f"cannot write {json_to} ({error.strerror})", "give another json=") from error


def duration(seconds: float) -> str:
    """Seconds for people: ``1h 05m``, ``2m 30s``, ``12s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02d}m"
    return f"{minutes}m {rest:02d}s" if minutes else f"{rest}s"
