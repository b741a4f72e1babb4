"""The output contract: complete means listed in enhanced/, and one output belongs to one job."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import InputRecord, JobRecord, check_inputs
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.storage.store import Store
from tests.support.records import write_record

UNIT = "math/train.r000000000-000000002"
TABLE = pa.table({"n": [1, 2]})
EMPTY = TABLE.slice(0, 0)
STATS = UnitStats(rows=3, enhanced=1, unchanged=1, rejected=1, by_cause=(("empty_reasoning", 1),))
JOB = JobRecord(
    "enhance",
    {"policy": "keep_first", "rows_per_unit": 2},
    {},
    (InputRecord("/in/math/train.parquet", "math/train", 3, 10, "v1"),),
)
SHARD = Shard("/in", "math/train.parquet", "math/train", 10, "v1", "/in/math/train.parquet")


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(Store(str(tmp_path / "out")))


def files(output: Output) -> set[str]:
    return {info.relative for info in output.store.list()}


def test_a_unit_is_three_objects_and_carries_its_counts(output: Output) -> None:
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE.slice(0, 1), STATS))
    assert files(output) == {f"{folder}/{UNIT}.parquet" for folder in ("annotations", "rejected", "enhanced")}
    assert output.done() == {UNIT}
    assert output.stats(UNIT) == STATS


def test_empty_objects_and_foreign_annotations_are_not_written(output: Output) -> None:
    output.put_unit(UNIT, UnitOutput(TABLE, EMPTY, EMPTY, STATS), store_annotations=False)
    assert files(output) == {f"enhanced/{UNIT}.parquet"}
    assert output.done() == {UNIT}


def test_a_unit_without_its_last_object_is_not_complete(output: Output) -> None:
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE, STATS))
    output.store.delete(f"enhanced/{UNIT}.parquet")
    assert output.done() == set()


def test_equal_content_gives_equal_bytes(output: Output) -> None:
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE, STATS))
    before = {name: output.store.read_bytes(name) for name in files(output)}
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE, STATS))
    assert before == {name: output.store.read_bytes(name) for name in files(output)}


def test_a_unit_names_the_job_that_wrote_it(output: Output) -> None:
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE, STATS), job=JOB.fingerprint)
    assert output.footer(UNIT) == (STATS, JOB.fingerprint)
    output.put_unit(UNIT, UnitOutput(TABLE, TABLE, TABLE, STATS))
    assert output.footer(UNIT) == (STATS, "")


def test_the_error_of_a_damaged_unit_has_a_remedy(output: Output) -> None:
    output.store.put(f"enhanced/{UNIT}.parquet", b"something else")
    with pytest.raises(JobError, match="delete that object"):
        output.stats(UNIT)


def test_the_record_round_trips(output: Output) -> None:
    write_record(output, JOB)
    assert output.record() == JOB


@pytest.mark.parametrize(
    ("content", "says"), [(b"{", "damaged"), (b"[]", "damaged"), (b'{"format": 99}', "format 99")]
)
def test_a_damaged_record_is_an_error(output: Output, content: bytes, says: str) -> None:
    output.store.put("_job.json", content)
    with pytest.raises(JobError, match=says):
        output.record()


def test_changed_inputs_are_refused() -> None:
    new = replace(SHARD, file="/in/new.parquet", name="new")
    check_inputs(JOB, [new, SHARD], "out")
    with pytest.raises(JobError, match=r"/in/math/train\.parquet has changed"):
        check_inputs(JOB, [replace(SHARD, version="v2")], "out")
    with pytest.raises(JobError, match=r"/in/math/train\.parquet is no longer among the inputs"):
        check_inputs(JOB, [new], "out")


def test_new_inputs_are_appended_after_the_known_ones() -> None:
    new = InputRecord("/in/a.parquet", "a", 1, 1, "v")
    grown = JOB.with_inputs([new, *JOB.inputs])
    assert grown.inputs == (*JOB.inputs, new)
    assert grown.fingerprint == JOB.fingerprint
    assert json.loads(grown.to_json())["fingerprint"] == JOB.fingerprint
