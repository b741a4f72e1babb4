"""What a policy is: a named pure function from an annotation to the segments to drop, and why.

A policy only proposes drops. `core/enhance.py` turns them into an edit script, closes the seams and applies
the gates. So a policy is a few lines long, and several can be combined by union. A reason names one item (an
approach, a check), because the fallback gives items back one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.core.policies.standing import unfinished_start

Drops = dict[int, str]
"""Segment number -> reason, for each segment to drop."""

LOOP = "repetition loop"
"""The reason for dropping segments that only repeat the text before them."""

MIN_KEEP = 0.02
"""Default of the minimum share of characters that an edit must keep; a larger cut is not made."""

PolicyFunction = Callable[[Annotation], Drops]


class ErrorMode(StrEnum):
    """What happens to located errors in the text that a policy keeps (DLCoT step 5.2)."""

    KEEP = "keep"
    DELETE = "delete"
    REPAIR = "repair"


class CorrectedMode(StrEnum):
    """What happens to errors that the trace itself notices and corrects."""

    KEEP = "keep"
    """They stay, so that a student sees an error and its correction."""
    TREAT = "treat"
    """They are treated like all other errors."""


class UnsolvedMode(StrEnum):
    """What happens to traces that do not reach the reference."""

    KEEP = "keep"
    """They are edited like all others."""
    REJECT = "reject"
    FLAG = "flag"
    """They pass through unchanged, with the status reason ``unsolved``."""


class PolicyError(ValueError):
    """A policy expression cannot be understood; the message names the nearest known policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy expression with its settings.

    Attributes:
        expression: as given, e.g. ``keep_first``; part of every output row.
        parts: the functions whose drops are united.
        min_keep: smallest share of the characters that must be left, 0..1 (gate ``cut_bounds``).
        errors, corrected, unsolved: see their types.
        drops_loops: whether repetition loops go, also those inside one segment.
        preference_pairs: also write original and enhanced as a pair.
        loss_spans: also write the whole trace with the spans to train on.
        gated: the gates hold back what would harm a trace; False for baselines only.
        reads_answer: some part drops text by where the right answer stands.
        scores: those that some part reads; without them it drops nothing.
        as_readers: the cut behind the answer moves to where careful readers would make it.
    """

    expression: str
    parts: tuple[PolicyFunction, ...]
    min_keep: float = MIN_KEEP
    errors: ErrorMode = ErrorMode.KEEP
    corrected: CorrectedMode = CorrectedMode.KEEP
    unsolved: UnsolvedMode = UnsolvedMode.KEEP
    drops_loops: bool = False
    preference_pairs: bool = False
    loss_spans: bool = False
    gated: bool = True
    reads_answer: bool = True
    scores: Scores | None = None
    as_readers: bool = False

    def drops(self, annotation: Annotation) -> Drops:
        """Segments to drop; where several parts drop a segment, the first part's reason stands."""
        united: Drops = {}
        for part in self.parts:
            for segment, reason in part(annotation).items():
                united.setdefault(segment, reason)
        return united


def options_float(options: Mapping[str, object], key: str, default: float) -> float:
    """A number between 0 and 1 out of the options. Raises PolicyError."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PolicyError(f"policy option {key} must be a number from 0 to 1, got {value!r}")
    return float(value)


Choice = TypeVar("Choice", bound=StrEnum)


def options_choice(options: Mapping[str, object], key: str, default: Choice) -> Choice:
    """One of the words of an enumeration out of the options. Raises PolicyError."""
    value = options.get(key, default)
    kind = type(default)
    if value not in set(kind):
        raise PolicyError(f"{key} must be one of {', '.join(kind)}, got {value!r}")
    return kind(str(value))


def without_unfinished(drops: Drops, annotation: Annotation) -> Drops:
    """The drops without those in the last approach of a trace that stops unsolved."""
    unfinished = unfinished_start(annotation)
    return {segment: reason for segment, reason in drops.items() if segment < unfinished}


def drop_range(drops: Drops, start: int, stop: int, reason: str) -> None:
    """Mark segments `[start, stop)`; segments that already have a reason keep it."""
    for segment in range(start, stop):
        drops.setdefault(segment, reason)
