"""Ten refreshes on a real S3 server: additions, edits, removals, moves, another policy, another judge, a crash,
concurrent refreshes. `DLCOT_REFRESHES=real` (`make refreshes`) does the same with real traces."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from tests.support.scenario import Row, Scenario
from tests.support.seaweed import S3Place
from tests.support.shared_ray import SharedRay
from tests.support.snapshots import SMALL, Place, trace

COLUMNS = ("id", "source", "teacher", "problem", "reasoning", "answer_text", "ground_truth")


@pytest.fixture
def place(s3: S3Place, shared_ray: SharedRay) -> Place:
    """On S3, with a Ray whose workers know the server and the counting judge."""
    shared_ray.use(s3.server.environment())
    return Place(s3.url())


def longer(row: Row) -> Row:
    return {**row, "reasoning": f"{row['reasoning']}\n\nLet me see that again."}


@pytest.mark.timeout(1800)
def test_ten_refreshes_of_synthetic_traces(place: Place, tmp_path: Path) -> None:
    scenario = Scenario(place, [trace(number) for number in range(60)], longer, tmp_path / "asked.log")
    scenario.ten_refreshes()
    assert len(scenario.lines) == 10


@pytest.mark.timeout(7200)
@pytest.mark.skipif(os.environ.get("DLCOT_REFRESHES") != "real", reason="minutes to hours: make refreshes")
def test_ten_refreshes_of_real_traces(place: Place, tmp_path: Path, shared_data: Path) -> None:
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
    shard = int(os.environ.get("DLCOT_REFRESHES_SHARD", "150"))
    scenario = Scenario(place, pool.to_dicts(), longer, tmp_path / "asked.log", shard=shard)
    reader = scenario.ten_refreshes()
    print("\n| refresh | what changed | traces | judged | seconds |\n|---:|---|---:|---:|---:|")
    print("\n".join(scenario.lines))
    print(f"a reader took the latest snapshot {reader.reads} times; all were whole")
