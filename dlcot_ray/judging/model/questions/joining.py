"""One answer about a trace from the answers about its windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from dlcot_ray.judging.model.questions.answers import NamedError
from dlcot_ray.judging.model.questions.marks import Mark
from dlcot_ray.judging.model.windows import Window

M = TypeVar("M")


def owned_marks(found: Sequence[tuple[Window, tuple[Mark, ...]]]) -> tuple[Mark, ...]:
    """Each window's marks within its own segments, and what holds where these begin.

    A part that goes on from the window before is no new part. A window counts its own approaches, so the
    number of the approach that a check examines means nothing outside the first one.
    """
    joined: list[Mark] = []
    for window, marks in found:
        if window.start:
            marks = tuple(replace(mark, of=None) for mark in marks)
        before = [mark for mark in marks if mark.segment <= window.own_start]
        holds = replace((before or marks)[-1 if before else 0], segment=window.own_start)
        if not joined or joined[-1].kind is not holds.kind:
            joined.append(holds)
        joined += [mark for mark in marks if window.own_start < mark.segment < window.own_stop]
    return tuple(joined)


def owned_errors(found: Sequence[tuple[Window, tuple[NamedError, ...]]]) -> tuple[NamedError, ...]:
    """The errors within each window's own segments."""
    return tuple(error for window, errors in found for error in errors if window.owns(error.segment))


def united(found: Sequence[tuple[Window, Mapping[int, M]]]) -> Mapping[int, M]:
    """All items of all parts."""
    return {item: value for _, answer in found for item, value in answer.items()}


def last(found: Sequence[tuple[Window, int | None]]) -> int | None:
    """The answer to the last part, or None where none was asked."""
    return found[-1][1] if found else None
