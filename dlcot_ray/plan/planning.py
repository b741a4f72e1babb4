"""Makes a plan: names the input files, and cuts each into sweeps and units by its metadata alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.columns import ColumnMap, resolve_columns
from dlcot_ray.inputs.files.listing import NO_ROWS, Skipped
from dlcot_ray.inputs.files.metadata import MetadataCache, read_file_metadata
from dlcot_ray.inputs.files.shards import Found, Shard
from dlcot_ray.inputs.layouts.deciding import LayoutDecider
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.readers.protocol import FileMetadata
from dlcot_ray.plan.plan import Plan, PlanBuilder
from dlcot_ray.plan.unit_ranges import cut_rows
from dlcot_ray.storage.parallel import map_in_order


def assign_names(
    shards: Sequence[Shard], recorded: Mapping[str, str], columns: Collection[str] = ()
) -> list[Shard]:
    """Order and name the shards so that neither changes when inputs are added later.

    Args:
        shards: as found now.
        recorded: label -> name of the files that an earlier run planned, in its order; they come first
            and keep their names. A new file whose name is taken gets a short hash of its label.
        columns: of the output. A folder ``column=value`` would give readers of the output a second column of
            that name, so its outputs lie in ``source_column=value``.
    """
    by_label = {shard.file: shard for shard in shards}
    ordered = [replace(by_label[label], name=name) for label, name in recorded.items() if label in by_label]
    taken = set(recorded.values())
    for shard in shards:
        if shard.file in recorded:
            continue
        name = _with_own_partitions(shard.name, columns)
        if name in taken:
            name = f"{name}-{sha256(shard.file.encode()).hexdigest()[:8]}"
        taken.add(name)
        ordered.append(replace(shard, name=name))
    return ordered


def _with_own_partitions(name: str, columns: Collection[str]) -> str:
    *folders, file = name.split("/")
    return "/".join([*(f"source_{part}" if _is_own(part, columns) else part for part in folders), file])


def _is_own(folder: str, columns: Collection[str]) -> bool:
    """Whether a folder is a partition by a column of the output, or by one that an output has renamed."""
    key, equals, _ = folder.partition("=")
    while key.startswith("source_") and key not in columns:
        key = key.removeprefix("source_")
    return bool(equals) and key in columns


def make_plan(
    shards: Iterable[Shard],
    preset: DatasetPreset,
    *,
    rows_per_unit: int,
    bytes_per_unit: int,
    options: Mapping[str, object] | None = None,
    metadata: MetadataCache | None = None,
    decider: LayoutDecider | None = None,
    beside: Found | None = None,
) -> Plan:
    """Plan the shards, in the order given, without reading their rows (a decider reads some).

    A file that is damaged or lacks the columns that the preset needs becomes a fault. A file without rows is
    skipped. The other files are planned.

    Args:
        shards: the input files, named by `assign_names`.
        preset: which columns make a trace.
        rows_per_unit: the most rows of a unit.
        bytes_per_unit: the most bytes of a unit, estimated from the mean row of its row group.
        options: fsspec options of the inputs.
        metadata: known metadata of files. That of other files is read, and added to it.
        decider: decides on samples how each set of columns is read; None goes by the preset's names alone.
        beside: what was found with the shards: its faults, skipped files and commits become
            those of the plan.
    """
    known = metadata if metadata is not None else MetadataCache()
    maps: dict[bytes, ColumnMap] = {}
    builder = PlanBuilder()
    faults = list(beside.faults) if beside is not None else []
    skipped = list(beside.skipped) if beside is not None else []

    def ask(item: tuple[Shard, FileMetadata | None]) -> tuple[Shard, FileMetadata | InputFault, bool]:
        shard, recorded = item
        if recorded is not None:
            return shard, recorded, False
        try:
            return shard, read_file_metadata(shard, options), True
        except InputFault as fault:
            return shard, fault, True

    for shard, found, is_new in map_in_order(ask, ((shard, known.get(shard)) for shard in shards)):
        try:
            if isinstance(found, InputFault):
                raise found
            if not found.rows:
                skipped.append(Skipped(shard.file, NO_ROWS))
                continue
            columns = maps.get(found.schema)
            if columns is None:
                schema = found.arrow_schema
                settled = preset if decider is None else decider.decide(shard, found)
                columns = resolve_columns(settled, schema, shard.file)
                maps[found.schema] = columns
        except InputFault as fault:
            faults.append(fault)
            continue
        sweeps = cut_rows(found.group_rows, found.group_bytes, rows_per_unit, bytes_per_unit)
        builder.add(shard, columns, sweeps, found)
        if is_new:
            known.put(shard, found)
    plan = builder.plan(tuple(faults), tuple(skipped))
    return replace(plan, commits=beside.commits) if beside is not None else plan
