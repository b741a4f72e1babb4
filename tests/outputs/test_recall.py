"""The index of known annotations, and units that are judged only where nothing is known."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.recalling import RecallingJudge
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs import recall
from dlcot_ray.outputs.recall import Recall, RecallSpec, write_index
from dlcot_ray.outputs.schemas import annotations_from_table, annotations_to_table
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet

JUDGE = RulesJudge()


def trace(number: int) -> Trace:
    return Trace(f"t{number}", f"What is {number} + 1?", f"So it is {number + 1}.", str(number + 1))


def mark(number: int) -> str:
    return fingerprint(trace(number), JUDGE.identity)


def remembered(store: Store, units: dict[str, range]) -> RecallSpec:
    """Annotations of the traces of each unit in the store, and their index."""
    frames = []
    names = [f"old/annotations/{name}.parquet" for name in units]
    for place, (name, numbers) in enumerate(zip(names, units.values(), strict=True)):
        table = annotations_to_table([JUDGE.annotate(trace(number)) for number in numbers])
        store.put(name, to_parquet(table))
        marks = table.column("fingerprint").to_pylist()
        frames.append(pl.DataFrame({"fingerprint": marks, "object": place, "row": range(len(marks))}))
    partitions = write_index(store, "new/_recall/1", names, pl.concat(frames))
    return RecallSpec(store.given_url, "new/_recall/1", partitions, "old/annotations")


def found(spec: RecallSpec, unit: str, numbers: range) -> list[Annotation]:
    table = Recall(spec).annotations(unit, [mark(number) for number in numbers])
    return sorted(annotations_from_table(table), key=lambda item: int(item.trace_id[1:]))


@pytest.mark.parametrize("rows_per_partition", [1 << 16, 3])
def test_annotations_are_found_in_any_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows_per_partition: int
) -> None:
    monkeypatch.setattr(recall, "_PARTITION_ROWS", rows_per_partition)
    spec = remembered(Store(str(tmp_path)), {"a": range(10), "b": range(10, 25), "c": range(25, 40)})
    assert spec.partitions == (1 if rows_per_partition > 40 else 16)
    for unit in ("a", "c", "never-seen"):
        numbers = range(5, 33)
        assert found(spec, unit, numbers) == [JUDGE.annotate(trace(number)) for number in numbers]
    assert found(spec, "a", range(38, 45)) == [JUDGE.annotate(trace(number)) for number in (38, 39)]
    assert found(spec, "a", range(40, 45)) == []


def test_different_fingerprints_with_equal_heads_are_distinguished(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    head = "0123456789abcde"
    marks = [f"{head}{'0' * 17}", f"{head}{'1' * 17}", f"{'f' * 32}"]
    table = annotations_to_table(
        [replace(JUDGE.annotate(trace(n)), fingerprint=m) for n, m in enumerate(marks)]
    )
    store.put("x.parquet", to_parquet(table))
    known = pl.DataFrame({"fingerprint": marks, "object": 0, "row": [0, 1, 2]})
    partitions = write_index(store, "i", ["x.parquet"], known)
    index = Recall(RecallSpec(str(tmp_path), "i", partitions, ""))
    for number, wanted in enumerate(marks):
        (one,) = annotations_from_table(index.annotations("u", [wanted]))
        assert (one.trace_id, one.fingerprint) == (f"t{number}", wanted)
    assert index.annotations("u", [f"{head}{'2' * 17}"]).num_rows == 0


def test_missing_objects_and_other_schemas_are_judged_again(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    spec = remembered(store, {"a": range(3), "b": range(3, 6), "c": range(6, 9)})
    store.delete("old/annotations/a.parquet")
    store.put("old/annotations/b.parquet", to_parquet(pa.table({"fingerprint": [mark(3)]})))
    assert [item.trace_id for item in found(spec, "a", range(9))] == ["t6", "t7", "t8"]


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recall, "_PARTITION_ROWS", 2)
    monkeypatch.setattr(recall, "_PARTITIONS_KEPT", 3)
    monkeypatch.setattr(recall, "_OBJECTS_KEPT_BYTES", 1)
    spec = remembered(Store(str(tmp_path)), {"a": range(20), "b": range(20, 40)})
    index = Recall(spec)
    for _ in range(2):
        assert index.annotations("a", [mark(number) for number in range(40)]).num_rows == 40
        assert len(index._partitions._values) <= 3
        assert len(index._tables._values) == 1


def test_a_judge_with_recall_is_asked_only_about_unknown_traces() -> None:
    known = {mark(number): JUDGE.annotate(trace(number)) for number in range(3)}
    renamed = replace(trace(1), trace_id="another")
    edited = replace(trace(2), reasoning="So it is 3!")
    marks = {item: fingerprint(item, JUDGE.identity) for item in (renamed, edited)}
    judge = RecallingJudge(JUDGE, known, marks)
    first, second = (asyncio.run(judge.judge(item)) for item in (renamed, edited))
    assert first == replace(JUDGE.annotate(trace(1)), trace_id="another")
    assert second == JUDGE.annotate(edited)
    assert judge.asked == {fingerprint(edited, JUDGE.identity)}


def test_a_damaged_annotation_is_not_recalled() -> None:
    broken = replace(JUDGE.annotate(trace(1)), segment_offsets=(0, 3))
    judge = RecallingJudge(JUDGE, {mark(1): broken}, {trace(1): mark(1)})
    assert asyncio.run(judge.judge(trace(1))) == JUDGE.annotate(trace(1))
    assert judge.asked == {mark(1)}
