"""A refreshed unit is parsed and fingerprinted once, and judged only where nothing is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from dlcot_ray.inputs import traces
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.judging import fingerprint as hashing
from dlcot_ray.outputs.facts import FactSpec
from dlcot_ray.outputs.recall import RecallSpec, write_index
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.spec import ReadUnit, WorkSpec
from tests.support.unit_steps import spec, tasks_of, write


def processed(read: ReadUnit, settings: WorkSpec) -> UnitOutput:
    processor = Processor(settings)
    try:
        made = asyncio.run(processor(read))
    finally:
        processor.close()
    assert isinstance(made, UnitOutput)
    return made


def read_one(source: Path, settings: WorkSpec) -> ReadUnit:
    (task,) = tasks_of(source, 4)
    (read,) = read_units(task, settings)
    return read


def test_a_known_unit_is_parsed_and_fingerprinted_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "in" / "a.parquet", 4, 100)
    first = replace(spec(tmp_path), facts=FactSpec("one"))
    read = read_one(tmp_path / "in", first)
    made = processed(read, first)
    assert made.facts is not None
    assert made.facts["judged"].to_pylist() == [True] * 4

    store = Store(str(tmp_path / "known"))
    store.put("annotations/a.parquet", to_parquet(made.annotations))
    marks = made.annotations["fingerprint"].to_pylist()
    known = pl.DataFrame({"fingerprint": marks, "object": [0] * 4, "row": [0, 1, 2, 3]})
    partitions = write_index(store, "index", ["annotations/a.parquet"], known)
    recall = RecallSpec(str(tmp_path / "known"), "index", partitions, "annotations")
    second = replace(first, facts=FactSpec("two"), recall=recall)

    parsed: list[int] = []
    hashed: list[str] = []
    parse, mark = traces._read, hashing.fingerprint

    def parse_and_count(table: pa.Table, columns: ColumnMap) -> Any:
        parsed.append(table.num_rows)
        return parse(table, columns)

    def hash_and_count(trace: Any, judge: str) -> str:
        hashed.append(judge)
        return mark(trace, judge)

    monkeypatch.setattr(traces, "_read", parse_and_count)
    monkeypatch.setattr(hashing, "fingerprint", hash_and_count)
    recalled = processed(read_one(tmp_path / "in", second), second)
    assert parsed == [4]
    assert len(hashed) == 4
    assert recalled.facts is not None
    assert recalled.facts["judged"].to_pylist() == [False] * 4
    assert recalled.annotations.equals(made.annotations)
    assert recalled.enhanced.equals(made.enhanced)


def test_an_index_that_cannot_be_read_leaves_the_unit_unfinished(tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.parquet", 4, 100)
    lost = RecallSpec(str(tmp_path / "nowhere"), "index", 1, "")
    settings = replace(spec(tmp_path), facts=FactSpec("two"), recall=lost, retries=0)
    processor = Processor(settings)
    try:
        made = asyncio.run(processor(read_one(tmp_path / "in", settings)))
    finally:
        processor.close()
    assert isinstance(made, str)
    assert made.startswith("the index of known annotations cannot be read")
