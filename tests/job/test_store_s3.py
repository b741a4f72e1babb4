"""The store on a real S3 server."""

from __future__ import annotations

import time

import pytest
from seaweed import S3Place

from dlcot_ray.job.faults import InputFault
from dlcot_ray.job.storage import MissingObject, Store


def test_objects_come_back_and_are_listed_by_name(s3: S3Place) -> None:
    store = Store(s3.url("out"))
    assert store.list() == []
    store.put("b/two.parquet", b"22")
    store.put("a.parquet", b"1")
    store.put("b/c/three", b"333")
    assert [(info.relative, info.size) for info in store.list()] == [
        ("a.parquet", 1),
        ("b/c/three", 3),
        ("b/two.parquet", 2),
    ]
    assert [info.relative for info in store.list("b")] == ["b/c/three", "b/two.parquet"]
    assert store.list("nowhere") == []
    assert store.read_bytes("b/two.parquet") == b"22"
    assert all(abs((info.modified or 0) - time.time()) < 60 for info in store.list())
    assert s3.objects("out") == {"a.parquet": b"1", "b/c/three": b"333", "b/two.parquet": b"22"}


def test_missing_objects_are_one_clear_line(s3: S3Place) -> None:
    store = Store(s3.url("out"))
    with pytest.raises(MissingObject, match=r"cannot read .*nothing.*; check"):
        store.read_bytes("nothing")
    with pytest.raises(InputFault, match=r"nothing: .*; check"):
        store.open("nothing").read()


def test_only_the_first_put_if_absent_wins(s3: S3Place) -> None:
    store = Store(s3.url("out"))
    assert store.put_if_absent("lock", b"first")
    assert not store.put_if_absent("lock", b"second")
    assert store.read_bytes("lock") == b"first"
