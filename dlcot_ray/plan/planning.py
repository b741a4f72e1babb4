"""Makes a plan: names the input files, and cuts each into sweeps and units by its metadata alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.footers import Footer, Footers, read_footer
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.shards import Shard
from dlcot_ray.inputs.traces import ColumnMap, resolve_columns
from dlcot_ray.plan.plan import Plan, PlanBuilder
from dlcot_ray.plan.unit_ranges import cut_rows
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.tables import schema_from_bytes


def assign_names(shards: Sequence[Shard], recorded: Mapping[str, str]) -> list[Shard]:
    """Order and name the shards so that neither changes when inputs are added later.

    Args:
        shards: as found now.
        recorded: label -> name of the files that an earlier run planned, in its order; they come first
            and keep their names. A new file whose name is taken gets a short hash of its label.
    """
    by_label = {shard.file: shard for shard in shards}
    ordered = [replace(by_label[label], name=name) for label, name in recorded.items() if label in by_label]
    taken = set(recorded.values())
    for shard in shards:
        if shard.file in recorded:
            continue
        name = shard.name
        if name in taken:
            name = f"{name}-{sha256(shard.file.encode()).hexdigest()[:8]}"
        taken.add(name)
        ordered.append(replace(shard, name=name))
    return ordered


def make_plan(
    shards: Iterable[Shard],
    preset: DatasetPreset,
    *,
    rows_per_unit: int,
    bytes_per_unit: int,
    options: Mapping[str, object] | None = None,
    footers: Footers | None = None,
) -> Plan:
    """Plan the shards, in the order given, from their footers alone.

    A file that is empty, corrupt, not Parquet, without rows, or without the columns that the preset
    needs becomes a fault; the others are planned.

    Args:
        footers: those that are known already; the others are read, and recorded there.
    """
    known = footers if footers is not None else Footers()
    maps: dict[bytes, ColumnMap] = {}
    builder = PlanBuilder()
    faults: list[InputFault] = []

    def attempt(item: tuple[Shard, Footer | None]) -> tuple[Shard, Footer | InputFault, bool]:
        shard, footer = item
        if footer is not None:
            return shard, footer, False
        try:
            return shard, read_footer(shard, options), True
        except InputFault as fault:
            return shard, fault, True

    for shard, found, fresh in map_in_order(attempt, ((shard, known.get(shard)) for shard in shards)):
        try:
            if isinstance(found, InputFault):
                raise found
            columns = maps.get(found.schema)
            if columns is None:
                schema = schema_from_bytes(found.schema)
                columns = maps[found.schema] = resolve_columns(preset, schema, shard.file)
        except InputFault as fault:
            faults.append(fault)
            continue
        builder.add(
            shard, columns, cut_rows(found.group_rows, found.group_bytes, rows_per_unit, bytes_per_unit)
        )
        if fresh:
            known.put(shard, found)
    return builder.plan(tuple(faults))
