"""Splits a reply into its thinking and its visible answer, without losing a character of either.

All known families of tags are read (`core/markup.py`), and those that a preset names. A tag in backticks or
in a block of code is text. A reply may begin inside its thinking, because many chat templates put the opening
tag into the prompt. Doubled opening tags count once. Nested blocks end where the outer one is closed.
A reply that never closes its thinking is a truncated trace, not an error. A reply with a second block is
refused, because joined blocks would be a trace that no teacher wrote.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache

from dlcot_ray.core.markup import FAMILIES, SOLUTIONS, Delimiters, Family, families_with
from dlcot_ray.errors import Cause

__all__ = ["Delimiters", "Refusal", "SplitReply", "split_reply"]

_INLINE = re.compile(r"`[^`\n]+`")
_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SplitReply:
    """A reply, split into its parts.

    Attributes:
        reasoning: exactly the characters between the tags.
        response: exactly what followed (inside the solution tags where there are some), or None for a
            truncated reply.
        start, stop: code points of the reasoning in the reply.
        visible: everything that is neither thinking nor a tag.
        before: the part of it that stands before the thinking.
    """

    reasoning: str
    response: str | None
    start: int = field(default=0, compare=False)
    stop: int = field(default=0, compare=False)
    visible: str = field(default="", compare=False)
    before: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reply could not be split."""

    cause: Cause
    message: str


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag in a text: code points `[start, stop)`."""

    family: Family
    opens: bool
    start: int
    stop: int


def split_reply(
    text: str, thinking: Sequence[Delimiters] = (), solution: Sequence[Delimiters] = ()
) -> SplitReply | Refusal:
    """Separate thinking and visible answer.

    Args:
        text: the assistant's whole reply.
        thinking: delimiters to look for besides the known families; the one that occurs first is in use.
        solution: delimiters that may wrap the visible answer, besides the known ones.
    """
    tags = _tags(text, families_with(tuple(thinking)))
    first = next((tag for tag in tags if _may_begin(text, tag)), None)
    if first is None:
        known = ", ".join(f"{family.opening}...{family.closing}" for family in FAMILIES[:3])
        return Refusal(Cause.NO_THINKING, f"the reply has no thinking block (looked for {known} and others)")
    mine = [tag for tag in tags if tag.family == first.family and tag.start >= first.start]
    if first.opens:
        before, inner = text[: first.start], _behind_doubled(text, mine)
        start = inner[0].stop
        end = _closing(inner)
    else:
        before, start, end, inner = "", 0, first, mine
    if end is None:
        return SplitReply(text[start:], None, start, len(text), before, before)
    if any(tag.opens and tag.start >= end.stop for tag in inner):
        message = f"the reply opens {first.family.opening} again after {first.family.closing}"
        return Refusal(Cause.SEVERAL_THINKING, message)
    response, visible = _unwrap(text[end.stop :], (*solution, *SOLUTIONS))
    return SplitReply(text[start : end.start], response, start, end.start, before + visible, before)


def _may_begin(text: str, tag: _Tag) -> bool:
    """Whether a tag can be the first one of a block."""
    if not tag.opens:
        return tag.family.prefilled
    return not tag.family.leads or not text[: tag.start].strip()


def _behind_doubled(text: str, tags: Sequence[_Tag]) -> Sequence[_Tag]:
    """The tags from the last of several opening ones that stand together."""
    at = 0
    while at + 1 < len(tags) and tags[at + 1].opens and not text[tags[at].stop : tags[at + 1].start].strip():
        at += 1
    return tags[at:]


def _closing(tags: Sequence[_Tag]) -> _Tag | None:
    """The tag that closes the first one; of unbalanced tags the first closing one. None: it stays open."""
    depth = 0
    for tag in tags:
        depth += 1 if tag.opens else -1
        if depth == 0:
            return tag
    return next((tag for tag in tags if not tag.opens), None)


def _tags(text: str, families: tuple[Family, ...]) -> list[_Tag]:
    """The tags of a text in order; those in code count only where there are no closing ones outside."""
    pattern, by_word = _pattern(families)
    found = [_tag(match, by_word) for match in pattern.finditer(text)]
    if not found:
        return found
    code = _Code(text)
    plain = [tag for tag in found if not code.covers(tag.start)]
    if any(not tag.opens for tag in plain) or all(tag.opens for tag in found):
        return plain
    starts, stops = {tag.start for tag in found}, {tag.stop for tag in found}
    return [tag for tag in found if not _is_quoted(code.around(tag.start), starts, stops)]


def _is_quoted(span: tuple[int, int] | None, starts: Set[int], stops: Set[int]) -> bool:
    """Whether a piece of inline code is nothing but a tag, or runs from one tag to another.

    Else its backticks may be two stray ones, one in the thinking and one in the visible answer.
    """
    return span is not None and span[0] + 1 in starts and span[1] - 1 in stops


def _tag(match: re.Match[str], by_word: dict[str, tuple[Family, bool]]) -> _Tag:
    family, opens = by_word[match.group().lower()]
    return _Tag(family, opens, match.start(), match.end())


@lru_cache(maxsize=64)
def _pattern(families: tuple[Family, ...]) -> tuple[re.Pattern[str], dict[str, tuple[Family, bool]]]:
    words: dict[str, tuple[Family, bool]] = {}
    for family in families:
        words.setdefault(family.opening.lower(), (family, True))
        words.setdefault(family.closing.lower(), (family, False))
    longest = sorted(words, key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest)), re.IGNORECASE), words


class _Code:
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


def _unwrap(rest: str, solution: Sequence[Delimiters]) -> tuple[str, str]:
    """The answer inside its tags, and all visible text without these tags.

    Text that stands beside the tags belongs to the answer, too.
    """
    for opening, closing in solution:
        start = rest.find(opening)
        if start < 0:
            continue
        body = start + len(opening)
        end = rest.find(closing, body)
        if end < 0 and (opening, closing) != solution[-1] and _other_closing(rest, body, opening, solution):
            continue
        inside = rest[body:] if end < 0 else rest[body:end]
        behind = "" if end < 0 else rest[end + len(closing) :]
        visible = rest[:start] + inside + behind
        return (visible if (rest[:start] + behind).strip() else inside), visible
    return rest, rest


def _other_closing(rest: str, body: int, opening: str, solution: Sequence[Delimiters]) -> bool:
    return any(one == opening and rest.find(other, body) >= 0 for one, other in solution)
