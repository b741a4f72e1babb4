"""Finds the tags of thinking in a text: those of all families, and a word of thinking that opens the text.

Letters count in either case, and a tag such as ``<think>`` may have spaces and attributes. A tag in backticks
or in a block of code is text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.markup import Family
from dlcot_ray.inputs.replies.quoting import Code
from dlcot_ray.inputs.words import names_thinking

INVISIBLE = " \t\r\n\ufeff\u200b\u200c\u200d\u2060"
"""Characters that nobody sees in front of a tag: white space, byte order marks, joiners."""
_HARMONY = "<|channel|>analysis<|message|>"
_START = "<|start|>assistant"
"""May stand before the channel; it is part of the tag."""
_WORD = re.compile(r"<(/?)([A-Za-z][\w:-]*)>")
"""A tag that is one word between angle brackets."""
_UNKNOWN = re.compile(
    r"[\s\ufeff\u200b-\u200d\u2060]*(?:<([A-Za-z][\w-]{2,30})>|\[([A-Za-z][\w-]{2,30})\]|<\|([A-Za-z][\w-]{2,30})\|>)"
)
"""A word in brackets at the start of a text."""
_ATTRIBUTES = r"(?:\s{1,4}[\w:-]{1,40}=[^<>\n]{0,80})?\s?"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag in a text: code points `[start, stop)`."""

    family: Family
    opens: bool
    start: int
    stop: int


def tags_in(text: str, families: tuple[Family, ...]) -> list[Tag]:
    """The tags of a text in order; those in code count only where there are no closing ones outside.

    Args:
        text: a reply.
        families: to look for, besides the word in brackets that opens the text.
    """
    found = _all_tags(text, families)
    if not found:
        return found
    code = Code(text)
    plain = [tag for tag in found if not code.covers(tag.start)]
    if any(not tag.opens for tag in plain) or all(tag.opens for tag in found):
        return plain
    starts, stops = {tag.start for tag in found}, {tag.stop for tag in found}
    return [tag for tag in found if not _is_quoted(code.around(tag.start), starts, stops)]


def _all_tags(text: str, families: tuple[Family, ...]) -> list[Tag]:
    own = _unknown_family(text)
    if own is not None and all(own.opening.lower() != family.opening.lower() for family in families):
        families = (*families, own)
    patterns = _patterns(families)
    return [patterns.tag(match) for match in patterns.whole.finditer(text)]


def _unknown_family(text: str) -> Family | None:
    """The family of a word of thinking in brackets, such as ``<scratchpad>``, that opens a text."""
    match = _UNKNOWN.match(text)
    if match is None:
        return None
    name = next(word for word in match.groups() if word)
    if not names_thinking(name):
        return None
    opening = match.group().strip(INVISIBLE)
    return Family(opening, opening.replace(name, f"/{name}"), prefilled=False, leads=True)


def _is_quoted(span: tuple[int, int] | None, starts: Set[int], stops: Set[int]) -> bool:
    """Whether a piece of inline code is nothing but a tag, or runs from one tag to another.

    Else its backticks may be two stray ones, one in the thinking and one in the visible answer.
    """
    return span is not None and span[0] + 1 in starts and span[1] - 1 in stops


@dataclass(frozen=True, slots=True)
class _Patterns:
    """One pattern for the tags of some families: a group for each tag."""

    whole: re.Pattern[str]
    meanings: Sequence[tuple[Family, bool]]

    def tag(self, match: re.Match[str]) -> Tag:
        assert match.lastindex is not None
        family, opens = self.meanings[match.lastindex - 1]
        return Tag(family, opens, match.start(), match.end())


@lru_cache(maxsize=64)
def _patterns(families: tuple[Family, ...]) -> _Patterns:
    words: dict[str, tuple[Family, bool]] = {}
    for family in families:
        words.setdefault(family.opening.lower(), (family, True))
        words.setdefault(family.closing.lower(), (family, False))
    longest = sorted(words, key=len, reverse=True)
    # The first characters stand ahead, because a search for a few of them skips text fast.
    ahead = "".join(sorted({re.escape(word[0]) for word in longest}))
    pattern = f"(?=[{ahead}])(?:{'|'.join(f'({_loose(word)})' for word in longest)})"
    return _Patterns(re.compile(pattern, re.IGNORECASE), [words[word] for word in longest])


def _loose(word: str) -> str:
    """The pattern of a tag; ``<think>`` may have spaces and attributes."""
    if word == _HARMONY:
        return rf"(?:{re.escape(_START)})?{re.escape(word)}"
    match = _WORD.fullmatch(word)
    if match is None:
        return re.escape(word)
    closes, name = match.groups()
    return rf"<\s?/\s?{name}\s?>" if closes else rf"<\s?{name}{_ATTRIBUTES}>"
