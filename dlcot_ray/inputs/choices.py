"""What a user chooses about the traces of a row, where a layout leaves a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any


class Generations(StrEnum):
    """Which of several generations of a row become traces."""

    ALL = "all"
    CORRECT = "correct"
    FIRST = "first"
    SHORTEST_CORRECT = "shortest_correct"

    @property
    def needs_flags(self) -> bool:
        """Whether the choice depends on columns of correctness flags."""
        return self in (Generations.CORRECT, Generations.SHORTEST_CORRECT)


class Turns(StrEnum):
    """Which of the assistant's turns with thinking become traces."""

    LAST = "last"
    ALL = "all"


class Markup(StrEnum):
    """What to do with texts that hold control words of a chat template."""

    REJECT = "reject"
    KEEP = "keep"


class Reply(StrEnum):
    """What to do with a trace that has no visible reply."""

    KEEP = "keep"
    ANSWER = "answer"


class PassedReason(StrEnum):
    """Why a generation was not chosen."""

    FLAGGED_INCORRECT = "flagged_incorrect"
    NOT_FLAGGED = "not_flagged"
    NOT_FIRST = "not_first"
    LONGER = "longer"


PASSED_NOTES: Mapping[str, str] = {
    PassedReason.FLAGGED_INCORRECT: "its correctness flag is false",
    PassedReason.NOT_FLAGGED: "it has no correctness flag",
    PassedReason.NOT_FIRST: "an earlier generation of its row was taken",
    PassedReason.LONGER: "a shorter correct generation of its row was taken",
}
"""What each reason means; the key is a `PassedReason`."""


@dataclass(frozen=True, slots=True)
class Choices:
    """The settings that say which traces of a row are taken.

    Attributes:
        generations: which of several generations.
        turns: which of several turns with thinking.
        markup: what to do with control words.
        reply: what to do where there is no visible reply.
    """

    generations: Generations = Generations.ALL
    turns: Turns = Turns.LAST
    markup: Markup = Markup.REJECT
    reply: Reply = Reply.KEEP

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Choices:
        """From a mapping that has (some of) these settings; the rest have their defaults."""
        defaults = cls()
        values = {field.name: getattr(defaults, field.name) for field in fields(cls)}
        return cls(**{name: type(value)(settings.get(name, value)) for name, value in values.items()})

    def as_settings(self) -> dict[str, Any]:
        """As they are recorded with a job."""
        return {name: str(value) for name, value in asdict(self).items()}


DEFAULT_CHOICES = Choices()
