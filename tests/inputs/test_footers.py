"""Recorded footers: used as long as the file is what it was, and never needed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.footers import Footers, read_footer
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.shards import find_shards
from dlcot_ray.plan.planning import make_plan
from tests.support.plans import footer, shard


def test_footers_come_back_until_the_file_changes() -> None:
    footers = Footers()
    many = {f"f{number}": footer([(number + 1, 10), (5, 7)]) for number in range(2_500)}
    for name, one in many.items():
        footers.put(shard(name), one)
    assert footers.changed
    again = Footers(footers.to_bytes())
    assert not again.changed
    for name in ("f0", "f999", "f1000", "f2499"):
        assert footers.get(shard(name)) == again.get(shard(name)) == many[name]
    assert again.get(shard("f3", version="v2")) is None
    assert again.get(shard("unknown")) is None
    again.put(shard("f3", version="v2"), many["f4"])
    third = Footers(again.to_bytes())
    assert third.get(shard("f3", version="v2")) == many["f4"]
    assert third.get(shard("f3")) is None
    assert third.get(shard("f5")) == many["f5"]


@pytest.mark.parametrize("recorded", [None, b"", b"nonsense", Footers().to_bytes()[:-9]])
def test_a_lost_or_damaged_record_is_none(recorded: bytes | None) -> None:
    assert Footers(recorded).get(shard("f0")) is None


def test_a_recorded_plan_is_the_same_and_opens_no_file(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(3):
        table = pa.table({name: [str(i) for i in range(30)] for name in ("id", "problem", "reasoning")})
        pq.write_table(table, source / f"{number}.parquet", row_group_size=4 + number)
    shards, footers, preset = find_shards(str(source)), Footers(), load_preset("auto")
    first = make_plan(shards, preset, rows_per_unit=6, bytes_per_unit=1 << 20, footers=footers)
    assert len(first.files) == 3
    for path in source.iterdir():
        path.unlink()
    known = Footers(footers.to_bytes())
    second = make_plan(shards, preset, rows_per_unit=6, bytes_per_unit=1 << 20, footers=known)
    assert not known.changed
    assert first.cuts.tolist() == second.cuts.tolist()
    assert [file.sweeps for file in first.files] == [file.sweeps for file in second.files]
    assert first.columns == second.columns
    assert not second.faults


def test_what_a_footer_cannot_be_read_from_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1 nonsense PAR1")
    with pytest.raises(InputFault, match="not a readable Parquet file"):
        read_footer(find_shards(str(tmp_path))[0])
