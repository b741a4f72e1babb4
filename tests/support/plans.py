"""Plans of files that need not exist: from footers that are made up."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dlcot_ray.inputs.footers import Footer, Footers
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.shards import Shard
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import make_plan

SCHEMA = pa.schema([("id", pa.string()), ("problem", pa.string()), ("reasoning", pa.string())])


def shard(name: str, version: str = "v1") -> Shard:
    return Shard("s3://raw", f"{name}.parquet", name, 1_000, version, f"s3://raw/{name}.parquet")


def footer(groups: Sequence[tuple[int, int]]) -> Footer:
    """Of row groups given as (rows, bytes)."""
    rows, sizes = zip(*groups, strict=True)
    return Footer(SCHEMA.serialize().to_pybytes(), rows, sizes)


def plan_of(
    files: Sequence[Sequence[tuple[int, int]]], rows_per_unit: int = 4, bytes_per_unit: int = 1 << 20
) -> Plan:
    """A plan of files ``f0``, ``f1``, ... with these row groups."""
    footers = Footers()
    shards = [shard(f"f{number}") for number in range(len(files))]
    for one, groups in zip(shards, files, strict=True):
        footers.put(one, footer(groups))
    return make_plan(
        shards,
        load_preset("auto"),
        rows_per_unit=rows_per_unit,
        bytes_per_unit=bytes_per_unit,
        footers=footers,
    )
