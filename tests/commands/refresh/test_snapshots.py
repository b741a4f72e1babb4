"""Refreshes on local disk in one Ray session: each snapshot equals a run from scratch; which traces are judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from datasets import load_dataset

from dlcot_ray.commands.refresh import command
from dlcot_ray.commands.refresh.build import Built, build_snapshot
from dlcot_ray.commands.refresh.root import Root
from tests.support.snapshots import Place, local, trace

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("ray_session")]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = local(tmp_path)
    place.write("a.parquet", [trace(number) for number in range(12)], rows_per_group=4)
    place.write("deep/b.parquet", [trace(number) for number in range(12, 30)])
    return place


def sums(*numbers: int) -> set[str]:
    return {f"sum-{number}" for number in numbers}


def test_snapshots_equal_runs_from_scratch_and_judge_only_new_traces(place: Place) -> None:
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

    # Only one file changes: the units of the others are copied.
    before = place.snapshot()
    place.write("c.parquet", [trace(40), trace(3), trace(41)])
    assert place.refresh("name=three") == 0
    assert place.judged() == set()
    place.scratch("scratch-three")
    assert place.snapshot() == place.objects("scratch-three")
    facts = place.facts()
    assert set(facts.filter(pl.col("snapshot") == "three")["trace_id"]) == sums(40, 3, 41)
    stayed = {name for name in before if "c.r" not in name}
    assert {name: place.snapshot()[name] for name in stayed} == {name: before[name] for name in stayed}
    assert place.report()["removed"] == 1


def test_a_snapshot_is_a_plain_data_set_and_a_refresh_without_changes_keeps_it(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.refresh("name=one") == 0
    folder = f"{place.root}/out/snapshots/one"
    rows = load_dataset(folder, split="train", cache_dir=f"{place.root}/cache")
    assert sorted(rows["id"]) == sorted(sums(*range(30)))
    assert pl.scan_parquet(f"{folder}/enhanced/**/*.parquet").collect().height == 30
    assert load_dataset(folder, "annotations", split="train", cache_dir=f"{place.root}/cache").num_rows == 30
    assert "### By teacher" in place.bytes_of("out/snapshots/one/README.md").decode()

    pointer = place.bytes_of("out/latest.json")
    capsys.readouterr()
    assert place.refresh("name=two") == 0
    assert "nothing changed since one" in capsys.readouterr().out
    assert place.bytes_of("out/latest.json") == pointer
    assert not place.fs.exists(f"{place.root}/out/snapshots/two")


def test_ids_that_repeat_across_files_follow_the_order_of_the_files(place: Place) -> None:
    words = ("max_rejected_share=1", "bounds.max_rejected_share_change=1")
    assert place.refresh("name=one") == 0
    # Sorts first, so rows of the unchanged b.parquet become the repeated ones.
    place.write("0.parquet", [trace(14, edition=1), trace(15)])
    assert place.refresh("name=two", *words) == 0
    place.scratch("scratch-two", *words[:1])
    assert place.snapshot() == place.objects("scratch-two")
    assert place.judged() == sums(14)
    place.remove("0.parquet")
    assert place.refresh("name=three", *words) == 0
    place.scratch("scratch-three")
    assert place.snapshot() == place.objects("scratch-three")
    # The previous snapshot kept both editions, under ids of their own, so nothing is judged anew.
    assert place.judged() == set()


def test_a_snapshot_beyond_a_bound_is_held_back_published_by_hand_and_rolled_back(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = "bounds.max_removed_share=0.2"
    assert place.refresh("name=one", strict) == 0
    place.remove("deep/b.parquet")
    assert place.refresh("name=two", strict) == 4
    printed = capsys.readouterr().err
    assert "two is held back: bounds.max_removed_share is 0.2, and this snapshot has 0.6" in printed
    assert f"dlcot refresh output={place.root}/out action=publish snapshot=two" in printed
    assert place.latest() == "one"
    assert "**exceeded**" in place.bytes_of("out/snapshots/two/report.md").decode()
    # Further refreshes find the same snapshot, and a wider bound publishes it unchanged.
    assert place.refresh("name=three", strict) == 4
    assert place.latest() == "one"
    assert place.refresh("name=four", "bounds.max_removed_share=0.7") == 0
    assert place.latest() == "two"
    place.scratch("scratch")
    assert place.snapshot() == place.objects("scratch")

    # A roll-back; the withdrawn snapshot is not published again by a refresh.
    assert place.refresh("action=publish", "snapshot=one") == 0
    assert place.latest() == "one"
    assert place.refresh("name=five", "bounds.max_removed_share=0.7") == 4
    assert "two is held back: it was withdrawn" in capsys.readouterr().err
    assert place.refresh("action=publish", "snapshot=none") == 1
    assert "finished snapshots: one, two" in capsys.readouterr().err
    assert place.refresh("action=list") == 0
    one, two = capsys.readouterr().out.splitlines()
    assert "one  finished" in one
    assert "latest" in one
    assert "withdrawn" in two
    assert place.refresh("action=publish", "snapshot=two") == 0
    assert place.latest() == "two"

    # Removable snapshots are listed first, and removed only with gc=run.
    words = ("action=gc", "keep=1", "grace_h=0")
    assert place.refresh(*words, "gc=plan") == 0
    assert "gc=run would remove snapshots/one is older than those to keep" in capsys.readouterr().out
    assert place.fs.exists(f"{place.root}/out/snapshots/one/manifest.json")
    assert place.refresh(*words, "gc=run") == 0
    assert place.fs.find(f"{place.root}/out/snapshots/one") == []
    assert place.snapshot() == place.objects("scratch")


def test_annotations_of_a_snapshot_that_was_held_back_are_reused(place: Place) -> None:
    assert place.refresh("name=one") == 0
    place.write("a.parquet", [trace(number, edition=1) for number in range(12)])
    place.write("junk.parquet", [trace(60)])
    place.fs.pipe_file(f"{place.root}/in/junk.parquet", b"PAR1 nonsense PAR1")
    assert place.refresh("name=two") == 4
    assert place.latest() == "one"
    assert place.judged("two") == sums(*range(12))
    place.write("junk.parquet", [trace(60), trace(61)])
    assert place.refresh("name=three") == 0
    assert place.latest() == "three"
    assert place.judged() == sums(60, 61)
    assert place.report()["changed"] == 12
    place.scratch("scratch")
    assert place.snapshot() == place.objects("scratch")


def test_a_pointer_that_another_refresh_moved_meanwhile_is_kept(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert place.refresh("name=one") == 0
    place.remove("a.parquet")

    def moved_meanwhile(config: Any, root: Root, *rest: Any) -> Built:
        built = build_snapshot(config, root, *rest)
        pointer, version = root.pointer()
        assert pointer is not None
        root.publish(pointer.moved_to("of-another-refresh", 1.0), version)
        return built

    monkeypatch.setattr(command, "build_snapshot", moved_meanwhile)
    assert place.refresh("name=two") == 1
    assert "changed by another refresh meanwhile; this refresh stops" in capsys.readouterr().err
    assert place.latest() == "of-another-refresh"
