"""Exact repetition and truncation: faults of a trace that need no mathematics to find.

In: the segments of a trace, or the text of one segment. Out: ranges that only repeat what stands directly
before them. Whole segments (white space aside) are compared with those a period earlier; inside one segment,
words are. Loops with a counter or one changing word are not found: "Step 101, Step 102" may be honest work,
and no gate would see its loss. Only whole cycles go, so that the text behind a loop follows a cycle's end as
it did before. Time is linear in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

MAX_PERIOD = 48
"""Longest cycle that is searched for, in segments; the longest seen in degenerate traces was about 30."""

MIN_REPEATS = 3
"""Minimum occurrences of a loop; ordinary text also says things twice."""

MIN_CHARS = 40
"""Minimum characters of a cycle, unless it repeats more often; short lines also recur in tables."""

MIN_SHORT_REPEATS = 8
"""Minimum occurrences of a loop with a short cycle."""

TWIN_SHARE = 0.8
TWIN_WORDS = 8
"""Share of common words, and least words, of two segments that count as the same beginning of a pass."""

TAIL_SHARE = 0.85
TAIL_CHARS = 800
TAIL_SEGMENTS = 10
TAIL_KEY = 12
"""Least share of characters said before, characters and segments of a tail in circles, and characters of one of
its segments that count as said before."""

_END = re.compile(r"(?:[.!?。！？)\]}*`$\"'”’]|\\\]|\d|\\boxed\{[^\n]*\})\s*$")
_INTRODUCES = re.compile(r"[:,]\s*$")
_FORMULA = re.compile(r"\s*(?:\\\[.*\\\]|\$\$.*\$\$)\s*", re.DOTALL)
_ANNOUNCES = re.compile(
    r"\W*(?:(?:so|but|and|now|okay|wait|alternatively|first|then|next|therefore)\b[\s,]*){0,3}"
    r"(?:let(?:'s| me| us)\b[^=\n]{0,200}|(?:perhaps|maybe) (?:i|we) (?:can|could|should)\b[^\n]{0,200})$",
    re.IGNORECASE,
)
"""A segment that only says what is tried next."""
_TAIL = 400
"""Characters at the end within which a formula that is still open counts as broken off."""
_PAIRS = (("\\[", "\\]"), ("\\(", "\\)"), ("\\begin{", "\\end{"))
_TWINS = ("$$", "```")
"""Delimiters that open and close with the same sign; an odd number of them leaves one open."""


def find_loops(segments: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Ranges of segments that only repeat the cycle directly before them; the first cycle is not included.

    Where a loop runs to the end of the trace, its last pass may break off. The range then begins one segment
    earlier if the first pass began in nearly the same words, and before segments that only lead into it.
    """
    keys = [hash(" ".join(segment.split())) for segment in segments]
    counts = Counter(keys)
    loops: list[tuple[int, int]] = []
    at = 0
    while at < len(keys):
        loop = _loop_at(segments, keys, at) if counts[keys[at]] >= MIN_REPEATS else None
        if loop is None:
            at += 1
        else:
            loops.append(loop)
            at = loop[1]
    return tuple(loops)


def with_broken_tail(
    segments: Sequence[str], loops: Sequence[tuple[int, int]]
) -> tuple[tuple[int, int], ...]:
    """The loops of a trace that breaks off, with the tail in which hardly anything is new.

    Such a trace turns in circles without a fixed period: nearly all segments of its tail were said before, and
    some in between change a word. The tail begins at a segment that was said before.

    Args:
        segments: of a trace that stops early.
        loops: from `find_loops`.
    """
    keys = [" ".join(segment.split()).lower() for segment in segments]
    said: set[str] = set()
    again = []
    for key in keys:
        again.append(key in said and len(key) >= TAIL_KEY)
        said.add(key)
    start, size, repeated = len(segments), 0, 0
    for at in range(len(segments) - 1, -1, -1):
        size += len(segments[at])
        repeated += len(segments[at]) if again[at] else 0
        near = range(at, at + TAIL_SEGMENTS)
        if near.stop > len(segments):
            continue
        # New work in front of a long loop would be a small share of both together.
        if sum(len(segments[i]) for i in near if again[i]) * 2 < sum(len(segments[i]) for i in near):
            break
        if again[at] and size >= TAIL_CHARS and repeated >= TAIL_SHARE * size:
            start = at
    if len(segments) - start < TAIL_SEGMENTS:
        return tuple(loops)
    start -= _lead_in(segments, 0, start)
    before = [(first, min(stop, start)) for first, stop in loops if first < start]
    return (*before, (start, len(segments)))


def _loop_at(segments: Sequence[str], keys: Sequence[int], at: int) -> tuple[int, int] | None:
    """The loop whose first cycle begins at segment `at`, by its shortest period."""
    for period in range(1, min(MAX_PERIOD, (len(keys) - at) // MIN_REPEATS) + 1):
        if keys[at] != keys[at + period] or keys[at] != keys[at + 2 * period]:
            continue
        stop = at + period
        while stop < len(keys) and keys[stop] == keys[stop - period]:
            stop += 1
        repeats = (stop - at) // period
        if stop == len(keys) - 1 and _breaks_off(segments[stop], segments[stop - period]):
            stop = len(keys)
        if stop < len(keys):
            stop = at + repeats * period
        size = sum(map(len, segments[at : at + period]))
        if repeats >= MIN_SHORT_REPEATS or (repeats >= MIN_REPEATS and size >= MIN_CHARS):
            start = at + period
            if stop < len(keys):
                return start, stop
            if at > 0 and _are_twins(segments[at - 1], segments[start - 1]):
                start -= 1
            return start - _lead_in(segments, at, start), stop
    return None


def _lead_in(segments: Sequence[str], first: int, stop: int) -> int:
    """How many segments before `stop`, in the first pass, only lead into what follows.

    They announce it, end on a colon or a comma, or are a formula that such a segment introduces. Of a pass that
    would keep nothing else, all stays.
    """
    start = stop
    while start > first:
        introduced = start - 1 > first and _INTRODUCES.search(segments[start - 2]) is not None
        if not (_leads(segments[start - 1]) or (introduced and _FORMULA.fullmatch(segments[start - 1]))):
            return stop - start
        start -= 1
    return 0


def _leads(segment: str) -> bool:
    return _INTRODUCES.search(segment) is not None or _ANNOUNCES.match(segment.strip()) is not None


def _breaks_off(last: str, whole: str) -> bool:
    """Whether the last segment of a trace is the beginning of the segment a period earlier."""
    words = " ".join(last.split())
    return bool(words) and " ".join(whole.split()).startswith(words)


def _are_twins(one: str, other: str) -> bool:
    """Whether two segments share nearly all their words: the first pass often begins in other words."""
    a, b = Counter(one.lower().split()), Counter(other.lower().split())
    size = max(a.total(), b.total())
    return size >= TWIN_WORDS and (a & b).total() >= TWIN_SHARE * size


INNER_PERIOD = 64
"""Longest cycle inside one segment, in words."""

INNER_REPEATS = 6
"""Minimum occurrences of a loop inside one segment."""

BARE_REPEATS = 40
"""Minimum occurrences of a cycle without two letters in a row; rows of figures repeat in honest data."""

INNER_CHARS = 200
"""Minimum characters that a loop inside one segment must add behind its first pass."""

_WORD = re.compile(r"\S+\s*")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_RUN = re.compile(r"(\S{1,24}?)\1{39,}")
"""A cycle without white space, at least `BARE_REPEATS` times."""


def inner_loops(text: str) -> tuple[tuple[int, int], ...]:
    """Character ranges of one segment that only repeat the cycle directly before them, in order."""
    if len(text) < INNER_CHARS:
        return ()
    words = text.split()
    loops: list[tuple[int, int]] = []
    if len(words) >= INNER_REPEATS and len(set(words)) * 2 <= len(words):
        starts = [*(match.start() for match in _WORD.finditer(text)), len(text)]
        for period in range(1, min(INNER_PERIOD, len(words) // INNER_REPEATS) + 1):
            for first, stop in _inner_runs(words, period):
                begin, end = starts[first + period], starts[stop]
                if end - begin >= INNER_CHARS and all(end <= a or begin >= b for a, b in loops):
                    loops.append((begin, end))
    elif max(map(len, words), default=0) >= INNER_CHARS:
        loops = [(match.end(1), match.end()) for match in _RUN.finditer(text)]
        loops = [(a, b) for a, b in loops if b - a >= INNER_CHARS]
    return tuple(sorted(loops))


def _inner_runs(words: Sequence[str], period: int) -> Iterator[tuple[int, int]]:
    """Runs `[first, stop)` of words with a period: whole cycles, and a broken last one at the end."""
    at, last = 0, len(words)
    while at + period < last:
        if words[at] != words[at + period]:
            at += 1
            continue
        stop = at + period
        while stop < last and words[stop] == words[stop - period]:
            stop += 1
        repeats = (stop - at) // period
        if repeats >= INNER_REPEATS and (repeats >= BARE_REPEATS or _has_letters(words[at : at + period])):
            yield at, stop if stop == last else at + repeats * period
        at = max(at + 1, stop - period)


def _has_letters(words: Sequence[str]) -> bool:
    return _LETTERS.search(" ".join(words)) is not None


def without_loop(text: str) -> str | None:
    """The text of a segment without its inner loops behind their first pass, or None where it has none."""
    loops = inner_loops(text)
    if not loops:
        return None
    cuts = [0, *(offset for loop in loops for offset in loop), len(text)]
    return "".join(text[a:b] for a, b in zip(cuts[::2], cuts[1::2], strict=True))


def is_truncated(reasoning: str, response: str | None) -> bool:
    """Whether the trace stops early: no response follows, and its last line or a formula is not closed."""
    if response is not None and response.strip():
        return False
    return not _END.search(reasoning[-_TAIL:]) or _has_open_formula(reasoning)


def _has_open_formula(text: str) -> bool:
    """Whether a formula or code block that begins near the end of a text is not closed."""
    start = len(text) - _TAIL
    for opening, closing in _PAIRS:
        opened = text.rfind(opening, max(0, start))
        if opened > text.rfind(closing, max(0, start)):
            return True
    return any(text.rfind(sign) >= max(0, start) and text.count(sign) % 2 for sign in _TWINS)
