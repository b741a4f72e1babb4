"""How the commands that look tell what they saw: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dlcot_ray.errors import JobError


def tell(figures: Mapping[str, Any], lines: Iterable[str], where: str | None) -> None:
    """Print the lines, or the figures as JSON.

    Args:
        figures: plain JSON types.
        lines: the same for people.
        where: None prints the lines; ``stdout`` prints JSON instead; a path writes JSON there as well.

    Raises:
        JobError: the file cannot be written.
    """
    text = json.dumps(figures, indent=2, ensure_ascii=False, default=str)
    if where == "stdout":
        print(text)
        return
    for line in lines:
        print(line)
    if where is not None:
        try:
            Path(where).write_text(f"{text}\n", encoding="utf-8")
        except OSError as error:
            raise JobError(f"cannot write {where} ({error.strerror})", "give another json=") from error
