"""Copying the sample traces of the development overlay to a store."""

from __future__ import annotations

from pathlib import Path

import load_samples
import pytest

from tests.support import REPO
from tests.support.seaweed import S3Place

SHARDS = REPO / "examples" / "shards"


def test_samples_are_copied_unchanged(s3: S3Place) -> None:
    url = s3.url("traces")
    assert load_samples.load(SHARDS, url) == 3
    assert s3.objects("traces") == {shard.name: shard.read_bytes() for shard in SHARDS.glob("*.parquet")}


def test_an_empty_folder_gives_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["load_samples.py", str(tmp_path), f"memory://{tmp_path.name}"])
    assert load_samples.main() == 1
    assert "0 shards" in capsys.readouterr().out
