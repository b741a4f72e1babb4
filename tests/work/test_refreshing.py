"""A refreshed unit is parsed once by the processor, and its fingerprints come from reading."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from dlcot_ray.inputs import traces
from dlcot_ray.judging import fingerprint as hashing
from dlcot_ray.outputs.facts import FactSpec
from dlcot_ray.outputs.recall import RecallSpec, write_index
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet
from dlcot_ray.work import refreshing, unit_input
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
    assert read.fingerprints is None
    made = processed(read, first)
    assert made.facts is not None
    assert made.facts["judged"].to_pylist() == [True] * 4

    store = Store(str(tmp_path / "known"))
    store.put("annotations/a.parquet", to_parquet(made.annotations))
    marks = made.annotations["fingerprint"].to_pylist()
    known = pl.DataFrame({"fingerprint": marks, "object": [0] * 4, "row": [0, 1, 2, 3]})
    partitions = write_index(store, "index", ["annotations/a.parquet"], known)
    identity = made.annotations["judge"].to_pylist()[0]
    recall = RecallSpec(str(tmp_path / "known"), "index", partitions, "annotations", identity)
    second = replace(first, facts=FactSpec("two"), recall=recall)
    again = read_one(tmp_path / "in", second)
    assert again.fingerprints is not None
    assert again.fingerprints["fingerprint"].to_pylist() == marks

    parsed: list[int] = []
    hashed: list[str] = []
    parse, mark = traces.traces_of, hashing.fingerprint

    def parse_and_count(*args: Any, **options: Any) -> Any:
        parsed.append(1)
        return parse(*args, **options)

    def hash_and_count(trace: Any, judge: str) -> str:
        hashed.append(judge)
        return mark(trace, judge)

    monkeypatch.setattr(unit_input, "traces_of", parse_and_count)
    monkeypatch.setattr(hashing, "fingerprint", hash_and_count)
    monkeypatch.setattr(refreshing, "fingerprints_of", None)
    recalled = processed(again, second)
    assert parsed == [1]
    assert hashed == []
    assert recalled.facts is not None
    assert recalled.facts["judged"].to_pylist() == [False] * 4
    assert recalled.annotations.equals(made.annotations)
    assert recalled.enhanced.equals(made.enhanced)
