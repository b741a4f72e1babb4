"""Markdown tables, with or without outer pipes, and grids of ``+---+``.

In: a text. Out: the spans of its tables, from the start of the first row to the end of the last one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from dlcot_ray.core.protected.paragraphs import Span

_LEAD = r"^(?>[^\S\n]*)(?>(?:>[^\S\n]*)*)"
_ROW = re.compile(_LEAD + r"(?:\|[^\n]*\||\+(?>[-=+:]+)(?<=\+))[^\S\n]*$", re.MULTILINE)
_RULE = re.compile(
    _LEAD + r"\|?(?>[^\S\n]*):?(?>-+):?(?>[^\S\n]*)(?>(?:\|[^\S\n]*:?-+:?[^\S\n]*)+)\|?(?>[^\S\n]*)$",
    re.MULTILINE,
)
"""The row of dashes below the head of a table without outer pipes."""


def find_tables(text: str) -> Iterator[Span]:
    """The spans of all tables; they may overlap."""
    if "|" not in text:
        return
    rules = list(_RULE.finditer(text))
    yield from _runs_of_rows(text, {rule.start() for rule in rules})
    done = 0
    for rule in rules:
        if rule.start() >= done:
            done = _last_row(text, rule.end())
            yield _head(text, rule.start()), done


def _runs_of_rows(text: str, rules: set[int]) -> Iterator[Span]:
    """Two or more rows with outer pipes in neighbouring lines; around a rule, also over blank lines."""
    first, last, ruled = -1, -1, False
    for row in _ROW.finditer(text):
        if first < 0 or not text[last : row.start()].isspace():
            first, ruled = row.start(), False
        elif row.start() > last + 1 and not (ruled or row.start() in rules):
            first = row.start()
        ruled = ruled or row.start() in rules
        last = row.end()
        yield first, last


def _head(text: str, rule: int) -> int:
    """The start of the line above a rule, where it holds a pipe; else that of the rule."""
    start = text.rfind("\n", 0, max(0, rule - 1)) + 1
    return start if "|" in text[start:rule] else rule


def _last_row(text: str, end: int) -> int:
    """The end of the last line from `end` on that holds a pipe."""
    while end < len(text):
        following = text.find("\n", end + 1)
        following = len(text) if following < 0 else following
        if "|" not in text[end + 1 : following]:
            break
        end = following
    return end
