"""The tasks that the driver sends to the workers: units, and sweeps over a file that read several units.

Both are small and can be pickled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dlcot_ray.inputs.readers.protocol import FileMetadata

OTHER_TEXT = ""
"""In the place of a first row: the id occurred before, with another text."""
NOT_COMPARED = "#"
"""In the place of a first row: the id occurred before, and the texts were too many to compare."""


@dataclass(frozen=True, slots=True)
class UnitTask:
    """One unit to do: rows `[start, stop)` of a file.

    Attributes:
        name: name of the unit.
        file: label of the file, for messages.
        shard_name: name of the file's outputs; part of the generated id of a row without one.
        start, stop: row numbers within the file.
        duplicates: row of the file whose id and text occurred before -> where they did first; or
            `OTHER_TEXT` or `NOT_COMPARED`, where only the id is known to have occurred.
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

    Attributes:
        store_url, relative: the file.
        first_group, stop_group: the row groups; if `known` is given, they are numbers within `known`.
        first_row: the file's row number of the first group's first row.
        units: the units, in order.
        known: metadata of these row groups, if the reader should be told (`FileMetadata.is_found`).
    """

    store_url: str
    relative: str
    first_group: int
    stop_group: int
    first_row: int
    units: Sequence[UnitTask]
    known: FileMetadata | None = None
