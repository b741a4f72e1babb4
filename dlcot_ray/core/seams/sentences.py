"""The sentences of a segment."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from dlcot_ray.core.seams import cues

_CLOSERS = r"[\"')\]*]*\s+"
_SENTENCE = re.compile(
    # A factorial goes on: "9! / 6!" and "(6!3!) is 84" are no ends of sentences.
    rf"(?<=[.!?:])(?<!\d!)(?<!\b(?:e\.g|i\.e)\.)(?<!\bvs\.){_CLOSERS}(?=\S)|(?<=\d!){_CLOSERS}(?=[A-Z])"
    r"|(?<!\n)\n+(?=\S)"
)
_SHORT = 2000
"""Maximum characters of a text whose sentences are remembered."""
_QUOTE = 80
"""Maximum characters of a quoted sentence."""


def sentences(text: str) -> tuple[tuple[int, int], ...]:
    """Spans of the sentences of a segment in code points, with the white space after each; they cover it."""
    return _remembered(text) if len(text) <= _SHORT else _spans(text)


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    cuts = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    return tuple((a, b) for a, b in itertools.pairwise(cuts) if b > a)


# A segment is asked for its sentences again and again while a trace is edited.
_remembered = lru_cache(maxsize=4096)(_spans)


def quote(text: str, *, first: bool) -> str:
    """The first or last sentence of a text, shortened, in quotes."""
    spans = sentences(text)
    words = " ".join(text[slice(*spans[0 if first else -1])].split())
    return repr(words if len(words) <= _QUOTE else f"{words[:_QUOTE]}...")


def without_lead(sentence: str) -> str | None:
    """A sentence without its first words up to a comma, or None where the rest could not stand alone.

    "So, sticking with the first method, I'm confident that it is 42." leaves "I'm confident that it is 42."
    """
    led = cues.EITHER_WAY.match(sentence) or cues.LED.match(sentence)
    return None if led is None else led["lead"] + led["rest"][0].upper() + led["rest"][1:]


def without_yes(sentence: str) -> str | None:
    """A sentence without the "yes," that it begins with, or None without one.

    It begins with a capital letter where nothing stands before: "So yes, it is 42." leaves "So it is 42."
    """
    said = cues.SAYS_YES.match(sentence)
    if said is None:
        return None
    lead, rest = said["lead"], said["rest"]
    return lead + (rest if lead.strip() else rest[0].upper() + rest[1:])
