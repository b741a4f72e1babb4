"""Reads a finished output row by row: the light columns of a unit, and single traces with their annotations.

It reads row groups and columns, never whole folders, so that a large remote output can be looked at. The
annotations of a derived output lie in the output that it was derived from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.layouts.deciding import recorded_preset
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.inputs.readers.registry import open_reader
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import ANNOTATIONS, ENHANCED, Output
from dlcot_ray.outputs.schemas import ENHANCED_FIELDS, annotations_from_table
from dlcot_ray.plan.names import parse_unit_name
from dlcot_ray.storage.store import Store

_OURS = [field.name for field in ENHANCED_FIELDS]
_SHOWN = (
    "trace_id",
    "input_row",
    "input_part",
    "enhanced_reasoning",
    "edits",
    "tokens_before",
    "tokens_after",
    "policy",
    "status",
    "status_reason",
    "gates",
    "judge",
    "fingerprint",
)
"""Our columns that a trace is shown with."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is stored: the unit's name, and the row of its `enhanced/` object, from 0."""

    unit: str
    row: int


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """One row of `enhanced/`.

    Attributes:
        place: where it is stored.
        trace: the source that its columns hold.
        row: our columns of the row.
        extra: the carried columns that are plain values, as text.
        annotation: what the judge found; None where there is none.
    """

    place: Place
    trace: Trace
    row: Mapping[str, Any]
    extra: Mapping[str, str]
    annotation: Annotation | None


class StoredOutput:
    """Reads the rows of one output.

    Args:
        output: the output.
        annotations: the output that holds its annotations, where that is another one.

    Raises:
        JobError: there is no job in the output, or its record is damaged.
    """

    def __init__(self, output: Output, annotations: Output | None = None) -> None:
        record = output.record()
        if record is None:
            raise JobError(
                f"there is no job in {output.display_url}", "give an output of dlcot enhance or dlcot derive"
            )
        self.output = output
        self.record: JobRecord = record
        self._annotations = annotations or _annotations_of(output, record)

    @cached_property
    def preset(self) -> DatasetPreset:
        """How its columns become traces."""
        record = self.record
        dataset = record.config["dataset"] if "dataset" in record.config else record.settings["dataset"]
        return recorded_preset(load_preset(dataset, Choices.of(record.settings)), record.layouts)

    def units(self) -> list[str]:
        """The names of its complete units, sorted."""
        return sorted(self.unit_names())

    def unit_names(self, folder: str = ENHANCED) -> Iterator[str]:
        """The names of the units that have an object in a folder, as the LIST has them."""
        for name, _ in self.output.units(self.output.objects(folder)):
            if parse_unit_name(name) is not None:
                yield name

    def column_names(self, unit: str) -> list[str]:
        """The names of all columns of a unit.

        Raises:
            InputFault: the object cannot be read.
        """
        relative = f"{ENHANCED}/{unit}.parquet"
        with self._faults(relative), closing(self._open(relative)) as reader:
            return list(reader.metadata().arrow_schema.names)

    def columns(self, unit: str, wanted: Iterable[str], folder: str = ENHANCED) -> pa.Table:
        """Some columns of a unit, as far as it has them; all rows.

        Raises:
            InputFault: the object cannot be read.
        """
        relative = f"{folder}/{unit}.parquet"
        with self._faults(relative), closing(self._open(relative)) as reader:
            schema = reader.metadata().arrow_schema
            names = [name for name in wanted if name in schema.names]
            batches = list(reader.batches(columns=names))
            kept = pa.schema([schema.field(name) for name in names])
            return pa.Table.from_batches(batches, kept.remove_metadata()) if batches else kept.empty_table()

    def annotation_columns(self, unit: str, wanted: Iterable[str]) -> pa.Table | None:
        """Some columns of a unit's annotations; None where they cannot be read."""
        held = self._annotations
        if held is None:
            return None
        other = self if held is self.output else StoredOutput(held, held)
        try:
            return other.columns(unit, wanted, ANNOTATIONS)
        except (InputFault, JobError):
            return None

    def load(self, unit: str, rows: Sequence[int]) -> list[StoredTrace]:
        """Some rows of a unit with their sources and annotations, in the order of `rows`.

        Raises:
            InputFault: the object cannot be read, or a row's source is no trace.
        """
        relative = f"{ENHANCED}/{unit}.parquet"
        with self._faults(relative), closing(self._open(relative)) as reader:
            starts = [0]
            for count in reader.metadata().group_rows:
                starts.append(starts[-1] + count)
            if any(not 0 <= row < starts[-1] for row in rows):
                raise InputFault(self._label(relative), f"it has {starts[-1]} rows and no row {max(rows)}")
            tables: dict[int, pa.Table] = {}
            for row in sorted(set(rows)):
                group = next(i for i in range(len(starts) - 1) if starts[i + 1] > row)
                if starts[group] not in tables:
                    batches = list(reader.batches(range(group, group + 1)))
                    tables[starts[group]] = pa.Table.from_batches(batches).replace_schema_metadata(None)
        found = []
        for row in rows:
            start = max(start for start in tables if start <= row)
            found.append((row, tables[start].slice(row - start, 1)))
        known = self._annotations_by_mark(unit, [cut for _, cut in found])
        return [self._stored(unit, row, cut, known) for row, cut in found]

    def sources(self, unit: str) -> Iterator[Trace]:
        """The sources of all rows of a unit, under the ids that the output gives them.

        Raises:
            InputFault: the object cannot be read.
        """
        relative = f"{ENHANCED}/{unit}.parquet"
        label = self._label(relative)
        with self._faults(relative), closing(self._open(relative)) as reader:
            table = pa.Table.from_batches(list(reader.batches()), reader.metadata().arrow_schema)
            source = carried_table(table.replace_schema_metadata(None), ENHANCED_FIELDS)
            parts = table.select(["trace_id", "input_part"]).to_pylist()
        columns = resolve_columns(self.preset, source.schema, label)
        for item in traces_of(source, columns, file=label, first_row=0, shard_name=""):
            ours = parts[item.slot.row]
            if item.slot.part == ours["input_part"] and isinstance(item.found, Trace):
                yield replace(item.found, trace_id=ours["trace_id"])

    def _stored(self, unit: str, row: int, cut: pa.Table, known: Mapping[str, Annotation]) -> StoredTrace:
        label = self._label(f"{ENHANCED}/{unit}.parquet")
        # An output of an earlier version may lack a column that is not shown.
        ours = cut.select([name for name in _OURS if name in cut.column_names]).to_pylist()[0]
        if lacking := [name for name in _SHOWN if name not in ours]:
            raise InputFault(label, f"it has no column {lacking[0]}", "run the job again")
        source = carried_table(cut, ENHANCED_FIELDS)
        columns = resolve_columns(self.preset, source.schema, label)
        items = traces_of(source, columns, file=label, first_row=0, shard_name="")
        found = next((item.found for item in items if item.slot.part == ours["input_part"]), None)
        if not isinstance(found, Trace):
            raise InputFault(label, f"row {row}: {getattr(found, 'message', 'its source has no such trace')}")
        # Of rows without an id column the output alone knows the ids, which hold the input file and row.
        found = replace(found, trace_id=ours["trace_id"])
        annotation = known.get(ours["fingerprint"]) if ours["fingerprint"] else None
        return StoredTrace(Place(unit, row), found, ours, _plain_values(source), annotation)

    def _annotations_by_mark(self, unit: str, cuts: Sequence[pa.Table]) -> dict[str, Annotation]:
        marks = {cut["fingerprint"][0].as_py() for cut in cuts} - {""}
        if self._annotations is None or not marks:
            return {}
        relative = f"{ANNOTATIONS}/{unit}.parquet"
        store = self._annotations.store
        try:
            with closing(open_reader(store, relative, store.url(relative))) as reader:
                table = pa.Table.from_batches(list(reader.batches()))
            kept = table.filter(pc.is_in(table["fingerprint"], pa.array(sorted(marks))))
            return {item.fingerprint: item for item in annotations_from_table(kept)}
        except (pa.ArrowException, OSError, InputFault, JobError, KeyError):
            return {}

    def _open(self, relative: str) -> Any:
        return open_reader(self.output.store, relative, self._label(relative))

    def _label(self, relative: str) -> str:
        return self.output.store.url(relative)

    def _faults(self, relative: str) -> _Faults:
        return _Faults(self._label(relative))


@dataclass(frozen=True, slots=True)
class _Faults:
    """Turns errors of reading one object into an InputFault that names it."""

    label: str

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, pa.ArrowException | OSError | KeyError):
            raise InputFault(self.label, f"it cannot be read ({reason_of(error)})") from error


def _annotations_of(output: Output, record: JobRecord) -> Output | None:
    """The output whose `annotations/` belong to a job; None where it cannot be opened."""
    place = record.config.get("annotations")
    if record.command != "derive" or not place:
        return output
    storage = record.config.get("storage", {})
    options = storage.get("annotations")
    try:
        return Output(Store(place, storage.get("input", {}) if options is None else options))
    except JobError:
        return None


_MOST_EXTRA = 24
_LONGEST_EXTRA = 200


def _plain_values(source: pa.Table) -> dict[str, str]:
    """The short carried values of a row, for its head: numbers, words, no texts and no lists."""
    found: dict[str, str] = {}
    for name in source.column_names:
        kind = source.schema.field(name).type
        if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            continue
        try:
            value = source[name][0].as_py()
        except (ValueError, OverflowError):
            # No UTF-8, or a time beyond Python's.
            continue
        text = "" if value is None else str(value)
        if text and len(text) <= _LONGEST_EXTRA and len(found) < _MOST_EXTRA:
            found[name] = text
    return found
