"""What a policy is: a named pure function from an annotation to the units that go, and why.

A policy only proposes drops; `core/enhance.py` turns them into a total edit script and lets the gates
decide. That keeps each policy a few lines long, and lets several be combined by union.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation, Label, SectionKind

Drops = dict[int, str]
"""Unit number -> reason, for the units that go."""

PolicyFunction = Callable[[Annotation], Drops]


class PolicyError(ValueError):
    """A policy expression cannot be understood; the message names the nearest known policy."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy expression.

    Attributes:
        expression: as given, e.g. ``keep_first``; part of every output row.
        parts: the functions whose drops are united.
        min_keep: smallest share of the characters that must be left, 0..1 (gate ``cut_bounds``).
    """

    expression: str
    parts: tuple[PolicyFunction, ...]
    min_keep: float = 0.02

    def drops(self, annotation: Annotation) -> Drops:
        """Units to drop; where several parts drop a unit, the first part's reason stands."""
        united: Drops = {}
        for part in self.parts:
            for unit, reason in part(annotation).items():
                united.setdefault(unit, reason)
        return united


def options_float(options: Mapping[str, object], key: str, default: float) -> float:
    """A number between 0 and 1 out of the options. Raises PolicyError."""
    value = options.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise PolicyError(f"policy option {key} must be a number from 0 to 1, got {value!r}")
    return float(value)


def first_correct(annotation: Annotation) -> int | None:
    """Index of the first correct approach: the end of the trunk."""
    return next((i for i, a in enumerate(annotation.approaches) if a.label is Label.CORRECT), None)


def conclusion_start(annotation: Annotation) -> int:
    """First unit of the trailing conclusion, or the number of units where there is none."""
    last = annotation.sections[-1] if annotation.sections else None
    if last is not None and last.kind is SectionKind.CONCLUSION:
        return last.start
    return len(annotation.unit_offsets) - 1


def unfinished_start(annotation: Annotation) -> int:
    """First unit of the last attempt where a trace breaks off unsolved, else the number of units.

    Dropping that attempt would make an unfinished trace look finished.
    """
    count = len(annotation.unit_offsets) - 1
    if not annotation.truncated or first_correct(annotation) is not None:
        return count
    starts = [a.start for a in annotation.approaches] + [v.start for v in annotation.verifications]
    return max(starts, default=count)


def drop_range(drops: Drops, start: int, stop: int, reason: str) -> None:
    """Mark units `[start, stop)`, leaving reasons that stand already."""
    for unit in range(start, stop):
        drops.setdefault(unit, reason)
