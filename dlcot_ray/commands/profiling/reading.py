"""Reads the traces of a profile from its inputs: all of them, or a seeded sample of rows.

A sample touches at most `_MOST_GROUPS` row groups, drawn by their rows, and `_MOST_BYTES` of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault, reason_of
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import open_shard
from dlcot_ray.inputs.readers.protocol import READ_ERRORS
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.plan.plan import Plan

_MOST_GROUPS = 64
_MOST_BYTES = 256 << 20
_BATCH_ROWS = 64
_LONGEST_VALUE = 200

Wanted = dict[int, list[int] | None]
"""Number of a row group -> the rows of it that are wanted, from 0, ascending; None for all."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """A trace, and its values of the groups of the profile."""

    trace: Trace
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows: their traces, the faults of the others, and why a file could not be read further."""

    rows: int = 0
    traces: tuple[Grouped, ...] = ()
    faults: tuple[RowFault, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class _Group:
    """A row group: number of its file, its number there, and its rows."""

    file: int
    number: int
    rows: int


def read_parts(
    plan: Plan,
    count: int | None,
    seed: int,
    options: Mapping[str, object] | None,
    metadata: MetadataCache,
    columns: Sequence[Sequence[str]],
) -> Iterator[Part]:
    """The rows of a profile, in the order of the input.

    Args:
        plan: the inputs.
        count: rows of the sample; None for all.
        seed: of the sample.
        options: fsspec options of the inputs.
        metadata: of the files.
        columns: for each group the columns that may hold it; the first that a file has counts.
    """
    groups = _row_groups(plan, options, metadata)
    total = sum(group.rows for group in groups)
    whole = count is None or count >= total
    by_file: dict[int, Wanted] = {}
    drawn = [(group, None) for group in groups] if whole else _draw(groups, count or 0, seed)
    for group, rows in drawn:
        by_file.setdefault(group.file, {})[group.number] = rows
    for number, wanted in by_file.items():
        yield from _read_file(plan, number, wanted, options, columns)


def _row_groups(plan: Plan, options: Mapping[str, object] | None, metadata: MetadataCache) -> list[_Group]:
    groups = []
    for number, shard in enumerate(plan.shards):
        known = metadata.get(shard)
        if known is None:
            with closing(open_shard(shard, options)) as reader:
                known = reader.metadata()
        groups += [_Group(number, at, rows) for at, rows in enumerate(known.group_rows) if rows]
    return groups


def _draw(groups: Sequence[_Group], count: int, seed: int) -> list[tuple[_Group, list[int] | None]]:
    """A sample of rows, by row group, in order."""
    generator = np.random.default_rng(seed)
    sizes = np.array([group.rows for group in groups], np.int64)
    chosen = np.arange(len(groups))
    if len(groups) > _MOST_GROUPS:
        shares = sizes / sizes.sum()
        chosen = np.sort(generator.choice(len(groups), _MOST_GROUPS, replace=False, p=shares))
    ends = np.cumsum(sizes[chosen])
    rows = np.sort(generator.choice(int(ends[-1]), min(count, int(ends[-1])), replace=False))
    return list(_placed(groups, chosen, ends, rows))


def _placed(
    groups: Sequence[_Group],
    chosen: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64],
) -> Iterator[tuple[_Group, list[int] | None]]:
    for place, number in enumerate(chosen.tolist()):
        start = int(ends[place - 1]) if place else 0
        inside = rows[(rows >= start) & (rows < ends[place])] - start
        if len(inside):
            yield groups[number], inside.tolist()


def _read_file(
    plan: Plan,
    number: int,
    wanted: Wanted,
    options: Mapping[str, object] | None,
    columns: Sequence[Sequence[str]],
) -> Iterator[Part]:
    shard = plan.shards[number]
    try:
        with closing(open_shard(shard, options, plan.known.get(number))) as reader:
            starts = np.cumsum([0, *reader.metadata().group_rows]).tolist()
            for group, rows in sorted(wanted.items()):
                at = read_bytes = 0
                for batch in reader.batches(range(group, group + 1), max_rows=_BATCH_ROWS):
                    inside = _inside(rows, at, batch.num_rows)
                    if inside:
                        yield _part(plan, number, batch, inside, starts[group] + at, columns)
                    at, read_bytes = at + batch.num_rows, read_bytes + batch.nbytes
                    if rows is not None and (at > rows[-1] or read_bytes > _MOST_BYTES):
                        break
    except READ_ERRORS as error:
        yield Part(unreadable=f"{shard.file}: it cannot be read ({reason_of(error)})")


def _inside(rows: list[int] | None, at: int, size: int) -> list[int]:
    if rows is None:
        return list(range(size))
    low, high = np.searchsorted(rows, [at, at + size])
    return [row - at for row in rows[low:high]]


def _part(
    plan: Plan,
    number: int,
    batch: pa.RecordBatch,
    inside: Sequence[int],
    first_row: int,
    columns: Sequence[Sequence[str]],
) -> Part:
    """The traces of some rows of a batch. Each row is read alone, so that faults name the right one."""
    traces: list[Grouped] = []
    faults: list[RowFault] = []
    shard = plan.shards[number]
    for row in inside:
        table = pa.Table.from_batches([batch.slice(row, 1)])
        groups = tuple(_value(table, names) for names in columns)
        for item in traces_of(
            table,
            plan.columns[number],
            file=shard.file,
            first_row=first_row + row,
            shard_name=shard.name,
        ):
            if isinstance(item.found, Trace):
                traces.append(Grouped(item.found, groups))
            elif isinstance(item.found, RowFault):
                faults.append(item.found)
    return Part(len(inside), tuple(traces), tuple(faults))


def _value(table: pa.Table, names: Sequence[str]) -> str:
    name = next((name for name in names if name in table.column_names), None)
    value = None if name is None else table[name][0].as_py()
    return "" if value is None else str(value)[:_LONGEST_VALUE]
