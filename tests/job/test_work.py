"""Reading units back from files: exact rows, one sweep, and faults as values."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.job.config import load_judge
from dlcot_ray.job.datasets import load_preset
from dlcot_ray.job.faults import JobError
from dlcot_ray.job.plan import assign_names, make_plan
from dlcot_ray.job.process import UnitOutput
from dlcot_ray.job.storage import find_shards
from dlcot_ray.job.work import (
    Processor,
    ReadTask,
    UnitTask,
    WorkSpec,
    make_judge,
    read_units,
    token_counter,
    write_unit,
)


def spec(folder: Path, **changes: object) -> WorkSpec:
    given: dict[str, object] = {
        "preset": load_preset("auto"),
        "policy": "keep_first",
        "policy_options": {},
        "judge": load_judge("rules", {}),
        "tokenizer": None,
        "max_trace_chars": 10_000,
        "in_flight": 1,
        "retries": 0,
        "output": str(folder / "out"),
    }
    return WorkSpec(**{**given, **changes})  # type: ignore[arg-type]


def tasks_of(source: Path, rows_per_unit: int) -> list[ReadTask]:
    plan = make_plan(
        assign_names(find_shards(str(source)), {}),
        load_preset("auto"),
        rows_per_unit=rows_per_unit,
        bytes_per_unit=1 << 26,
    )
    return [
        ReadTask(
            file.shard.store_url,
            file.shard.relative,
            segment.first_group,
            segment.stop_group,
            segment.cuts[0],
            tuple(
                UnitTask(unit.name, file.shard.label, file.shard.name, unit.start, unit.stop)
                for unit in file.units_of(segment)
            ),
        )
        for file in plan.files
        for segment in file.segments
    ]


def write(path: Path, count: int, rows_per_group: int) -> None:
    path.parent.mkdir(exist_ok=True)
    table = pa.table(
        {
            "id": [f"t{i}" for i in range(count)],
            "problem": ["What is 40 + 2?"] * count,
            "reasoning": [f"Row {i}: 40 + 2 = 42. The answer is 42." for i in range(count)],
            "ground_truth": ["42"] * count,
        }
    )
    pq.write_table(table, path, row_group_size=rows_per_group, compression="snappy", use_dictionary=False)


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


def test_a_unit_is_judged_and_written(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 4, 100)
    (task,) = tasks_of(source, 4)
    settings = spec(tmp_path)
    (read,) = read_units(task, settings)
    processor = Processor(settings)
    try:
        made = asyncio.run(processor(read))
    finally:
        processor.close()
    assert isinstance(made, UnitOutput)
    output = settings.open_output()
    result = write_unit(read.task, made, output, settings)
    assert not result.error
    assert result.stats.rows == 4
    assert output.done() == {read.task.name}


def test_a_unit_that_cannot_be_written_comes_back_with_an_error(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 1, 1)
    (tmp_path / "out").write_text("in the way")
    settings = spec(tmp_path)
    (read,) = read_units(tasks_of(source, 1)[0], settings)
    processor = Processor(settings)
    made = asyncio.run(processor(read))
    processor.close()
    result = write_unit(read.task, made, settings.open_output(), settings)
    assert "cannot be written" in result.error


def test_what_cannot_be_set_up_is_said_in_one_line() -> None:
    with pytest.raises(JobError, match="refuses its options"):
        make_judge(load_judge("rules", {"speed": "high"}))
    with pytest.raises(JobError, match="leave tokenizer unset"):
        token_counter("/no/such/tokenizer")
    assert token_counter(None)("one two three") > 0
