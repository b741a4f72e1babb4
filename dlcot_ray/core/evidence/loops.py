"""Exact repetition and truncation: what goes wrong in a trace without any mathematics.

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
"""Longest cycle, in segments, that is looked for; the longest seen in degenerate traces was about 30."""

MIN_REPEATS = 3
"""Occurrences from which repetition is a loop; people repeat themselves twice."""

MIN_CHARS = 40
"""A loop's cycle has so many characters or repeats more often; short lines recur in honest tables."""

MIN_SHORT_REPEATS = 8
"""Occurrences from which even a short cycle is a loop."""

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
    """Whether the trace breaks off: nothing follows it, and its last line has no end or a formula stays open."""
    if response is not None and response.strip():
        return False
    tail = reasoning[-400:]
    return not _END.search(tail) or bool(_UNFINISHED.search(tail))
