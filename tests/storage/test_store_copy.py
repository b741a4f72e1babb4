"""Copies inside a store, on every backend."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from dlcot_ray.storage.failures import MissingObject
from dlcot_ray.storage.store import Store
from tests.support.seaweed import S3Place


@pytest.fixture(params=["local", "memory", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        place: S3Place = request.getfixturevalue("s3")
        return Store(place.url())
    return Store(str(tmp_path) if request.param == "local" else f"memory://{uuid4().hex}")


def test_a_copy_has_the_same_bytes_and_is_independent(store: Store) -> None:
    store.put("a/ä one.parquet", b"first")
    store.copy("a/ä one.parquet", "b/deep/two.parquet")
    store.copy("a/ä one.parquet", "b/deep/two.parquet")
    assert store.read_bytes("b/deep/two.parquet") == b"first"
    store.put("a/ä one.parquet", b"second")
    assert store.read_bytes("b/deep/two.parquet") == b"first"
    store.copy("a/ä one.parquet", "b/deep/two.parquet")
    store.delete("a/ä one.parquet")
    assert store.read_bytes("b/deep/two.parquet") == b"second"
    assert [info.relative for info in store.list(temporary=True)] == ["b/deep/two.parquet"]


def test_a_missing_object_cannot_be_copied(store: Store) -> None:
    with pytest.raises(MissingObject, match=r"a\.parquet"):
        store.copy("a.parquet", "b.parquet")
    assert store.list(temporary=True) == []


def test_without_hard_links_the_bytes_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise PermissionError(1, "links are not supported")

    store = Store(str(tmp_path))
    store.put("a", b"first")
    monkeypatch.setattr(Path, "hardlink_to", refuse)
    store.copy("a", "b")
    assert store.read_bytes("b") == b"first"
    assert (tmp_path / "a").stat().st_ino != (tmp_path / "b").stat().st_ino
