"""Signs that open and close alike: ``$ $``, ``$$ $$`` and backticks.

In: a text. Out: the spans between paired signs. A dollar sign before an amount is a price and opens nothing.
``$$ $$`` may reach over blank lines, unless a sentence stands between: then the first sign lacks its partner.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from dlcot_ray.core.protected.paragraphs import Paragraphs, Span

DOLLARS = re.compile(r"(?<![\\$])\${1,2}(?!\$)")
BACKTICKS = re.compile(r"(?<!`)(?>`+)")

_AMOUNT = re.compile(r"\d[\d,]{0,20}(?:\.\d{1,10})?(?=\s{1,3}[^\W\d_]{2}|[\s.,;:!?)'\"/-]|[kKMB]\b|\Z)")
_TEXT = re.compile(r"\\(?:text\w{0,8}|mbox|mathrm|operatorname)\s{0,3}\{[^{}]{0,500}\}|\\[A-Za-z]+")
_SENTENCE = re.compile(
    r"(?<![^\W\d_])(?:(?>[^\W\d_]{2,})'?[a-z]{0,2}[ ,;:]{1,3}){5}[^\W\d_]{2}|[\u4e00-\u9fff，、。]{16}"
)
"""Six plain words in a row, or as much Chinese: no formula."""


def display_spans(text: str, matches: Iterable[re.Match[str]], paragraphs: Paragraphs) -> Iterator[Span]:
    """The spans of ``$$ $$``, from the matches of `DOLLARS`."""
    signs = [m for m in matches if len(m.group()) == 2]
    at = 0
    while at < len(signs):
        start = signs[at].start()
        stop = signs[at + 1].end() if at + 1 < len(signs) else None
        if stop is not None and not _over_a_sentence(text, start, stop, paragraphs):
            yield start, stop
            at += 2
        else:
            yield paragraphs.unclosed(start, signs[at].end())
            at += 1


def inline_spans(text: str, matches: Iterable[re.Match[str]], paragraphs: Paragraphs) -> Iterator[Span]:
    """The spans of ``$ $`` inside a paragraph, from the matches of `DOLLARS`."""
    opened: int | None = None
    end = -1
    signs = [m.start() for m in matches if len(m.group()) == 1]
    for i, at in enumerate(signs):
        if at > end:
            opened, end = None, paragraphs.end(at)
        if opened is not None:
            yield opened, at + 1
            opened = None
        elif not _is_price(text, at, signs[i + 1] if i + 1 < len(signs) else end, end):
            opened = at


def code_spans(matches: Iterable[re.Match[str]], paragraphs: Paragraphs) -> Iterator[Span]:
    """The spans between backticks of one length inside a paragraph, from the matches of `BACKTICKS`."""
    for _, runs in itertools.groupby(matches, key=lambda m: paragraphs.end(m.start())):
        yield from _code_in_paragraph(list(runs))


def _code_in_paragraph(runs: Sequence[re.Match[str]]) -> Iterator[Span]:
    following: dict[int, int] = {}
    partner: list[int | None] = [None] * len(runs)
    for i in range(len(runs) - 1, -1, -1):
        size = len(runs[i].group())
        partner[i] = following.get(size)
        following[size] = i
    at = 0
    while at < len(runs):
        other = partner[at]
        if other is not None:
            yield runs[at].start(), runs[other].end()
        at = (at if other is None else other) + 1


def _is_price(text: str, at: int, following: int, end: int) -> bool:
    """Whether the sign at `at` stands before an amount, and the next sign does not close a formula."""
    if _AMOUNT.match(text, at + 1, end) is None:
        return False
    if following >= end:
        return True
    behind = text[following + 1 : following + 2]
    return text[following - 1].isspace() or behind.isalnum() or behind == "\\"


def _over_a_sentence(text: str, start: int, stop: int, paragraphs: Paragraphs) -> bool:
    if paragraphs.end(start) >= stop:
        return False
    return _SENTENCE.search(_TEXT.sub("\\\\", text[start:stop])) is not None
