"""Splits a reply into its thinking and its visible answer, without losing a character of either.

All known families of tags are read (`core/markup.py`), those that a preset names, and a word of thinking in
brackets that opens the reply. A reply may begin inside its thinking, because many chat templates put the
opening tag into the prompt. Doubled opening tags count once. Nested blocks end where the outer one is closed.
A block that another word closes (``<think>...</thinking>``) ends there. A reply that never closes its
thinking is a truncated trace, not an error. A reply may think in several blocks, each of which is a thinking
of its own: joined they would be a trace that no teacher wrote.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dlcot_ray.core.markup import FAMILIES, SOLUTIONS, Delimiters, families_with
from dlcot_ray.errors import Cause
from dlcot_ray.inputs.replies.tags import INVISIBLE, Tag, tags_in

__all__ = ["Delimiters", "Refusal", "SplitReply", "opens", "split_reply"]

_BEGINS = re.compile(r"(?:^|\n|[>\]▷]|>assistant)[^\S\n]*$")
"""What may stand before a block that is not the only one, or not closed: the start of a line, or a tag."""
_BEFORE = 80


@dataclass(frozen=True, slots=True)
class SplitReply:
    """A reply, split at one block of thinking.

    Attributes:
        reasoning: exactly the characters between the tags.
        response: exactly what followed, up to the next block (inside the solution tags where there are
            some), or None for a truncated reply.
        start, stop: code points of the reasoning in the reply.
        visible: everything of the reply that is neither thinking nor a tag.
        before: the part of it between this block and the one before.
        goes_on: another block follows.
    """

    reasoning: str
    response: str | None
    start: int = field(default=0, compare=False)
    stop: int = field(default=0, compare=False)
    visible: str = field(default="", compare=False)
    before: str = field(default="", compare=False)
    goes_on: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reply could not be split."""

    cause: Cause
    message: str


@dataclass(frozen=True, slots=True)
class _Block:
    """A block of thinking: the code points of it with its tags, and of the thinking inside."""

    first: int
    start: int
    stop: int
    last: int
    is_closed: bool = True


def split_reply(
    text: str, thinking: Sequence[Delimiters] = (), solution: Sequence[Delimiters] = ()
) -> Sequence[SplitReply] | Refusal:
    """Separate thinking and visible answer.

    Args:
        text: the assistant's whole reply.
        thinking: delimiters to look for besides the known families; the one that occurs first is in use.
        solution: delimiters that may wrap the visible answer, besides the known ones.

    Returns:
        One item for each block that holds something; the first one where all are empty.
    """
    tags = tags_in(text, families_with(tuple(thinking)))
    first = next((tag for tag in tags if _may_begin(text, tag, tags)), None)
    if first is None:
        known = ", ".join(f"{family.opening}...{family.closing}" for family in FAMILIES[:3])
        return Refusal(Cause.NO_THINKING, f"the reply has no thinking block (looked for {known} and others)")
    blocks = _blocks(text, first, tags)
    if isinstance(blocks, Refusal):
        return blocks
    found = list(_split_at(text, blocks, (*solution, *SOLUTIONS)))
    return [item for item in found if item.reasoning.strip()] or found[:1]


def opens(text: str) -> bool:
    """Whether a block of thinking of a known family, or of a word that opens the text, begins in it."""
    tags = tags_in(text, FAMILIES)
    return any(tag.opens and _may_begin(text, tag, tags) for tag in tags)


def _may_begin(text: str, tag: Tag, tags: Sequence[Tag]) -> bool:
    """Whether a tag can be the first one of a block."""
    family = tag.family
    if not tag.opens:
        return family.prefilled
    if not family.leads:
        return True
    is_first = not text[: tag.start].strip(INVISIBLE)
    if is_first and not family.closed:
        return True
    if not any(other.family == family and not other.opens and other.start > tag.start for other in tags):
        return False
    begins_line = not text[text.rfind("\n", 0, tag.start) + 1 : tag.start].strip()
    return is_first or (begins_line and all(other.family.leads for other in tags))


def _blocks(text: str, first: Tag, tags: Sequence[Tag]) -> list[_Block] | Refusal:
    """The blocks of the family of the first tag."""
    mine = _Nesting([tag for tag in tags if tag.family == first.family and tag.start >= first.start])
    at = mine.behind_doubled(text, 0) if first.opens else 0
    end: Tag | None = first
    if first.opens:
        end = mine.closing(at) or _other_closing(mine.tags[at], tags)
    start = mine.tags[at].stop if first.opens else 0
    if end is None and first.family.prefilled and not _begins(text, first):
        message = f"the reply names {first.family.opening} in the middle of a line and never closes it"
        return Refusal(Cause.NO_THINKING, message)
    if end is None:
        return [_Block(first.start, start, len(text), len(text), is_closed=False)]
    blocks = [_Block(first.start if first.opens else 0, start, end.start, end.stop)]
    while (opens := mine.opening(end.stop)) is not None:
        opening, at = mine.tags[opens], mine.behind_doubled(text, opens)
        again = mine.closing(at)
        begins = _begins(text, opening)
        if again is None or not begins:
            # A reply that only mentions the tag looks the same.
            how = "in the middle of a line" if again else "and does not close it"
            message = f"the reply opens {first.family.opening} again after {first.family.closing}, {how}"
            return Refusal(Cause.SEVERAL_THINKING, message)
        end = again
        blocks.append(_Block(opening.start, mine.tags[at].stop, end.start, end.stop))
    return blocks


def _begins(text: str, tag: Tag) -> bool:
    """Whether a tag begins a line, or follows another tag."""
    return _BEGINS.search(text[max(0, tag.start - _BEFORE) : tag.start]) is not None


class _Nesting:
    """The tags of one family in order, and how they nest; a look-up costs the logarithm of their number."""

    def __init__(self, tags: Sequence[Tag]) -> None:
        self.tags = tags
        self._openings = [tag.start for tag in tags if tag.opens]
        self._numbers = [at for at, tag in enumerate(tags) if tag.opens]
        self._closings = [at for at, tag in enumerate(tags) if not tag.opens]
        self._at_depth: dict[int, list[int]] = defaultdict(list)
        self._before: list[int] = []
        depth = 0
        for at, tag in enumerate(tags):
            self._before.append(depth)
            depth += 1 if tag.opens else -1
            self._at_depth[depth].append(at)

    def opening(self, position: int) -> int | None:
        """The first opening tag from a character on."""
        at = bisect_left(self._openings, position)
        return self._numbers[at] if at < len(self._numbers) else None

    def behind_doubled(self, text: str, at: int) -> int:
        """The last of several opening tags that stand together, from the one at `at`."""
        tags = self.tags
        while (
            at + 1 < len(tags) and tags[at + 1].opens and not text[tags[at].stop : tags[at + 1].start].strip()
        ):
            at += 1
        return at

    def closing(self, at: int) -> Tag | None:
        """The tag that closes an opening one, of unbalanced ones the next closing one, or None."""
        for candidates in (self._at_depth[self._before[at]], self._closings):
            place = bisect_left(candidates, at)
            if place < len(candidates):
                return self.tags[candidates[place]]
        return None


def _other_closing(opening: Tag, tags: Sequence[Tag]) -> Tag | None:
    """The only tag behind that closes a block, where it is of another family that opens none."""
    behind = [tag for tag in tags if tag.start >= opening.stop]
    closing = [tag for tag in behind if not tag.opens]
    if len(closing) != 1 or any(tag.opens and tag.family == closing[0].family for tag in behind):
        return None
    return closing[0]


def _split_at(text: str, blocks: Sequence[_Block], solution: Sequence[Delimiters]) -> Iterator[SplitReply]:
    last = blocks[-1]
    response, end = _unwrap(text[last.last :], solution)
    starts = [0, *(block.last for block in blocks[:-1])]
    between = [text[start : block.first] for start, block in zip(starts, blocks, strict=True)]
    visible = "".join(between) + end
    for at, block in enumerate(blocks):
        goes_on = at + 1 < len(blocks)
        reply = between[at + 1] if goes_on else response
        yield SplitReply(
            text[block.start : block.stop],
            reply if block.is_closed else None,
            block.start,
            block.stop,
            visible,
            between[at],
            goes_on,
        )


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
        if (
            end < 0
            and (opening, closing) != solution[-1]
            and _is_closed_otherwise(rest, body, opening, solution)
        ):
            continue
        inside = rest[body:] if end < 0 else rest[body:end]
        behind = "" if end < 0 else rest[end + len(closing) :]
        visible = rest[:start] + inside + behind
        return (visible if (rest[:start] + behind).strip() else inside), visible
    return rest, rest


def _is_closed_otherwise(rest: str, body: int, opening: str, solution: Sequence[Delimiters]) -> bool:
    return any(one == opening and rest.find(other, body) >= 0 for one, other in solution)
