"""A unit through all its steps, and what becomes of one that cannot be written."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.writing import write_unit
from tests.support.unit_steps import spec, tasks_of, write


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
