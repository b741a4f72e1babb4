"""Where a text quotes: inline code and closed blocks of code. A tag in there is text."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

_INLINE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)", re.MULTILINE)


class Code:
    """Where a text has inline code and closed blocks of code."""

    def __init__(self, text: str) -> None:
        ranges = sorted([*(match.span() for match in _INLINE.finditer(text)), *_blocks(text)])
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, stop in ranges:
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], stop)
            else:
                self._starts.append(start)
                self._ends.append(stop)

    def covers(self, position: int) -> bool:
        """Whether a character is in code."""
        return self.around(position) is not None

    def around(self, position: int) -> tuple[int, int] | None:
        """The code around a character."""
        at = bisect_right(self._starts, position) - 1
        return (self._starts[at], self._ends[at]) if at >= 0 and position < self._ends[at] else None


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Blocks of code between fences of one kind; a fence that is never closed makes none."""
    begin: re.Match[str] | None = None
    for fence in _FENCE.finditer(text):
        if begin is None:
            begin = fence
        elif fence[1][0] == begin[1][0] and len(fence[1]) >= len(begin[1]):
            yield begin.start(), fence.end()
            begin = None
