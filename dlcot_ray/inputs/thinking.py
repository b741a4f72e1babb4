"""Splits a reply into its thinking and its visible answer, without losing a character of either.

Teachers and datasets use different tags, so the delimiters come from the dataset preset. The rules follow
what models generate. The first closing tag ends the thinking. A reply may begin inside its thinking, because
many chat templates put the opening tag into the prompt. A reply that never closes its thinking is a truncated
trace, not an error. A reply with a second block is refused, because joined blocks would be a trace that no
teacher wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.errors import Cause

Delimiters = tuple[str, str]
"""An opening and a closing tag."""


@dataclass(frozen=True, slots=True)
class SplitReply:
    """A reply, split into its parts.

    Attributes:
        reasoning: exactly the characters between the tags.
        response: exactly what followed (inside the solution tags where there are some), or None for a
            truncated reply.
    """

    reasoning: str
    response: str | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a reply could not be split."""

    cause: Cause
    message: str


def split_reply(
    text: str, thinking: Sequence[Delimiters], solution: Sequence[Delimiters]
) -> SplitReply | Refusal:
    """Separate thinking and visible answer.

    Args:
        text: the assistant's whole reply.
        thinking: delimiters to look for; the pair that occurs first is the one in use.
        solution: delimiters that may wrap the visible answer.
    """
    pair = _first_pair(text, thinking)
    if pair is None:
        known = ", ".join(f"{opening}...{closing}" for opening, closing in thinking)
        return Refusal(Cause.NO_THINKING, f"the reply has no thinking block (looked for {known})")
    opening, closing = pair
    start = text.find(opening)
    end = text.find(closing)
    if start < 0 or 0 <= end < start:
        start, body = 0, 0
    else:
        body = start + len(opening)
        end = text.find(closing, body)
    if text[:start].strip():
        return Refusal(Cause.NO_THINKING, f"the reply has visible text before {opening}")
    if end < 0:
        return SplitReply(text[body:], None)
    rest = text[end + len(closing) :]
    if opening in rest:
        return Refusal(Cause.SEVERAL_THINKING, f"the reply opens {opening} again after {closing}")
    return SplitReply(text[body:end], _unwrap(rest, solution))


def _first_pair(text: str, thinking: Sequence[Delimiters]) -> Delimiters | None:
    best: Delimiters | None = None
    at = len(text)
    for pair in thinking:
        for tag in pair:
            found = text.find(tag)
            if 0 <= found < at:
                best, at = pair, found
    return best


def _unwrap(rest: str, solution: Sequence[Delimiters]) -> str:
    for opening, closing in solution:
        start = rest.find(opening)
        if start < 0:
            continue
        body = start + len(opening)
        end = rest.find(closing, body)
        return rest[body:] if end < 0 else rest[body:end]
    return rest
