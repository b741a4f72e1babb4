"""What of a trace fits one prompt: all of it, or windows that overlap.

In: the cost of each segment in tokens, and a budget. Out: windows. The answers about each segment come from
exactly one window, which owns it; the overlap shows it as context in the neighbour's prompt. So a boundary
near a window's edge is decided by the window that sees both sides. A segment that exceeds a window is shown
to the judge without its middle; the trace keeps it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

OVERLAP = 0.1
"""Share of a window that repeats the previous one, as context for the segments at its edge."""

_ELIDED = " [... {count} characters not shown ...] "


@dataclass(frozen=True, slots=True)
class Window:
    """Segments `[start, stop)` are shown, answers count for segments `[own_start, own_stop)`."""

    start: int
    stop: int
    own_start: int
    own_stop: int

    def owns(self, segment: int) -> bool:
        """Whether this window's answers about a segment count."""
        return self.own_start <= segment < self.own_stop


def split_windows(costs: Sequence[int], budget: int) -> tuple[Window, ...]:
    """Cover segments of `costs` tokens each by windows of at most `budget` tokens.

    A segment that costs more than `budget` gets a window to itself (see `shortened`). No segments, no
    windows.
    """
    count = len(costs)
    if sum(costs) <= budget:
        return (Window(0, count, 0, count),) if count else ()
    spans: list[tuple[int, int]] = []
    start = 0
    while True:
        stop = start
        used = 0
        while stop < count and (stop == start or used + costs[stop] <= budget):
            used += costs[stop]
            stop += 1
        spans.append((start, stop))
        if stop == count:
            break
        again = stop
        repeated = 0
        while again - 1 > start and repeated + costs[again - 1] <= budget * OVERLAP:
            again -= 1
            repeated += costs[again]
        # If the overlap left no room for the next segment, the window would never advance.
        start = again if repeated + costs[stop] <= budget else stop
    edges = [0, *((a + b) // 2 for (_, b), (a, _) in itertools.pairwise(spans)), count]
    return tuple(Window(start, stop, edges[i], edges[i + 1]) for i, (start, stop) in enumerate(spans))


def shortened(text: str, limit: int) -> str:
    """`text` in about `limit` characters; a note replaces its middle."""
    if len(text) <= limit:
        return text
    half = max(limit // 2, 1)
    return text[:half] + _ELIDED.format(count=len(text) - 2 * half) + text[-half:]


def chosen_segments(ranges: Sequence[tuple[int, int]], costs: Sequence[int], budget: int) -> tuple[int, ...]:
    """Segments that stand for `ranges` within `budget` tokens: of each range its first and last ones in turn.

    For questions about a whole trace that fits no prompt (which approaches use the same method).
    """
    queues = [_outside_in(start, stop) for start, stop in ranges]
    taken: set[int] = set()
    left = budget
    while queues:
        going = []
        for queue in queues:
            if queue and costs[queue[0]] <= left:
                segment = queue.pop(0)
                if segment not in taken:
                    taken.add(segment)
                    left -= costs[segment]
                going.append(queue)
        queues = [queue for queue in going if queue]
    return tuple(sorted(taken))


def _outside_in(start: int, stop: int) -> list[int]:
    order: list[int] = []
    first, last = start, stop - 1
    while first <= last:
        order.append(first)
        if last > first:
            order.append(last)
        first, last = first + 1, last - 1
    return order
