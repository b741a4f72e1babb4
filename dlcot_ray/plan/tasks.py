"""What the planner hands to the workers: work units, and the sweeps over a file that read them.

Both are small and picklable.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class UnitTask:
    """One unit to do: rows `[start, stop)` of a file.

    Attributes:
        file: the file, for people.
        shard_name: names rows that have no id.
        duplicates: rows of the file whose id occurred before -> where.
    """

    name: str
    file: str
    shard_name: str
    start: int
    stop: int
    duplicates: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Unfinished units that are read in one sweep over row groups `[first_group, stop_group)`.

    `first_row` is the file's row number of the first group's first row.
    """

    store_url: str
    relative: str
    first_group: int
    stop_group: int
    first_row: int
    units: Sequence[UnitTask]
