"""Looks through all rows of an output for those that a person filters for, unit by unit.

A large output is not read at once: a look stops at enough rows or after enough units, and says where to go
on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from dlcot_ray.report.facts import RowFacts, read_facts
from dlcot_ray.report.payload import columns_of
from dlcot_ray.report.stored import Place, StoredOutput

MOST_FOUND = 100
MOST_UNITS = 40

_RANGES: dict[str, Callable[[RowFacts], float]] = {
    "tokens": lambda row: row.before,
    "after": lambda row: row.after,
    "cut": lambda row: 100 * (1 - row.after / row.before) if row.before else 0,
    "confidence": lambda row: 100 * row.confidence,
    "approaches": lambda row: row.approaches,
    "checks": lambda row: row.checks,
    "arrival": lambda row: 100 * row.arrival,
}
_NONE = "(none)"


@dataclass(frozen=True, slots=True)
class Look:
    """A part of a search.

    Attributes:
        rows: the facts of the rows found, as columns.
        following: the number of the unit to go on with; None at the end.
        units: units looked through so far.
    """

    rows: dict[str, Any]
    following: int | None
    units: int


def look(
    stored: StoredOutput, units: Sequence[str], groups: Sequence[str], where: Mapping[str, str], first: int
) -> Look:
    """Rows that match, from the unit number `first` on.

    Args:
        stored: the output.
        units: its units.
        groups: the columns to group by.
        where: filters as the address of the page has them (``status=enhanced``, ``tokens=100..200``).
        first: number of the unit to begin with.

    Raises:
        InputFault: a unit cannot be read.
        ValueError: a filter is no range of numbers.
    """
    found: list[RowFacts] = []
    at = max(0, first)
    while at < len(units) and at < first + MOST_UNITS and len(found) < MOST_FOUND:
        found += [row for row in read_facts(stored, units[at], groups) if matches(row, where)]
        at += 1
    return Look(columns_of(found, {}), at if at < len(units) else None, min(at, len(units)))


def place_of_id(stored: StoredOutput, units: Sequence[str], trace_id: str) -> Place | None:
    """Where the first trace of an id is stored; None if there is none.

    Raises:
        InputFault: a unit cannot be read.
    """
    for unit in units:
        ids = stored.columns(unit, ["trace_id"])["trace_id"].to_pylist()
        if trace_id in ids:
            return Place(unit, ids.index(trace_id))
    return None


def matches(row: RowFacts, where: Mapping[str, str]) -> bool:
    """Whether a row passes the filters; unknown names filter nothing.

    Raises:
        ValueError: a filter is no range of numbers.
    """
    words: dict[str, Sequence[str]] = {
        "status": (row.status,),
        "reason": (row.reason,),
        "gate": row.stopped,
        "rule": tuple(row.cuts),
        **{f"by{number}": (value,) for number, value in enumerate(row.groups)},
    }
    for name, values in words.items():
        if name in where and where[name] not in [value or _NONE for value in values]:
            return False
    for name, value in _RANGES.items():
        if name in where:
            low, high = _bounds(where[name])
            if not low <= value(row) <= high:
                return False
    wanted = where.get("q", "").lower()
    return wanted in "\n".join((row.trace_id, row.reason, *row.groups)).lower()


def _bounds(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    return float(low) if low else -inf, float(high) if high else inf
