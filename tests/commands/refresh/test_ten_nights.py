"""Ten nights on a real S3 server: additions, edits, removals, moves, another policy, another judge, a crash,
rivals; and the same with real traces where `DLCOT_NIGHTS=real` (`make nights`)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from dlcot_ray.cluster.nodes import start_ray, stop_ray
from tests.support import REPO
from tests.support.nights import SMALL, Place, trace
from tests.support.scenario import Row, Story
from tests.support.seaweed import S3Place

COLUMNS = ("id", "source", "teacher", "problem", "reasoning", "answer_text", "ground_truth")


@pytest.fixture
def place(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """On S3, with a Ray whose workers know the server and the counting judge."""
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    assert start_ray("local")
    yield Place(s3.url())
    stop_ray()


def longer(row: Row) -> Row:
    return {**row, "reasoning": f"{row['reasoning']}\n\nLet me see that again."}


@pytest.mark.timeout(900)
def test_ten_nights_of_synthetic_traces(place: Place, tmp_path: Path) -> None:
    story = Story(place, [trace(number) for number in range(60)], longer, tmp_path / "asked.log")
    story.ten_nights()
    assert len(story.lines) == 10


@pytest.mark.timeout(7200)
@pytest.mark.skipif(os.environ.get("DLCOT_NIGHTS") != "real", reason="minutes to hours: make nights")
def test_ten_nights_of_real_traces(place: Place, tmp_path: Path, shared_data: Path) -> None:
    place.words = [word for word in SMALL if not word.startswith("rows_per_unit")] + ["rows_per_unit=32"]
    frames = [
        pl.read_parquet(path).select(pl.col(name).cast(pl.String) for name in COLUMNS)
        for path in sorted((shared_data / "traces").glob("*.parquet"))
    ]
    pool = (
        pl.concat(frames)
        .unique("id", keep="first", maintain_order=True)
        .sample(fraction=1.0, shuffle=True, seed=1)
    )
    shard = int(os.environ.get("DLCOT_NIGHTS_SHARD", "150"))
    story = Story(place, pool.to_dicts(), longer, tmp_path / "asked.log", shard=shard)
    reader = story.ten_nights()
    print("\n| night | what changed | traces | judged | seconds |\n|---:|---|---:|---:|---:|")
    print("\n".join(story.lines))
    print(f"a reader took the latest snapshot {reader.reads} times, none of them torn or empty")
