"""Which rows a report shows: seeded, spread over the units, and for each bar some traces with their texts."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from dlcot_ray.report.facts import RowFacts
from dlcot_ray.report.stored import Place

MOST_ROWS = 3_000
"""Rows whose facts a report holds: its figures then vary by less than two percentage points."""
MOST_UNITS = 96
"""Units that are opened for them."""
PER_VALUE = 3
"""Traces with text for each status, reason, gate, rule, source and teacher, as far as they fit."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Units to read, how many rows to take of each, and from how many units they were drawn."""

    units: tuple[str, ...]
    per_unit: int
    of: int


def draw_units(units: Iterable[str], seed: int, rows: int = MOST_ROWS, most: int = MOST_UNITS) -> Draw:
    """A sample of the units, whatever their order; of millions of names it holds `most`.

    The rows of each are chosen by `draw_rows`.
    """
    count = 0

    def marked() -> Iterator[tuple[bytes, str]]:
        nonlocal count
        for count, unit in enumerate(units, 1):  # noqa: B007
            yield blake2b(f"{seed}:{unit}".encode(), digest_size=8).digest(), unit

    chosen = sorted(unit for _, unit in heapq.nsmallest(most, marked()))
    return Draw(tuple(chosen), max(1, -(-rows // max(1, len(chosen)))), count)


def draw_rows(facts: Sequence[RowFacts], seed: int, per_unit: int) -> list[RowFacts]:
    """At most `per_unit` rows of one unit, in order."""
    if len(facts) <= per_unit:
        return list(facts)
    picked = random.Random(f"{seed}:{facts[0].place.unit}").sample(range(len(facts)), per_unit)
    return [facts[number] for number in sorted(picked)]


def in_order_of_need(facts: Sequence[RowFacts], seed: int, per_value: int = PER_VALUE) -> list[RowFacts]:
    """All rows, those first that give each bar of the report a trace to open; then changed ones.

    Within a bar the order is random, but short traces come before long ones of twice the median.
    """
    shuffled = list(facts)
    random.Random(seed).shuffle(shuffled)
    median = sorted(row.before for row in facts)[len(facts) // 2] if facts else 0
    shuffled.sort(key=lambda row: row.before > 2 * median)
    have: Counter[tuple[str, str]] = Counter()
    first, rest = [], []
    for row in shuffled:
        values = list(_values(row))
        if any(have[value] < per_value for value in values):
            have.update(values)
            first.append(row)
        else:
            rest.append(row)
    rest.sort(key=lambda row: row.status != "enhanced")
    return first + rest


def fill(order: Sequence[RowFacts], budget: int, cost: Callable[[RowFacts], int]) -> Iterator[Place]:
    """The places of rows in order, as long as their cost (bytes) stays within the budget.

    A row that alone takes more than a quarter of the budget is left out.
    """
    left = budget
    for row in order:
        size = cost(row)
        if size <= min(left, budget // 4):
            left -= size
            yield row.place


def _values(row: RowFacts) -> Iterator[tuple[str, str]]:
    yield "status", row.status
    yield "reason", row.reason
    for gate in row.stopped:
        yield "gate", gate
    for rule in row.cuts:
        yield "rule", rule
    for column, value in enumerate(row.groups):
        yield f"group {column}", value
