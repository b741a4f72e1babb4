"""Cuts a file into work units.

Small row groups are joined into one unit. A large row group is cut into equal parts that are read in one
`Sweep`, because Parquet cannot seek inside a row group: separate reads would decode the group once per part.
The names of outputs depend on these cuts, so a change here is a change of format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sweep:
    """Row groups `[first_group, stop_group)` of a file and the cuts between the units in them.

    Attributes:
        cuts: row numbers within the file; unit i is rows ``[cuts[i], cuts[i+1])``.
    """

    first_group: int
    stop_group: int
    cuts: tuple[int, ...]


def cut_rows(
    group_rows: Sequence[int], group_bytes: Sequence[int], rows_per_unit: int, bytes_per_unit: int
) -> tuple[Sweep, ...]:
    """Cut a file, given the rows and uncompressed bytes of its row groups, into sweeps and units.

    A unit has between 1 and `rows_per_unit` rows. Its bytes, estimated from the mean row of its row group,
    are below `bytes_per_unit` unless it has a single row.
    """
    sweeps: list[Sweep] = []
    open_from: int | None = None
    open_rows = open_bytes = row = open_row = 0

    def close(stop_group: int) -> None:
        nonlocal open_from
        if open_from is not None and open_rows:
            sweeps.append(Sweep(open_from, stop_group, (open_row, open_row + open_rows)))
        open_from = None

    for group, (rows, size) in enumerate(zip(group_rows, group_bytes, strict=True)):
        parts = max(-(-rows // rows_per_unit), min(rows, -(-size // bytes_per_unit)))
        fits = open_rows + rows <= rows_per_unit and open_bytes + size <= bytes_per_unit
        if parts > 1 or not fits:
            close(group)
        if parts > 1:
            sweeps.append(Sweep(group, group + 1, _even_cuts(row, rows, parts)))
        elif open_from is None:
            open_from, open_row, open_rows, open_bytes = group, row, rows, size
        else:
            open_rows, open_bytes = open_rows + rows, open_bytes + size
        row += rows
    close(len(group_rows))
    return tuple(sweeps)


def _even_cuts(start: int, rows: int, parts: int) -> tuple[int, ...]:
    return tuple(start + rows * part // parts for part in range(parts + 1))
