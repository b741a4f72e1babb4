"""Chooses among the generations of one row by the settings and the row's correctness flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.cells import Cell
from dlcot_ray.inputs.choices import Generations, PassedReason
from dlcot_ray.inputs.items import Item, Passed

_TRUE = frozenset(("true", "1", "yes", "y", "correct", "right", "pass", "passed", "valid", "verified"))
_FALSE = frozenset(("false", "0", "no", "n", "incorrect", "wrong", "fail", "failed", "invalid", "unverified"))


def choose(items: Sequence[Item], generations: Generations, flags: Sequence[bool | None]) -> list[Item]:
    """The items of one row, those that are not chosen as `Passed`.

    A generation that cannot be read stays a fault, unless its flag or an earlier generation rules it out.

    Args:
        items: of the row, in order.
        generations: the setting.
        flags: whether each generation is correct; None where that is not known.
    """
    if generations is Generations.FIRST:
        return _only(items, _first(items), PassedReason.NOT_FIRST)
    if generations.needs_flags:
        flagged = [_by_flag(item, flag) for item, flag in zip(items, flags, strict=True)]
        if generations is Generations.CORRECT:
            return flagged
        return _only(flagged, _shortest(flagged), PassedReason.LONGER)
    return list(items)


def merged_flags(columns: Sequence[Sequence[Cell]], count: int) -> list[bool | None]:
    """One flag per generation: true if any column says so, false if all that know it deny it.

    Args:
        columns: the flags of one row, one sequence for each column; it may be shorter than `count`.
        count: number of generations.
    """
    read = [[_flag(cell) for cell in column] + [None] * count for column in columns]
    known = [[flags[part] for flags in read if flags[part] is not None] for part in range(count)]
    return [any(flags) if flags else None for flags in known]


def _flag(cell: Cell) -> bool | None:
    """What a cell says; None where it says neither, as ``None`` and a score between 0 and 1 do."""
    word = cell.strip().lower() if isinstance(cell, str) else ""
    return True if word in _TRUE else False if word in _FALSE else None


def _by_flag(item: Item, flag: bool | None) -> Item:
    if flag:
        return item
    return _passed(item, PassedReason.NOT_FLAGGED if flag is None else PassedReason.FLAGGED_INCORRECT)


def _only(items: Sequence[Item], chosen: int | None, reason: PassedReason) -> list[Item]:
    """The chosen item; other traces, and what comes after a chosen first one, are passed."""
    return [
        item if at == chosen or not _is_ruled_out(item, at, chosen, reason) else _passed(item, reason)
        for at, item in enumerate(items)
    ]


def _is_ruled_out(item: Item, at: int, chosen: int | None, reason: PassedReason) -> bool:
    behind = reason is PassedReason.NOT_FIRST and chosen is not None and at > chosen
    return behind or isinstance(item.found, Trace)


def _first(items: Sequence[Item]) -> int | None:
    return next((at for at, item in enumerate(items) if isinstance(item.found, Trace)), None)


def _shortest(items: Sequence[Item]) -> int | None:
    lengths = [
        (len(item.found.reasoning), at) for at, item in enumerate(items) if isinstance(item.found, Trace)
    ]
    return min(lengths)[1] if lengths else None


def _passed(item: Item, reason: PassedReason) -> Item:
    return replace(item, found=Passed(item.found.trace_id or "", reason))
