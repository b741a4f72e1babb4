"""Recall: finds annotations of earlier snapshots by fingerprint, also if a trace has moved to another file.

The driver writes an index once per refresh. It has 16 bytes per annotation: the head of the fingerprint, the
number of the object and the row in it. The index is partitioned by fingerprint into Parquet objects of about
a megabyte. A worker first tries the object with the name of its own unit, which has most rows of a
changed shard. For the other rows it uses the index, which also finds traces that moved within a shard or
between shards. Partitions and annotation objects are cached up to a limit. The index has only the head of a
fingerprint, so the whole fingerprint is compared before an annotation is used.

If the data set was shuffled, each trace of a unit may be in another object, and each of these is read. That
is still much cheaper than judging.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.schemas import ANNOTATION_SCHEMA
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import read_parquet, to_parquet

if TYPE_CHECKING:
    import polars as pl

_HEAD = 15
"""Hex digits of a fingerprint in the index: 60 bits, which fit a signed column."""
_FINGERPRINT = "^[0-9a-f]{32}$"
_PARTITION_ROWS = 65_536
_PARTITIONS_KEPT = 256
_OBJECTS_KEPT_BYTES = 128 << 20
_OBJECTS = "objects.parquet"
_READ_RETRIES = 2

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class RecallSpec:
    """Where the workers of a refresh find the index.

    Attributes:
        url, options: URL and fsspec options of the store that has the index and the annotations.
        index: folder of the index.
        partitions: number of partitions, a power of two.
        own: folder in which the object of the unit's own name is tried first; empty for none.
    """

    url: str
    index: str
    partitions: int
    own: str
    options: Mapping[str, Any] = field(default_factory=dict)


def write_index(store: Store, folder: str, objects: Sequence[str], known: pl.DataFrame) -> int:
    """Write the index of a refresh; returns its number of partitions.

    Args:
        store: the store of the annotations and of the index.
        folder: folder of the index.
        objects: names of annotation objects in the store.
        known: one row per annotation, with `fingerprint` (text), `object` (index into `objects`) and `row`
            (of that object). Of several rows with the same fingerprint the first is used.
    """
    # Imported here, because every worker imports this module, and only the driver writes the index.
    import polars as pl

    partitions = 1
    while partitions * _PARTITION_ROWS < known.height:
        partitions *= 2
    entries = (
        known.filter(pl.col("fingerprint").str.contains(_FINGERPRINT))
        .unique("fingerprint", keep="first", maintain_order=True)
        .select(
            head=pl.col("fingerprint").str.head(_HEAD).str.to_integer(base=16, dtype=pl.Int64),
            object=pl.col("object").cast(pl.UInt32),
            row=pl.col("row").cast(pl.UInt32),
        )
        .sort("head")
    )
    number = entries["head"] // _width(partitions)
    bounds = number.search_sorted(pl.Series(range(partitions + 1), dtype=pl.Int64)).to_list()
    for part, (start, stop) in enumerate(pairwise(bounds)):
        store.put(_partition(folder, part), _parquet(entries.slice(start, stop - start)))
    store.put(f"{folder}/{_OBJECTS}", _parquet(pl.DataFrame({"name": list(objects)}, {"name": pl.String})))
    return partitions


class Recall:
    """Reads the index of one refresh. Safe to call from several threads, one of which reads at a time."""

    def __init__(self, spec: RecallSpec) -> None:
        self._spec = spec
        self._lock = Lock()
        self._store = Store(spec.url, spec.options)
        names = read_parquet(self._store.read_bytes(f"{spec.index}/{_OBJECTS}"))
        self._objects: list[str] = names.column("name").to_pylist()
        self._known_objects = frozenset(self._objects)
        self._partitions: _Kept[int, tuple[np.ndarray[Any, Any], ...]] = _Kept(_PARTITIONS_KEPT, lambda _: 1)
        self._tables: _Kept[str, pa.Table | None] = _Kept(
            _OBJECTS_KEPT_BYTES, lambda table: 0 if table is None else table.nbytes
        )

    def annotations(self, unit: str, fingerprints: Iterable[str]) -> pa.Table:
        """The annotations with these fingerprints, as far as they are known.

        An object that cannot be read is skipped, so its traces are judged again.

        Args:
            unit: name of the unit, whose own object is tried first.
            fingerprints: the fingerprints to find.

        Returns:
            A table of `ANNOTATION_SCHEMA`, one row per annotation found, in any order.

        Raises:
            JobError, InputFault: the index cannot be read.
        """
        with self._lock:
            return self._found(unit, set(fingerprints))

    def _found(self, unit: str, wanted: set[str]) -> pa.Table:
        found: list[pa.Table] = []
        own = f"{self._spec.own}/{unit}.parquet"
        if self._spec.own and own in self._known_objects:
            self._take(own, None, wanted, found)
        by_object: dict[int, list[int]] = {}
        for mark in sorted(wanted):
            for number, row in self._places(mark):
                by_object.setdefault(number, []).append(row)
        for number, rows in by_object.items():
            self._take(self._objects[number], rows, wanted, found)
        return pa.concat_tables(found) if found else ANNOTATION_SCHEMA.empty_table()

    def _take(self, name: str, rows: Sequence[int] | None, wanted: set[str], found: list[pa.Table]) -> None:
        """Move the wanted annotations of an object (in `rows`, or in any row) from `wanted` to `found`."""
        table = self._tables.get(name, self._read)
        if table is None:
            return
        marks = table.column("fingerprint").to_pylist()
        places: list[int] = []
        for row in range(len(marks)) if rows is None else rows:
            if row < len(marks) and marks[row] in wanted:
                wanted.discard(marks[row])
                places.append(row)
        if places:
            found.append(table.take(pa.array(places, pa.int64())))

    def _places(self, mark: str) -> list[tuple[int, int]]:
        head = int(mark[:_HEAD], 16)
        heads, objects, rows = self._partitions.get(head // _width(self._spec.partitions), self._load)
        low, high = np.searchsorted(heads, [head, head + 1])
        return [(int(objects[at]), int(rows[at])) for at in range(low, high)]

    def _load(self, number: int) -> tuple[np.ndarray[Any, Any], ...]:
        table = read_parquet(self._store.read_bytes(_partition(self._spec.index, number)))
        return tuple(table.column(name).to_numpy() for name in ("head", "object", "row"))

    def _read(self, name: str) -> pa.Table | None:
        try:
            data = with_retries(_READ_RETRIES, lambda: self._store.read_bytes(name))
            table = read_parquet(data)
        except (JobError, InputFault, OSError, pa.ArrowException):
            return None
        # Annotations of another version's layout cannot be read back.
        return table if table.schema.equals(ANNOTATION_SCHEMA) else None


_opened: list[tuple[RecallSpec, Recall]] = []


def open_recall(spec: RecallSpec) -> Recall:
    """The index of a refresh. It is opened once per process, because it serves many units.

    Raises:
        JobError, InputFault: the index cannot be read.
    """
    if not _opened or _opened[0][0] != spec:
        _opened[:] = [(spec, Recall(spec))]
    return _opened[0][1]


class _Kept(Generic[Key, Value]):
    """A cache of the values used last, up to a total weight."""

    def __init__(self, limit: int, weigh: Callable[[Value], int]) -> None:
        self._limit, self._weigh = limit, weigh
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._weight = 0

    def get(self, key: Key, load: Callable[[Key], Value]) -> Value:
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = self._values[key] = load(key)
        self._weight += self._weigh(value)
        while self._weight > self._limit and len(self._values) > 1:
            _, oldest = self._values.popitem(last=False)
            self._weight -= self._weigh(oldest)
        return value


def _partition(folder: str, number: int) -> str:
    return f"{folder}/{number:05d}.parquet"


def _width(partitions: int) -> int:
    """Number of possible heads per partition."""
    return int(16**_HEAD) // partitions


def _parquet(frame: pl.DataFrame) -> bytes:
    return to_parquet(frame.to_arrow(), rows_per_group=_PARTITION_ROWS)
