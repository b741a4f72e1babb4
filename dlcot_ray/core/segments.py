"""Cut a trace into numbered segments, without losing a character.

In: a reasoning text. Out: the offsets of its segments. A segment is a paragraph (text up to and including its
blank line); a long paragraph is cut further at sentence ends, of Chinese too. No boundary lies inside code,
mathematics, a table or an HTML element (`protected.spans`), and no segment is only white space. The judge and
every policy use segment numbers, and ``"".join(segments) == reasoning`` holds, so no character can be lost.
There are about twice as many segments as human annotators see: neighbours can be joined later, but a segment
cannot be split.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from dlcot_ray.core.protected.paragraphs import BLANK, Span
from dlcot_ray.core.protected.spans import protected_spans

LONG_PARAGRAPH = 600
"""Characters from which a paragraph is cut at sentence ends; about four median paragraphs."""

SENTENCE_GROUP = 300
"""Minimum characters of a cut piece; single sentences would be too short."""

IDEOGRAPH = 2.5
"""One Chinese character says as much as so many Latin ones."""

_SENTENCE_END = re.compile(
    r"(?<=[.!?])[\"')\]*]*\s+(?=[^\s.])|(?<=[。！？])[\"')\]*”’」』）】》]*\s*(?=[^\s。！？”’」』）】》])|\n\s*"
)
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|Eq|Fig|cf|Dr|Mr|Mrs|No)|(?:^|\s)\d{1,2})\.$")
_IDEOGRAPH = re.compile(r"[\u3400-\u9fff]")


def split_segments(reasoning: str) -> tuple[int, ...]:
    """Return the n+1 code-point offsets of the segments of `reasoning`.

    Segment ``i`` is ``reasoning[offsets[i]:offsets[i + 1]]``; the first offset is 0 and the last one is
    ``len(reasoning)``. Empty text gives ``(0,)``: no segment. Text of white space only is one segment.
    """
    if not reasoning:
        return (0,)
    spans = protected_spans(reasoning)
    paragraphs = [*_outside(reasoning, (m.end() for m in BLANK.finditer(reasoning)), spans), len(reasoning)]
    ends = _outside(reasoning, _sentence_ends(reasoning, [0, *paragraphs]), spans)
    offsets = [0]
    cut = next(ends, None)
    for start, stop in itertools.pairwise([0, *paragraphs]):
        inside = []
        while cut is not None and cut < stop:
            inside.append(cut)
            cut = next(ends, None)
        if stop > start:
            offsets.extend(_grouped(reasoning, start, stop, inside))
            offsets.append(stop)
    return _without_blank_segments(reasoning, offsets)


def segment_texts(reasoning: str, offsets: Sequence[int]) -> list[str]:
    """The segments' texts, in order."""
    return [reasoning[a:b] for a, b in itertools.pairwise(offsets)]


def _outside(text: str, cuts: Iterable[int], spans: Sequence[Span]) -> Iterator[int]:
    """The cuts inside no span; both ascending. A cut in the indentation of a block moves before it."""
    index, last = 0, -1
    for cut in cuts:
        while index < len(spans) and spans[index][1] <= cut:
            index += 1
        if index < len(spans) and cut > spans[index][0]:
            start = spans[index][0]
            if start <= last or not text[start:cut].isspace():
                continue
            cut = start
        last = cut
        yield cut


def _sentence_ends(text: str, paragraphs: Sequence[int]) -> Iterator[int]:
    """The sentence ends of long paragraphs."""
    for start, stop in itertools.pairwise(paragraphs):
        if (stop - start) * IDEOGRAPH <= LONG_PARAGRAPH:
            continue
        paragraph = text[start:stop]
        if _weight(paragraph) > LONG_PARAGRAPH:
            for end in _SENTENCE_END.finditer(paragraph):
                if not _ABBREVIATION.search(paragraph, max(0, end.start() - 8), end.start()):
                    yield start + end.end()


def _weight(text: str) -> float:
    """The length of a text in Latin characters."""
    return len(text) if text.isascii() else len(text) + (IDEOGRAPH - 1) * len(_IDEOGRAPH.findall(text))


def _grouped(text: str, start: int, stop: int, ends: Sequence[int]) -> Iterator[int]:
    """Those sentence ends at which a paragraph is cut, so that no piece is too short."""
    edges = [start, *ends, stop]
    weights = [_weight(text[a:b]) for a, b in itertools.pairwise(edges)]
    left, piece = sum(weights), 0.0
    for end, weight in zip(ends, weights, strict=False):
        piece += weight
        left -= weight
        if piece >= SENTENCE_GROUP and left >= SENTENCE_GROUP // 3:
            yield end
            piece = 0.0


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
