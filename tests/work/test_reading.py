"""Reading units back from files: exact rows, one sweep, and faults as values."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.work.reading import read_units
from tests.support.unit_steps import spec, tasks_of, write


@pytest.mark.parametrize(("rows_per_group", "rows_per_unit"), [(100, 7), (3, 10), (5, 5), (1, 1), (7, 3)])
def test_units_hold_exactly_their_rows(tmp_path: Path, rows_per_group: int, rows_per_unit: int) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 23, rows_per_group)
    seen: list[str] = []
    for task in tasks_of(source, rows_per_unit):
        for unit in read_units(task, spec(tmp_path)):
            assert unit.table is not None
            assert unit.table.num_rows == unit.task.stop - unit.task.start
            assert unit.table["id"][0].as_py() == f"t{unit.task.start}"
            seen += unit.table["id"].to_pylist()
    assert seen == [f"t{i}" for i in range(23)]


def test_units_that_are_done_are_left_out_of_the_sweep(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 20, 100)
    (task,) = tasks_of(source, 5)
    left = ReadTask(task.store_url, task.relative, 0, 1, 0, (task.units[1], task.units[3]))
    read = list(read_units(left, spec(tmp_path)))
    assert [unit.table["id"][0].as_py() for unit in read if unit.table is not None] == ["t5", "t15"]


def test_a_damaged_page_costs_its_row_group_only(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 9, 3)
    column = pq.ParquetFile(source / "a.parquet").metadata.row_group(1).column(2)
    content = bytearray((source / "a.parquet").read_bytes())
    start = column.data_page_offset
    content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    (source / "a.parquet").write_bytes(content)
    read = [unit for task in tasks_of(source, 3) for unit in read_units(task, spec(tmp_path))]
    assert [bool(unit.error) for unit in read] == [False, True, False]
    assert "cannot be read" in read[1].error


def test_a_vanished_file_is_an_error_of_each_unit(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 6, 100)
    (task,) = tasks_of(source, 3)
    (source / "a.parquet").unlink()
    assert [bool(unit.error) for unit in read_units(task, spec(tmp_path))] == [True, True]
