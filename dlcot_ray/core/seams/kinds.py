"""Seams: what kinds of loose end there are, and how one was closed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SeamKind(StrEnum):
    """The kinds of loose end."""

    ANNOUNCEMENT = "announcement"
    ANSWERING = "answering"
    BACK_REFERENCE = "back_reference"
    DOUBT = "doubt"
    """A doubt whose resolution is dropped."""
    CUT_SENTENCE = "cut_sentence"
    """A text that goes on with a dropped sentence."""
    REPETITION = "repetition"
    """A sentence that without the dropped text stands twice in a row."""


class Closed(StrEnum):
    """How a seam was closed."""

    RULE = "rule"
    BRIDGE = "bridge"
    KEPT = "kept"
    """The range that was to be dropped stays."""


@dataclass(frozen=True, slots=True)
class Seam:
    """A loose end and how it was closed; `segment` holds it."""

    kind: SeamKind
    segment: int
    closed: Closed


@dataclass(frozen=True, slots=True)
class SeamNeed:
    """A seam that no rule closes: segments `left` and `right` are to be joined by a bridge.

    Attributes:
        left, right: kept segments with nothing kept between them; -1 or the number of segments at the ends.
        segment: the segment with the loose end.
        sentence: the sentence that is the loose end.
    """

    kind: SeamKind
    left: int
    right: int
    segment: int
    sentence: str


SAYS = {
    SeamKind.ANNOUNCEMENT: "announces what is dropped",
    SeamKind.ANSWERING: "answers what is dropped",
    SeamKind.BACK_REFERENCE: "refers to what is dropped",
    SeamKind.DOUBT: "doubts what dropped text settles",
    SeamKind.CUT_SENTENCE: "goes on with a dropped sentence",
    SeamKind.REPETITION: "repeats the sentence before what is dropped",
}
"""What the text at a loose end does."""
