"""Exact repetition and truncation: what goes wrong in a trace without any mathematics.

Loops are looked for among whole units (white space aside), by comparing each unit with the one a
period earlier; numbers are compared as they are, because "Step 101, Step 102" may be honest work.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_PERIOD = 24
"""Longest cycle, in units, that is looked for."""

MIN_REPEATS = 3
"""Occurrences from which repetition is a loop; people repeat themselves twice."""

MIN_CHARS = 40
"""A loop's cycle has so many characters or repeats more often; short lines recur in honest tables."""

_SPACE = re.compile(r"\s+")
_END = re.compile(r"[.!?。！？)\]}*`$\"'”’:]\s*$|\\\]\s*$|\d\s*$|\\boxed\{[^\n]*\}\s*$")


def find_loops(units: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Ranges of units that only repeat the cycle directly before them; the first cycle is not included."""
    keys = [hash(_SPACE.sub(" ", unit).strip()) for unit in units]
    loops: list[tuple[int, int]] = []
    at = 0
    while at < len(keys):
        best = (0, 0)
        for period in range(1, min(MAX_PERIOD, (len(keys) - at) // 2) + 1):
            if keys[at] != keys[at + period]:
                continue
            stop = at + period
            while stop < len(keys) and keys[stop] == keys[stop - period]:
                stop += 1
            repeats = (stop - at) // period
            size = sum(len(units[i]) for i in range(at, at + period))
            if (
                repeats >= MIN_REPEATS
                and (size >= MIN_CHARS or repeats >= 8)
                and stop - at > best[1] - best[0]
            ):
                best = (at + period, stop)
                break
        if best[1]:
            loops.append(best)
            at = best[1]
        else:
            at += 1
    return tuple(loops)


def is_truncated(reasoning: str, response: str | None) -> bool:
    """Whether the trace breaks off: nothing follows it and its last line has no end."""
    if response is not None and response.strip():
        return False
    return not _END.search(reasoning[-200:])
