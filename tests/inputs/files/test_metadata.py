"""The record of what input files hold: used as long as a file is the same, and never needed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.files.metadata import MetadataCache, read_file_metadata
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.plan.planning import make_plan
from tests.support.plans import metadata, shard


def test_metadata_is_found_again_until_the_file_changes() -> None:
    cache = MetadataCache()
    many = {f"f{number}": metadata([(number + 1, 10), (5, 7)]) for number in range(2_500)}
    for name, one in many.items():
        cache.put(shard(name), one)
    assert cache.changed
    again = MetadataCache(cache.to_bytes())
    assert not again.changed
    for name in ("f0", "f999", "f1000", "f2499"):
        assert cache.get(shard(name)) == again.get(shard(name)) == many[name]
    assert again.get(shard("f3", version="v2")) is None
    assert again.get(shard("unknown")) is None
    again.put(shard("f3", version="v2"), many["f4"])
    third = MetadataCache(again.to_bytes())
    assert third.get(shard("f3", version="v2")) == many["f4"]
    assert third.get(shard("f3")) is None
    assert third.get(shard("f5")) == many["f5"]


@pytest.mark.parametrize("recorded", [None, b"", b"nonsense", MetadataCache().to_bytes()[:-9]])
def test_a_lost_or_damaged_record_counts_as_none(recorded: bytes | None) -> None:
    assert MetadataCache(recorded).get(shard("f0")) is None


def test_a_recorded_plan_is_the_same_and_opens_no_file(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(3):
        table = pa.table({name: [str(i) for i in range(30)] for name in ("id", "problem", "reasoning")})
        pq.write_table(table, source / f"{number}.parquet", row_group_size=4 + number)
    shards, cache, preset = find_shards(str(source)), MetadataCache(), load_preset("auto")
    first = make_plan(shards, preset, rows_per_unit=6, bytes_per_unit=1 << 20, metadata=cache)
    assert len(first.files) == 3
    for path in source.iterdir():
        path.unlink()
    known = MetadataCache(cache.to_bytes())
    second = make_plan(shards, preset, rows_per_unit=6, bytes_per_unit=1 << 20, metadata=known)
    assert not known.changed
    assert first.cuts.tolist() == second.cuts.tolist()
    assert [file.sweeps for file in first.files] == [file.sweeps for file in second.files]
    assert first.columns == second.columns
    assert not second.faults


def test_a_damaged_file_is_an_input_fault(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(InputFault, match="not a readable Parquet file"):
        read_file_metadata(find_shards(str(tmp_path))[0])
