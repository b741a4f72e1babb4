"""Reads label files, and the traces that they refer to, from any store into cases.

Label sets are small, so each is read whole. A file in a directory of label sets that is no label set is left
out, and the evaluation reports it. Any other file that cannot be used stops the evaluation.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import Any

from dlcot_ray.config.paths import gold_dirs
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.evaluation.cases import Case
from dlcot_ray.evaluation.layouts import UnknownLayout, layout_of, read_rows
from dlcot_ray.evaluation.rows import Context, LabelError
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.files.shards import find_shards, open_shard
from dlcot_ray.inputs.items import traces_in
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, read_table
from dlcot_ray.inputs.readers.registry import open_source
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.urls import absolute

_JSON_LINES = ".jsonl"
GOLD = "gold"
"""The name of the label set that comes with dlcot."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """One label file: its name, its layout, a digest of its content (16 hex digits), and its cases."""

    name: str
    layout: str
    digest: str
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class _File:
    store: Store
    relative: str
    named: bool


def resolve_places(labels: Any, traces: Any) -> tuple[list[str], list[str]]:
    """Label files and traces as lists of absolute places; `GOLD` also adds the traces that it refers to."""
    places, trace_places = _listed(labels), _listed(traces)
    if GOLD in places:
        gold, gold_traces = gold_dirs()
        places = [str(gold) if place == GOLD else place for place in places]
        trace_places.append(str(gold_traces))
    return [absolute(place) for place in places], [absolute(place) for place in trace_places]


def _listed(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [] if value is None else [str(value)]


def read_sets(
    places: Sequence[str],
    traces: Mapping[str, Trace],
    options: Mapping[str, object],
    limit: int | None,
    setting: str = "set",
) -> tuple[list[LabelSet], list[str]]:
    """All label files of `places`, and one sentence for each file, or rows of a file, that were left out.

    Args:
        places: label files, and directories of them.
        traces: the traces that labels may refer to, by id.
        options: fsspec options.
        limit: at most this many rows of each file, drawn at random with a fixed seed.
        setting: the setting that names the places, for error messages.

    Raises:
        JobError: a place does not exist or holds no labels, or a file cannot be used.
    """
    context = Context(traces)
    sets: list[LabelSet] = []
    left_out: list[str] = []
    for place in places:
        for file in _files(place, options, setting):
            label = file.store.url(file.relative)
            data = file.store.read_bytes(file.relative)
            try:
                rows = _rows(data, file.relative)
                layout = layout_of(list(rows[0]) if rows else [])
                numbers: Sequence[int] = range(len(rows))
                if limit is not None and limit < len(rows):
                    # At random, because labels often alternate; with a fixed seed, so that runs compare.
                    numbers = sorted(Random(0).sample(numbers, limit))
                    rows = [rows[at] for at in numbers]
                cases, bad = read_rows(layout, rows, context, numbers=numbers)
            except UnknownLayout as error:
                if file.named:
                    raise JobError(
                        f"{label}: {error}", "docs/reference/label-files.md lists the layouts"
                    ) from error
                left_out.append(f"{label}: {error}")
                continue
            except LabelError as error:
                raise JobError(
                    f"{label}: {error}", "docs/reference/label-files.md lists the layouts"
                ) from error
            if bad:
                left_out.append(f"{label}: {len(bad)} of {len(rows)} rows, the first one: {bad[0]}")
            digest = sha256(data).hexdigest()[:16]
            name = file.relative.rpartition("/")[2].rpartition(".")[0]
            sets.append(LabelSet(name, layout.name, digest, tuple(cases)))
    if not sets:
        raise JobError(left_out[0] if left_out else f"no labels in {', '.join(places)}", f"check {setting}=")
    return sets, left_out


def pooled(sets: Sequence[LabelSet]) -> list[LabelSet]:
    """All sets of one layout as one set; their names are joined by ``+``."""
    groups: dict[str, list[LabelSet]] = {}
    for item in sets:
        groups.setdefault(item.layout, []).append(item)
    return [
        LabelSet(
            "+".join(item.name for item in group),
            layout,
            sha256("".join(item.digest for item in group).encode()).hexdigest()[:16],
            tuple(case for item in group for case in item.cases),
        )
        for layout, group in groups.items()
    ]


def read_traces(places: Sequence[str], dataset: str, options: Mapping[str, object]) -> dict[str, Trace]:
    """All traces of `places` by id, read as a job reads them. Rows that are no traces are left out.

    Raises:
        JobError: a place or a file cannot be read.
    """
    preset = load_preset(dataset)
    found: dict[str, Trace] = {}
    for shard in find_shards(list(places), options):
        try:
            with closing(open_shard(shard, options)) as reader:
                table = read_table(reader)
            columns = resolve_columns(preset, table.schema, shard.file)
        except READ_ERRORS as error:
            raise JobError(f"{error}", "check traces=") from error
        items = traces_of(table, columns, file=shard.file, first_row=0, shard_name=shard.name)
        for trace in traces_in(items):
            if trace is not None:
                found.setdefault(trace.trace_id, trace)
    return found


def read_verdicts(places: Sequence[str], options: Mapping[str, object]) -> dict[str, str]:
    """The verdicts of label files on outputs, by the id of the trace; rows without one are left out.

    Raises:
        JobError: a place or a file cannot be read.
    """
    found: dict[str, str] = {}
    for place in places:
        for file in _files(place, options, "set"):
            try:
                rows = _rows(file.store.read_bytes(file.relative), file.relative)
            except LabelError as error:
                raise JobError(f"{file.store.url(file.relative)}: {error}") from error
            found.update({str(row["id"]): str(row["verdict"]) for row in rows if row.get("verdict")})
    return found


def _files(place: str, options: Mapping[str, object], setting: str) -> Iterator[_File]:
    head, slash, tail = place.rstrip("/").rpartition("/")
    if tail.endswith(_suffixes()):
        parent = Store(head or slash or ".", options)
        if not parent.exists(tail):
            raise JobError(f"there is no label set {parent.url(tail)}", f"check {setting}=")
        yield _File(parent, tail, named=True)
        return
    store = Store(place, options)
    files = [info.relative for info in store.list() if info.relative.endswith(_suffixes())]
    if not files:
        looked_for = " and ".join(f"*{suffix}" for suffix in _suffixes())
        raise JobError(f"no label sets in {store.display_url}: looked for {looked_for}", f"check {setting}=")
    yield from (_File(store, relative, named=False) for relative in sorted(files))


def _rows(data: bytes, name: str) -> list[dict[str, Any]]:
    """Rows as plain objects.

    Raises:
        LabelError: the file is not of the format that its name says.
    """
    try:
        if name.endswith(_JSON_LINES):
            # Not through Arrow, which demands one type per column.
            return list(_lines(data.decode()))
        with closing(open_source(io.BytesIO(data), name, name)) as reader:
            rows: list[dict[str, Any]] = read_table(reader).to_pylist()
            return rows
    except (*READ_ERRORS, ValueError) as error:
        raise LabelError(f"it cannot be read ({reason_of(error)})") from error


def _lines(text: str) -> Iterator[dict[str, Any]]:
    """The objects of JSON lines; blank lines are skipped.

    Raises:
        LabelError: a line is no JSON object.
    """
    for number, line in enumerate(line for line in text.splitlines() if line.strip()):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise LabelError(f"row {number} is no JSON ({error}): write one object per line") from error
        if not isinstance(row, dict):
            raise LabelError(f"row {number} is no JSON object: write one object per line")
        yield row


def _suffixes() -> tuple[str, ...]:
    return ".parquet", _JSON_LINES
