"""Work units cover all rows once, are bounded, and depend on nothing but their file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.plan.duplicate_ids import Duplicates, find_duplicates
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.plan.unit_ranges import cut_rows
from tests.support.plans import auto


def write(path: Path, ids: list[str | None], rows_per_group: int = 1_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count = len(ids)
    table = pa.table({"id": ids, "problem": ["?"] * count, "reasoning": ["so it is 2."] * count})
    pq.write_table(table, path, row_group_size=rows_per_group)


def planned(folder: Path, rows_per_unit: int = 4) -> Plan:
    return make_plan(
        assign_names(find_shards(str(folder)), {}),
        auto(),
        rows_per_unit=rows_per_unit,
        bytes_per_unit=1 << 20,
    )


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 40)), min_size=1, max_size=12),
    st.integers(1, 20),
    st.integers(1, 200),
)
@example([(0, 3), (2, 1)], 2, 2)
@example([(1, 4), (2, 1)], 3, 6)
def test_cuts_cover_every_row_once_within_bounds(
    groups: list[tuple[int, int]], rows_per_unit: int, bytes_per_unit: int
) -> None:
    rows = [count for count, _ in groups]
    sizes = [count * width for count, width in groups]
    widths = [width for count, width in groups for _ in range(count)]
    sweeps = cut_rows(rows, sizes, rows_per_unit, bytes_per_unit)
    covered = [row for sweep in sweeps for row in range(sweep.cuts[0], sweep.cuts[-1])]
    assert covered == list(range(sum(rows)))
    for sweep in sweeps:
        assert sweep.cuts[0] == sum(rows[: sweep.first_group])
        assert sweep.cuts[-1] == sum(rows[: sweep.stop_group])
        joined = sweep.stop_group - sweep.first_group > 1
        for start, stop in zip(sweep.cuts, sweep.cuts[1:], strict=False):
            assert 1 <= stop - start <= rows_per_unit
            # Cutting one group evenly may round a unit up by a row; joining groups has no such excuse.
            spare = 0 if joined else widths[start]
            assert stop - start == 1 or sum(widths[start:stop]) - spare <= bytes_per_unit


def test_small_row_groups_are_joined_and_a_large_one_is_cut(tmp_path: Path) -> None:
    write(tmp_path / "small.parquet", [f"s{i}" for i in range(10)], rows_per_group=2)
    write(tmp_path / "large.parquet", [f"l{i}" for i in range(10)])
    plan = planned(tmp_path)
    assert [unit.name for file in plan.files for unit in file.units()] == [
        "large.r000000000-000000003",
        "large.r000000003-000000006",
        "large.r000000006-000000010",
        "small.r000000000-000000004",
        "small.r000000004-000000008",
        "small.r000000008-000000010",
    ]
    assert (plan.rows, plan.unit_count) == (20, 6)
    large = plan.files[0]
    assert len(large.sweeps) == 1


def test_unusable_files_are_faults_and_the_others_are_planned(tmp_path: Path) -> None:
    write(tmp_path / "good.parquet", ["a"])
    write(tmp_path / "norows.parquet", [])
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "text.parquet").write_text("id,reasoning\n1,hello\n" * 50)
    whole = (tmp_path / "good.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-20])
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "columns.parquet")
    plan = planned(tmp_path)
    assert [file.shard.name for file in plan.files] == ["good"]
    named = {Path(fault.file).stem: fault.message for fault in plan.faults}
    assert named.keys() == {"empty", "text", "cut", "columns"}
    assert [(Path(item.file).stem, item.reason) for item in plan.skipped] == [("norows", "it has no rows")]
    assert "0 bytes" in named["empty"]
    assert all(fault.remedy for fault in plan.faults)


def test_names_and_order_do_not_change_with_new_inputs(tmp_path: Path) -> None:
    for name in ("b/x", "c/y"):
        write(tmp_path / f"{name}.parquet", [name])
    first = assign_names(find_shards(str(tmp_path)), {})
    write(tmp_path / "a/w.parquet", ["w"])
    recorded = {shard.file: shard.name for shard in first}
    second = assign_names(find_shards(str(tmp_path)), recorded)
    assert second[:2] == first
    assert second[2].name == "a/w"


def test_a_new_file_with_a_taken_name_gets_another(tmp_path: Path) -> None:
    write(tmp_path / "x.parquet", ["x"])
    shard = find_shards(str(tmp_path))[0]
    other = replace(shard, file="/elsewhere/x.parquet")
    one, two = assign_names([shard, other], {shard.file: "x"})
    assert one.name == "x"
    assert two.name != "x"
    assert two.name.startswith("x-")


@pytest.mark.parametrize("rows_per_pass", [1, 3, 1_000])
def test_any_number_of_passes_keeps_the_first_of_equal_ids(tmp_path: Path, rows_per_pass: int) -> None:
    write(tmp_path / "a.parquet", ["x", "y", "x", None, " "])
    write(tmp_path / "b.parquet", ["q", "y", "y", None, " ", "x"], rows_per_group=2)
    found = find_duplicates(planned(tmp_path).files, rows_per_pass=rows_per_pass)
    a = tmp_path / "a.parquet"
    assert found.within(0, 0, 5) == {2: f"{a}, row 0"}
    assert found.within(1, 0, 6) == {1: f"{a}, row 1", 2: f"{a}, row 1", 5: f"{a}, row 0"}
    assert found.within(1, 2, 4) == {2: f"{a}, row 1"}


def test_files_without_ids_have_no_duplicates(tmp_path: Path) -> None:
    for name in "ab":
        pq.write_table(pa.table({"problem": ["?"], "reasoning": ["same"]}), tmp_path / f"{name}.parquet")
    assert len(find_duplicates(planned(tmp_path).files).rows) == 0


def test_recorded_duplicates_are_valid_for_the_same_files_only(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", ["x", "y", "x"])
    plan = planned(tmp_path)
    found = find_duplicates(plan.files)
    recorded = found.to_bytes(plan)
    again = Duplicates.from_bytes(recorded, plan)
    assert again is not None
    assert again.within(0, 0, 3) == found.within(0, 0, 3) == {2: f"{tmp_path / 'a.parquet'}, row 0"}
    assert Duplicates.from_bytes(recorded[:-7], plan) is None
    assert Duplicates.from_bytes(None, plan) is None
    write(tmp_path / "b.parquet", ["y"])
    assert Duplicates.from_bytes(recorded, planned(tmp_path)) is None


def test_removing_a_file_does_not_change_the_others(tmp_path: Path) -> None:
    for name in "abc":
        write(tmp_path / f"{name}.parquet", [f"{name}{i}" for i in range(9)], rows_per_group=3)
    plan = planned(tmp_path)
    left = plan.without(1, InputFault("b.parquet", "gone"))
    assert [file.shard.name for file in left.files] == ["a", "c"]
    assert [file.sweeps for file in left.files] == [plan.files[0].sweeps, plan.files[2].sweeps]
    assert (left.rows, left.unit_count) == (18, plan.unit_count - 3)
    assert [fault.file for fault in left.faults] == ["b.parquet"]


def test_partitions_by_columns_of_the_output_are_renamed(tmp_path: Path) -> None:
    for name in ("lang=en/status=ok/a", "source_status=ok/a", "status/a", "source_lang=en/a"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / f"{name}.parquet").write_bytes(b"abc")
    shards = find_shards(str(tmp_path))
    assert [shard.name for shard in assign_names(shards, {}, {"status"})] == [
        "lang=en/source_status=ok/a",
        "source_lang=en/a",
        "source_source_status=ok/a",
        "status/a",
    ]
    recorded = {shard.file: shard.name for shard in shards}
    assert assign_names(shards, recorded, {"status"}) == shards
