"""Paragraphs: where the text around a position ends in a blank line.

In: a text. Out: an index that answers in logarithmic time. An opener without its closer protects at most the
rest of its paragraph, so that a lone sign cannot hide the rest of a trace.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

Span = tuple[int, int]
"""Code-point offsets `[start, stop)`."""

BLANK = re.compile(r"\n[^\S\n]*\n\s*")
"""A blank line, with all white space behind it."""

UNCLOSED_LIMIT = 4_000
"""Characters of a paragraph behind an opener without its closer, up to which they are protected.

Longer ones are mostly loops of a generation that was cut off, and loops must stay removable.
"""


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """The ends of the paragraphs of a text, ascending; the last one is the text's length."""

    ends: tuple[int, ...]

    def end(self, at: int) -> int:
        """The end of the paragraph that holds position `at`."""
        return self.ends[min(bisect_left(self.ends, at), len(self.ends) - 1)]

    def unclosed(self, start: int, stop: int) -> Span:
        """What the opener `[start, stop)` protects without its closer."""
        end = self.end(stop)
        return start, end if end - start <= UNCLOSED_LIMIT else stop


def paragraphs_of(text: str) -> Paragraphs:
    """Index the paragraphs of a text."""
    return Paragraphs((*[m.start() for m in BLANK.finditer(text)], len(text)))


def merged(spans: Iterable[Span]) -> list[Span]:
    """The union of spans as disjoint spans in order. Spans that only touch stay apart."""
    union: list[Span] = []
    for start, stop in sorted(spans):
        if union and start < union[-1][1]:
            union[-1] = (union[-1][0], max(stop, union[-1][1]))
        elif start < stop:
            union.append((start, stop))
    return union


def outside(matches: Iterable[re.Match[str]], spans: Sequence[Span]) -> Iterator[re.Match[str]]:
    """The matches that begin in no span. Spans are disjoint and in order."""
    starts = [start for start, _ in spans]
    for match in matches:
        index = bisect_right(starts, match.start()) - 1
        if index < 0 or match.start() >= spans[index][1]:
            yield match
