"""The objects of an output, from its LIST alone: units by input file, and stray objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import (
    BEFORE_AFTER_FILE,
    CARD_FILE,
    DUPLICATES_FILE,
    ENHANCED,
    FOLDERS,
    INPUT_METADATA_FILE,
    INPUTS_FILE,
    JOB_FILE,
    JOURNAL,
    LIVE_FILE,
    MANIFEST_FILE,
    PAGE_FILE,
    unit_object,
)
from dlcot_ray.storage.backend import ObjectInfo
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX

_OWN = (
    BEFORE_AFTER_FILE,
    JOB_FILE,
    MANIFEST_FILE,
    CARD_FILE,
    PAGE_FILE,
    INPUTS_FILE,
    INPUT_METADATA_FILE,
    DUPLICATES_FILE,
    LIVE_FILE,
)
_OF_REFRESH = ("report.json", "report.md", "_lease.json")
"""Objects that `dlcot refresh` writes beside a snapshot's units."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault of an output: the object, the row in it (None: the whole object), and what is wrong."""

    where: str
    row: int | None
    message: str

    def __str__(self) -> str:
        place = self.where if self.row is None else f"{self.where}, row {self.row}"
        return f"{place}: {self.message}"


@dataclass(slots=True)
class ListedUnit:
    """A unit of an input file: rows `[start, stop)`; its objects by folder."""

    name: str
    start: int
    stop: int
    objects: dict[str, ObjectInfo] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """The job counts it as done."""
        return ENHANCED in self.objects

    @property
    def written(self) -> float | None:
        """When it became complete, in seconds since 1970, where the store tells."""
        return self.objects[ENHANCED].modified if self.complete else None


@dataclass(frozen=True, slots=True)
class Inventory:
    """An output's objects.

    Attributes:
        units: name of an input file's outputs -> its units, by first row.
        strays: objects that no job leaves behind, with the reason.
        folders: objects and bytes of each folder.
    """

    units: Mapping[str, Sequence[ListedUnit]]
    strays: Sequence[Finding]
    folders: Mapping[str, tuple[int, int]]


def take_inventory(objects: Iterable[ObjectInfo], known: Iterable[str]) -> Inventory:
    """Sort a LIST of an output.

    Args:
        objects: all of them, temporary ones included.
        known: names under which input files have their outputs.
    """
    names = set(known)
    found: dict[tuple[str, int, int], ListedUnit] = {}
    strays: list[Finding] = []
    folders = dict.fromkeys(FOLDERS, (0, 0))
    for info in objects:
        unit_of = unit_object(info.relative)
        if info.relative.endswith(TEMPORARY_SUFFIX):
            strays.append(Finding(info.relative, None, "a half-written file that a killed writer left"))
        elif unit_of is not None:
            folder, name = unit_of
            if folder in folders:
                count, size = folders[folder]
                folders[folder] = (count + 1, size + info.size)
            if name.shard not in names:
                strays.append(Finding(info.relative, None, "it belongs to no input of this job"))
                continue
            key = (name.shard, name.start, name.stop)
            unit = found.setdefault(key, ListedUnit(str(name), name.start, name.stop))
            unit.objects[folder] = info
        elif info.relative not in (*_OWN, *_OF_REFRESH) and not info.relative.startswith(f"{JOURNAL}/"):
            strays.append(Finding(info.relative, None, "no job writes an object of this name"))
    units: dict[str, list[ListedUnit]] = defaultdict(list)
    for (shard, _, _), unit in sorted(found.items()):
        units[shard].append(unit)
        if not unit.complete:
            folder, info = next(iter(unit.objects.items()))
            strays.append(Finding(info.relative, None, f"its unit has no object in {ENHANCED}/"))
    return Inventory(units, strays, folders)


def coverage(label: str, rows: int, units: Sequence[ListedUnit]) -> Iterator[Finding]:
    """Where the complete units of a file leave rows out or take them twice."""
    at = 0
    for unit in units:
        if not unit.complete:
            continue
        if unit.start > at:
            yield Finding(label, at, f"rows {at}-{unit.start - 1} are in no finished unit")
        elif unit.start < at:
            yield Finding(
                f"{ENHANCED}/{unit.name}.parquet", None, f"it overlaps the unit that ends at row {at}"
            )
        at = max(at, unit.stop)
    if at < rows:
        yield Finding(label, at, f"rows {at}-{rows - 1} are in no finished unit")
    elif at > rows:
        yield Finding(label, None, f"it has {rows} rows, and units go on to row {at}")


def names_of(record: JobRecord) -> list[str]:
    """Under which names a job's input files have their outputs."""
    return [item.name for item in record.inputs]
