"""The sentences of a segment."""

from __future__ import annotations

import itertools
import re

_CLOSERS = r"[\"')\]*]*\s+"
_SENTENCE = re.compile(
    # A factorial goes on: "9! / 6!" and "(6!3!) is 84" are no ends of sentences.
    rf"(?<=[.!?:])(?<!\d!)(?<!\b(?:e\.g|i\.e)\.)(?<!\bvs\.){_CLOSERS}(?=\S)|(?<=\d!){_CLOSERS}(?=[A-Z])"
    r"|(?<!\n)\n+(?=\S)"
)
_QUOTE = 80
"""Maximum characters of a quoted sentence."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of a segment in code points, with the white space after each; they cover it."""
    cuts = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    return [(a, b) for a, b in itertools.pairwise(cuts) if b > a]


def quote(text: str, *, first: bool) -> str:
    """The first or last sentence of a text, shortened, in quotes."""
    spans = sentences(text)
    words = " ".join(text[slice(*spans[0 if first else -1])].split())
    return repr(words if len(words) <= _QUOTE else f"{words[:_QUOTE]}...")
