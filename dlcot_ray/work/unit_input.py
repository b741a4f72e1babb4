"""The input of one work unit, with each row parsed once, and the settings that all units of a job share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Self

import pyarrow as pa

from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.trace import MAX_TRACE_CHARS, Trace
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.items import Item, Passed, content_of
from dlcot_ray.inputs.readers.protocol import without_bad_lines
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.judging.protocol import Writer
from dlcot_ray.plan.tasks import NOT_COMPARED, OTHER_TEXT
from dlcot_ray.work.rows.budget import RowBudget
from dlcot_ray.work.rows.watch import RowWatch

NO_POISON_ROWS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class UnitOptions:
    """What all units of a job share.

    Attributes:
        policy: what to cut.
        count_tokens: the length of a text in tokens.
        max_trace_chars: a longer reasoning passes through unjudged (code points).
        in_flight: how many traces are with the judge or the writer at once.
        budget: limits the CPU time of a row.
        watch: how the rows run.
        reject_slow: reject rows that took too long, instead of passing them through.
        writer: supplies repairs and bridges; without one, errors and open seams stay as they are.
    """

    policy: Policy
    count_tokens: Callable[[str], int]
    max_trace_chars: int = MAX_TRACE_CHARS
    in_flight: int = 64
    writer: Writer | None = None
    budget: RowBudget = field(default_factory=RowBudget)
    watch: RowWatch = field(default_factory=RowWatch)
    reject_slow: bool = False


@dataclass(frozen=True, slots=True)
class UnitInput:
    """Consecutive rows of one input file.

    Attributes:
        table: the rows as they were read.
        file: the input file, for faults.
        first_row: the file's row number of the first row (from 0).
        items: what the rows hold, in order: traces, faults, and generations that were not chosen. A row has
            one item or several.
        traces: the traces that may be judged, each with its place in `items`.
        faults: what is rejected: no trace, a repeated id, or a poison row.
        passed: the generations that were not chosen.
        columns: where the fields of a trace are.
    """

    table: pa.Table
    file: str
    first_row: int
    items: Sequence[Item]
    traces: Sequence[tuple[int, Trace]]
    faults: Sequence[RowFault]
    passed: Sequence[Passed]
    columns: ColumnMap

    @classmethod
    def parse(
        cls,
        table: pa.Table,
        columns: ColumnMap,
        *,
        file: str,
        shard_name: str,
        first_row: int,
        duplicate_rows: Collection[int] = frozenset(),
        poison_rows: Mapping[str, str] = NO_POISON_ROWS,
    ) -> Self:
        """Parse the rows of a unit. Never raises for a bad row.

        Args:
            table: the rows.
            columns: the dataset preset, resolved against this file.
            file: names the file in faults.
            shard_name: names rows without an id column.
            first_row: the file's row number of the first row.
            duplicate_rows: row numbers of the file whose ids occurred before. A mapping says where each
                occurred first, or that its text is another one: then its id gets a suffix.
            poison_rows: ids of rows that must not reach the judge, and why.
        """
        items = traces_of(table, columns, file=file, first_row=first_row, shard_name=shard_name)
        if isinstance(duplicate_rows, Mapping):
            items, duplicate_rows = _with_own_ids(items, duplicate_rows, first_row, shard_name)
        traces: list[tuple[int, Trace]] = []
        faults: list[RowFault] = []
        passed: list[Passed] = []
        for place, item in enumerate(items):
            found, slot = item.found, item.slot
            number = first_row + slot.row
            if isinstance(found, RowFault):
                faults.append(found)
            elif isinstance(found, Passed):
                passed.append(found)
            elif number in duplicate_rows:
                first = duplicate_rows[number] if isinstance(duplicate_rows, Mapping) else "in this job"
                why = (Stage.PLAN, Cause.DUPLICATE_ID, f"the id {found.trace_id!r} occurred before: {first}")
                faults.append(RowFault(file, number, found.trace_id, *why, part=slot.part))
            elif found.trace_id in poison_rows:
                why = (Stage.JUDGE, Cause.POISON_ROW, poison_rows[found.trace_id])
                faults.append(RowFault(file, number, found.trace_id, *why, part=slot.part))
            else:
                traces.append((place, found))
        return cls(without_bad_lines(table), file, first_row, items, traces, faults, passed, columns)


def _with_own_ids(
    items: Sequence[Item], duplicates: Mapping[int, str], first_row: int, shard_name: str
) -> tuple[list[Item], Mapping[int, str]]:
    """Items whose id occurred before with another text get an id of their own; the true duplicates are left.

    The suffix depends on the texts of the row alone, so that it stays when rows move. Where texts were not
    compared, it is the place of the row.
    """
    suffixes: dict[int, str] = {}
    for index, group in groupby(items, key=lambda item: item.slot.row):
        place = duplicates.get(first_row + index)
        if place == OTHER_TEXT:
            suffixes[index] = f"~{(content_of(list(group)) or '')[:_SUFFIX_DIGITS]}"
        elif place == NOT_COMPARED:
            suffixes[index] = f"~{shard_name}#{first_row + index}"
    renamed = [_renamed(item, suffixes.get(item.slot.row, "")) for item in items]
    return renamed, {
        row: place for row, place in duplicates.items() if place not in (OTHER_TEXT, NOT_COMPARED)
    }


def _renamed(item: Item, suffix: str) -> Item:
    found = item.found
    if not suffix or not found.trace_id:
        return item
    return replace(item, found=replace(found, trace_id=f"{found.trace_id}{suffix}"))


_SUFFIX_DIGITS = 12
"""Hex digits: two of a million texts under one id get the same suffix once in 500 data sets."""
