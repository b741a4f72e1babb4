"""Nights on local disk, in one Ray session: each snapshot against a run from scratch, and who was judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from datasets import load_dataset
from nights import Place, local, trace

from dlcot_ray.job.cluster import start_ray, stop_ray


@pytest.fixture(scope="module", autouse=True)
def ray_session() -> Iterator[None]:
    assert start_ray("local")
    yield
    stop_ray()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = local(tmp_path)
    place.write("a.parquet", [trace(number) for number in range(12)], rows_per_group=4)
    place.write("deep/b.parquet", [trace(number) for number in range(12, 30)])
    return place


def sums(*numbers: int) -> set[str]:
    return {f"sum-{number}" for number in numbers}


def test_nights_equal_runs_from_scratch_and_judge_only_what_is_new(place: Place) -> None:
    assert place.refresh("name=one") == 0
    assert place.latest() == "one"
    assert place.judged() == sums(*range(30))
    place.scratch("scratch-one")
    assert place.snapshot() == place.objects("scratch-one")

    # Edited, removed, added, moved within a shard and between shards, all at once; one shard stays.
    place.write("c.parquet", [trace(40), trace(3), trace(13), trace(41)])
    rows = [trace(number) for number in (29, 12, 14, 15, *range(17, 29))]
    place.write("deep/b.parquet", [rows[0], trace(16, edition=1), *rows[1:]])
    place.write("a.parquet", [trace(number) for number in range(12) if number != 3], rows_per_group=4)
    place.write("deep/stays.parquet", [trace(50)])
    assert place.refresh("name=two") == 0
    assert place.judged() == sums(16, 40, 41, 50)
    place.scratch("scratch-two")
    assert place.snapshot() == place.objects("scratch-two")
    total = place.report()
    assert (total["added"], total["changed"], total["removed"], total["judged"]) == (3, 1, 0, 4)

    # Only one file changes: the units of the others are carried over.
    before = place.snapshot()
    place.write("c.parquet", [trace(40), trace(3), trace(41)])
    assert place.refresh("name=three") == 0
    assert place.judged() == set()
    place.scratch("scratch-three")
    assert place.snapshot() == place.objects("scratch-three")
    facts = place.facts()
    assert set(facts.filter(pl.col("night") == "three")["trace_id"]) == sums(40, 3, 41)
    stayed = {name for name in before if "c.r" not in name}
    assert {name: place.snapshot()[name] for name in stayed} == {name: before[name] for name in stayed}
    assert place.report()["removed"] == 1


def test_a_night_without_a_change_does_nothing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert place.refresh("name=one") == 0
    pointer = place.bytes_of("out/latest.json")
    capsys.readouterr()
    assert place.refresh("name=two") == 0
    assert "nothing changed since one" in capsys.readouterr().out
    assert place.bytes_of("out/latest.json") == pointer
    assert not place.fs.exists(f"{place.root}/out/snapshots/two")


def test_another_policy_is_derived_and_another_judge_judges_all(place: Place) -> None:
    assert place.refresh("name=one") == 0
    policy = "policy=keep_first"
    assert place.refresh("name=two", policy, "bounds.max_cut_change=1") == 0
    assert place.judged() == set()
    place.scratch("scratch", policy)
    assert place.snapshot() == place.objects("scratch")
    assert place.snapshot() != place.snapshot("one")


def test_ids_that_repeat_across_files_follow_the_order_of_the_files(place: Place) -> None:
    words = ("max_rejected_share=1", "bounds.max_rejected_share_change=1")
    assert place.refresh("name=one") == 0
    # Sorts first, so the rows that were fine in b.parquet, which is as it was, are now the repeats.
    place.write("0.parquet", [trace(14, edition=1), trace(15)])
    assert place.refresh("name=two", *words) == 0
    place.scratch("scratch-two", *words[:1])
    assert place.snapshot() == place.objects("scratch-two")
    assert place.judged() == sums(14)
    place.remove("0.parquet")
    assert place.refresh("name=three", *words) == 0
    place.scratch("scratch-three")
    assert place.snapshot() == place.objects("scratch-three")
    # Nobody had judged the old edition in the last night, for it was rejected there.
    assert place.judged() == sums(14)


def test_snapshots_load_as_plain_data_sets(place: Place) -> None:
    assert place.refresh("name=one") == 0
    folder = f"{place.root}/out/snapshots/one"
    rows = load_dataset(folder, split="train", cache_dir=f"{place.root}/cache")
    assert sorted(rows["id"]) == sorted(sums(*range(30)))
    assert pl.scan_parquet(f"{folder}/enhanced/**/*.parquet").collect().height == 30
    assert load_dataset(folder, "annotations", split="train", cache_dir=f"{place.root}/cache").num_rows == 30
