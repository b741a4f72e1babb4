"""Exact repetition and truncation: faults of a trace that need no mathematics to find.

In: the segments of a trace. Out: ranges that only repeat the segments before them. Each whole segment (white
space aside) is compared with the one a period earlier. Repetition inside one segment is not found, because
only whole segments can be dropped. Loops with a counter or one changing word are not found either: "Step
101, Step 102" may be honest work, and no gate would see its loss. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

MAX_PERIOD = 48
"""Longest cycle that is searched for, in segments; the longest seen in degenerate traces was about 30."""

MIN_REPEATS = 3
"""Minimum occurrences of a loop; ordinary text also says things twice."""

MIN_CHARS = 40
"""Minimum characters of a cycle, unless it repeats more often; short lines also recur in tables."""

MIN_SHORT_REPEATS = 8
"""Minimum occurrences of a loop with a short cycle."""

_END = re.compile(r"(?:[.!?。！？)\]}*`$\"'”’:]|\\\]|\d|\\boxed\{[^\n]*\})\s*$")
_UNFINISHED = re.compile(r"(?:\\\[|\$\$|\\begin\{[a-z*]+\})(?!.*(?:\\\]|\$\$|\\end\{))", re.DOTALL)


def find_loops(segments: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Ranges of segments that only repeat the cycle directly before them; the first cycle is not included."""
    keys = [hash(" ".join(segment.split())) for segment in segments]
    counts = Counter(keys)
    loops: list[tuple[int, int]] = []
    at = 0
    while at < len(keys):
        loop = _loop_at(segments, keys, at) if counts[keys[at]] >= MIN_REPEATS else None
        if loop is None:
            at += 1
        else:
            loops.append(loop)
            at = loop[1]
    return tuple(loops)


def _loop_at(segments: Sequence[str], keys: Sequence[int], at: int) -> tuple[int, int] | None:
    """The loop whose first cycle begins at segment `at`, by its shortest period."""
    for period in range(1, min(MAX_PERIOD, (len(keys) - at) // MIN_REPEATS) + 1):
        if keys[at] != keys[at + period] or keys[at] != keys[at + 2 * period]:
            continue
        stop = at + period
        while stop < len(keys) and keys[stop] == keys[stop - period]:
            stop += 1
        repeats = (stop - at) // period
        size = sum(map(len, segments[at : at + period]))
        if repeats >= MIN_SHORT_REPEATS or (repeats >= MIN_REPEATS and size >= MIN_CHARS):
            return at + period, stop
    return None


def is_truncated(reasoning: str, response: str | None) -> bool:
    """Whether the trace stops early: no response follows, and its last line or a formula is not closed."""
    if response is not None and response.strip():
        return False
    tail = reasoning[-400:]
    return not _END.search(tail) or bool(_UNFINISHED.search(tail))
