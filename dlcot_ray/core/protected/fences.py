"""Fenced code (CommonMark 0.31, section 4.5), also as models write it.

In: a text. Out: the spans of its fences. A fence opens with three or more backticks or tildes at the start of
a line (behind quote signs and list markers too) and ends at a line of at least as many. Models also open one
behind their words (``count them: ```python``) and close one behind the last statement; both are understood.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dlcot_ray.core.protected.paragraphs import Paragraphs, Span

UNCLOSED_LIMIT = 20_000
"""Characters that an unclosed fence protects, and the rest of the paragraph there.

Markdown lets it run to the end of the text. The longest closed fence of 2,560 public traces has under 6,000
characters, so text beyond this limit is no code, and a stray fence must not hide a long trace.
"""

_RUN = re.compile(r"`{3,}|~{3,}")
_LEAD = re.compile(r"(?>[^\S\n]*)(?>(?:>[^\S\n]*)*)(?>(?:(?:[-*+]|\d{1,3}[.)])[^\S\n]+)*)")
_QUOTED = re.compile(r"(?>[^\S\n]*)>")
_WORD = re.compile(r"(?>[^\S\n]*)(?:\{[^}\n]{0,60}\}|[\w+#.-]{0,30})(?>[^\S\n]*)")
_PROSE = re.compile(r"[^\S\n]{1,3}[A-Za-z]{1,20},? [a-z]{1,20},? [A-Za-z]{1,20}\b(?!=)")
"""Three words behind a fence: no info string."""
_UNQUOTED_LINE = re.compile(r"^(?!(?>[^\S\n]*)>)", re.MULTILINE)
_LONGEST = 16
"""A longer fence counts as this long."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A run of backticks or tildes.

    Attributes:
        start, stop: the run.
        line, end: the start and the end of its line.
        leading: only white space, quote signs and list markers precede it.
        quoted: its line is part of a block quote.
        bare: nothing follows it in its line.
        opens: what follows can be an info string.
        goes_on: words follow that go on with a sentence.
    """

    start: int
    stop: int
    line: int
    end: int
    sign: str
    leading: bool
    quoted: bool
    bare: bool
    opens: bool
    goes_on: bool = False

    @property
    def size(self) -> int:
        return min(self.stop - self.start, _LONGEST)

    @property
    def closes(self) -> bool:
        """Whether Markdown takes it as a closing fence."""
        return self.leading and self.bare

    @property
    def closes_loosely(self) -> bool:
        """Whether it can end code of a model that does not keep to Markdown."""
        return self.bare or self.goes_on or not (self.leading and self.opens)


def find_fences(text: str, paragraphs: Paragraphs) -> list[Span]:
    """The spans of all fences, disjoint and in order; a closed one ends behind its closing fence."""
    marks = _marks(text) if "```" in text or "~~~" in text else []
    strict, loose = _Closers(marks, strictly=True), _Closers(marks, strictly=False)
    quote_ends = _quote_ends(text, marks)
    spans: list[Span] = []
    at = 0
    while at < len(marks):
        mark = marks[at]
        if not mark.opens:
            at += 1
            continue
        closer = (strict.after(at) if mark.leading else None) or loose.after(at)
        stop = _stop(text, mark, None if closer is None else marks[closer], paragraphs)
        if mark.quoted and mark.leading:
            stop = min(stop, quote_ends[bisect_left(quote_ends, mark.stop)])
        spans.append((mark.line if mark.leading else mark.start, stop))
        at = bisect_left(marks, stop, lo=at + 1, key=lambda mark: mark.start)
    return spans


def _stop(text: str, mark: _Mark, closer: _Mark | None, paragraphs: Paragraphs) -> int:
    if closer is not None:
        return closer.end if closer.bare else closer.stop
    if not mark.leading:
        return paragraphs.unclosed(mark.start, mark.stop)[1]
    return paragraphs.end(min(len(text), mark.start + UNCLOSED_LIMIT))


def _marks(text: str) -> list[_Mark]:
    runs = list(_RUN.finditer(text))
    return list(_described(text, runs))


def _described(text: str, runs: Sequence[re.Match[str]]) -> Iterator[_Mark]:
    """Every run with its place in its line. Each line is looked at a fixed number of times."""
    line, end, first = 0, -1, True
    for i, run in enumerate(runs):
        if run.start() > end:
            line = text.rfind("\n", max(end, 0), run.start()) + 1 or line
            end = text.find("\n", run.end())
            end = len(text) if end < 0 else end
            first = True
        last = i + 1 == len(runs) or runs[i + 1].start() > end
        yield _describe(text, run, line, end, first=first, last=last)
        first = False


def _describe(text: str, run: re.Match[str], line: int, end: int, *, first: bool, last: bool) -> _Mark:
    lead = _LEAD.match(text, line, end) if first else None
    leading = lead is not None and lead.end() == run.start()
    quoted = first and _QUOTED.match(text, line, end) is not None
    sign, rest = run.group()[0], text[run.end() : end] if last else "`"
    if sign == "~":
        opens = leading
    else:
        opens = last and "`" not in rest and (leading or _WORD.fullmatch(rest) is not None)
    goes_on = _PROSE.match(rest) is not None
    return _Mark(run.start(), run.end(), line, end, sign, leading, quoted, not rest.strip(), opens, goes_on)


class _Closers:
    """Finds the next mark that closes another one."""

    def __init__(self, marks: Sequence[_Mark], *, strictly: bool) -> None:
        self._marks = marks
        self._at: dict[tuple[str, bool, int], list[int]] = {}
        self._strictly = strictly
        for i, mark in enumerate(marks):
            if mark.closes if strictly else mark.closes_loosely:
                self._at.setdefault((mark.sign, strictly and mark.quoted, mark.size), []).append(i)

    def after(self, index: int) -> int | None:
        """Index of the first mark behind `index` of the same sign that is at least as long."""
        mark = self._marks[index]
        found = []
        for size in range(mark.size, _LONGEST + 1):
            places = self._at.get((mark.sign, self._strictly and mark.quoted, size), ())
            place = bisect_left(places, index + 1)
            if place < len(places):
                found.append(places[place])
        return min(found, default=None)


def _quote_ends(text: str, marks: Sequence[_Mark]) -> list[int]:
    """Where lines outside of block quotes begin, and the text's length; empty without a quoted fence."""
    if not any(mark.quoted for mark in marks):
        return []
    return [*[m.start() for m in _UNQUOTED_LINE.finditer(text)], len(text)]
