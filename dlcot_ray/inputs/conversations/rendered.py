"""Where the parts that are not trained on lie in a conversation that a chat template has rendered."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Ranges = list[tuple[int, int]]


def masked_ranges(rendered: str, messages: Any, loss_spans: Sequence[Mapping[str, Any]]) -> Ranges:
    """The code points of a rendered conversation that must not be trained on.

    Templates move white space, so that texts are found by their other characters.

    Args:
        rendered: what the chat template made of the conversation.
        messages: a cell of `masked/`.
        loss_spans: the spans of the same row.

    Returns:
        Ranges `[start, stop)` in order: all of the assistant's thinking that the policy dropped.

    Raises:
        ValueError: the template leaves out a text, or changes more of it than white space.
    """
    turns = json.loads(messages) if isinstance(messages, str | bytes) else messages
    kept: dict[tuple[int, str], Ranges] = defaultdict(list)
    for span in loss_spans:
        kept[span["turn"], span["field"]].append((span["start"], span["stop"]))
    dense = _Dense(rendered)
    found: Ranges = []
    for at, turn in enumerate(turns):
        fields = [(field, spans) for (number, field), spans in kept.items() if number == at]
        if not fields and turn is not None:
            dense.skip(turn.get("content", turn.get("value")))
        for field, spans in fields:
            text = _at(turn, field)
            start = dense.find(text)
            if start is None:
                raise ValueError(
                    f"the chat template does not render {field!r} of turn {at} as it is: use a template for "
                    "training, which keeps the thinking of every turn"
                )
            found += dense.ranges(text, start, list(_gaps(len(text), spans)))
    return found


class _Dense:
    """A text without its white space, searched from left to right."""

    def __init__(self, text: str) -> None:
        self._places = [at for at, char in enumerate(text) if not char.isspace()]
        self._text = "".join(text.split())
        self._from = 0

    def find(self, text: str) -> int | None:
        """Where a text begins, in characters that are no white space; the next search begins behind it."""
        sought = "".join(text.split())
        start = self._text.find(sought, self._from)
        if start < 0:
            return None
        self._from = start + len(sought)
        return start

    def skip(self, text: Any) -> None:
        """Go behind a text, if it is there."""
        if isinstance(text, str):
            self.find(text)

    def ranges(self, text: str, start: int, gaps: Ranges) -> Iterator[tuple[int, int]]:
        """The places of parts of a text that begins at `start`."""
        for low, high in gaps:
            first = start + len("".join(text[:low].split()))
            length = len("".join(text[low:high].split()))
            if length:
                yield self._places[first], self._places[first + length - 1] + 1


def _gaps(length: int, spans: Ranges) -> Iterator[tuple[int, int]]:
    at = 0
    for start, stop in spans:
        if start > at:
            yield at, start
        at = stop
    if at < length:
        yield at, length


def _at(turn: Any, field: str) -> str:
    value = turn
    for step in field.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return str(value)
