"""Cut a trace into numbered segments, without losing a character.

In: a reasoning text. Out: the offsets of its segments. A segment is a paragraph (text up to and including its
blank line); a long paragraph is cut further at sentence ends. Code fences and display formulas are not cut,
and no segment is only white space. The judge and every policy use segment numbers, and
``"".join(segments) == reasoning`` holds, so no character can be lost. There are about twice as many segments
as human annotators see: neighbours can be joined later, but a segment cannot be split.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

LONG_PARAGRAPH = 600
"""Characters from which a paragraph is cut at sentence ends; about four median paragraphs."""

SENTENCE_GROUP = 300
"""Minimum characters of a cut piece; single sentences would be too short."""

_BLANK = re.compile(r"\n[^\S\n]*\n\s*")
_PROTECTED = re.compile(
    r"^[ \t]*```[^\n]*\n.*?(?:^[ \t]*```[^\n]*$|\Z)"  # fenced code, to its fence or to the end
    r"|\$\$.{1,4000}?\$\$"
    r"|\\\[.{1,4000}?\\\]"
    r"|\\begin\{(?P<env>[a-zA-Z]+\*?)\}.{1,4000}?\\end\{(?P=env)\}",
    re.DOTALL | re.MULTILINE,
)
_FORMULA_LIMIT = 4000
"""A "formula" longer than this is an unclosed delimiter, so the text may be cut inside it."""
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])[\"')\]*]*\s+(?=[^\s.])|\n\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|Eq|Fig|cf|Dr|Mr|Mrs|No)|(?:^|\s)\d{1,2})\.$")
_INLINE_MATH = re.compile(r"\$[^$\n]{1,400}\$|\\\(.{1,400}?\\\)", re.DOTALL)


def split_segments(reasoning: str) -> tuple[int, ...]:
    """Return the n+1 code-point offsets of the segments of `reasoning`.

    Segment ``i`` is ``reasoning[offsets[i]:offsets[i + 1]]``; the first offset is 0 and the last one is
    ``len(reasoning)``. Empty text gives ``(0,)``: no segment. Text of white space only is one segment.
    """
    if not reasoning:
        return (0,)
    spans = _protected_spans(reasoning)
    paragraph_cuts = [m.end() for m in _BLANK.finditer(reasoning)]
    cuts = [0, *_outside(paragraph_cuts, spans), len(reasoning)]
    offsets = [0]
    for start, stop in itertools.pairwise(cuts):
        if stop <= start:
            continue
        if stop - start > LONG_PARAGRAPH:
            offsets.extend(_sentence_cuts(reasoning, start, stop, spans))
        offsets.append(stop)
    return _without_blank_segments(reasoning, offsets)


def segment_texts(reasoning: str, offsets: Sequence[int]) -> list[str]:
    """The segments' texts, in order."""
    return [reasoning[a:b] for a, b in itertools.pairwise(offsets)]


def _protected_spans(text: str) -> list[tuple[int, int]]:
    spans = []
    at = 0
    while (match := _PROTECTED.search(text, at)) is not None:
        if match.end() - match.start() > _FORMULA_LIMIT and "```" not in match.group()[:10]:
            at = match.start() + 2
            continue
        spans.append(match.span())
        at = max(match.end(), match.start() + 1)
    return spans


def _outside(cuts: Sequence[int], spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    """The cuts that lie inside no span; both ascending."""
    index = 0
    for cut in cuts:
        while index < len(spans) and spans[index][1] <= cut:
            index += 1
        if index == len(spans) or cut <= spans[index][0]:
            yield cut


def _sentence_cuts(text: str, start: int, stop: int, spans: Sequence[tuple[int, int]]) -> Iterator[int]:
    paragraph = text[start:stop]
    inline = [(start + m.start(), start + m.end()) for m in _INLINE_MATH.finditer(paragraph)]
    inside = [span for span in spans if span[1] > start and span[0] < stop]
    ends = [
        start + m.end()
        for m in _SENTENCE_END.finditer(paragraph)
        if not _ABBREVIATION.search(paragraph, max(0, m.start() - 8), m.start())
    ]
    last = start
    for cut in _outside(list(_outside(ends, inside)), inline):
        if cut - last >= SENTENCE_GROUP and stop - cut >= SENTENCE_GROUP // 3:
            yield cut
            last = cut


def _without_blank_segments(text: str, offsets: Sequence[int]) -> tuple[int, ...]:
    """Join each segment of only white space to its left neighbour (the first one to its right)."""
    kept = [0]
    for cut in offsets[1:-1]:
        if cut > kept[-1] and not text[kept[-1] : cut].isspace():
            kept.append(cut)
    end = len(text)
    if len(kept) > 1 and text[kept[-1] : end].isspace():
        kept.pop()
    return (*kept, end)
