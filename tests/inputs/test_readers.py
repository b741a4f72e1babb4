"""A file format is one class and one line in the registry: a made-up one goes through a whole unit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pytest

from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import BATCH_ROWS, FileMetadata
from dlcot_ray.inputs.readers.registry import READERS, stem_of, suffix_of
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.plan.duplicate_ids import find_duplicates
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.plan.sample import take_sample
from dlcot_ray.plan.tasks import OTHER_TEXT
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.writing import write_unit
from tests.support.unit_steps import spec, tasks_of

SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "problem", "reasoning")])


class TabReader:
    """Lines of `id<TAB>problem<TAB>reasoning`; an empty line ends a row group."""

    def __init__(self, source: BinaryIO, label: str, known: FileMetadata | None = None) -> None:
        paragraphs = source.read().decode().strip("\n").split("\n\n")
        self._groups = [[line.split("\t") for line in part.split("\n")] for part in paragraphs]

    def metadata(self) -> FileMetadata:
        return FileMetadata.of(SCHEMA, ((len(group), 10 * len(group)) for group in self._groups))

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        rows = [row for number in groups or range(len(self._groups)) for row in self._groups[number]]
        for start in range(0, len(rows), max_rows):
            part = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows[start : start + max_rows]]
            batch = pa.RecordBatch.from_pylist(part, SCHEMA)
            yield batch if columns is None else batch.select(list(columns))

    def close(self) -> None:
        pass


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(READERS, ".tab.txt", TabReader)
    folder = tmp_path / "in"
    folder.mkdir()
    lines = [f"t{row % 6}\tWhat is 40 + 2?\tRow {row}: 40 + 2 = 42. The answer is 42." for row in range(7)]
    (folder / "a.tab.txt").write_text("\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]) + "\n")
    (folder / "notes.txt").write_text("no input")
    return folder


def test_names_choose_the_reader(source: Path) -> None:
    assert (suffix_of("x/a.tab.txt"), suffix_of("a.parquet"), suffix_of("a.txt")) == (
        ".tab.txt",
        ".parquet",
        None,
    )
    assert [stem_of(name) for name in ("x/a.tab.txt", "a.b.parquet", "a.txt", "a")] == [
        "x/a",
        "a.b",
        "a",
        "a",
    ]


def test_a_registered_format_is_found_planned_sampled_and_read(source: Path, tmp_path: Path) -> None:
    (shard,) = find_shards(str(source))
    assert shard.name == "a"
    plan = make_plan([shard], load_preset("auto"), rows_per_unit=3, bytes_per_unit=1 << 20)
    assert (plan.rows, plan.unit_count, plan.faults) == (7, 3, ())
    assert find_duplicates(plan.files).within(0, 0, 7) == {6: OTHER_TEXT}
    assert take_sample(plan, 7).rows == 7
    read = [unit for task in tasks_of(source, 3) for unit in read_units(task, spec(tmp_path))]
    assert [unit.error for unit in read] == ["", "", ""]
    ids = [unit.table["id"].to_pylist() for unit in read if unit.table is not None]
    assert ids == [["t0", "t1"], ["t2", "t3"], ["t4", "t5", "t0"]]


def test_a_unit_of_a_registered_format_is_judged_and_written(source: Path, tmp_path: Path) -> None:
    settings = spec(tmp_path)
    output = settings.open_output()
    processor = Processor(settings)
    try:
        for task in tasks_of(source, 3):
            for read in read_units(task, settings):
                made = asyncio.run(processor(read))
                assert isinstance(made, UnitOutput)
                assert not write_unit(read.task, made, output, settings).error
    finally:
        processor.close()
    assert len(output.done()) == 3
