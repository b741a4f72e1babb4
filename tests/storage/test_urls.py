"""One place has one normal form."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcot_ray.storage.urls import absolute, normal_form


def test_spellings_of_a_local_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    place = str((tmp_path / "data" / "out").resolve())
    for spelling in (
        "data/out", "data/out/", "./data/../data/out", "link/out", "~/link/out",
        f"file://{tmp_path}/link/out", f"local://{tmp_path}/data/out",
    ):  # fmt: skip
        assert normal_form(spelling) == place
    assert absolute(f"local://{tmp_path}/data") == f"{tmp_path}/data"


@pytest.mark.parametrize(
    ("spelling", "form"),
    [
        ("s3a://bucket/in/", "s3://bucket/in"),
        ("s3://bucket/a/../in", "s3://bucket/in"),
        ("s3://bucket//in/./x", "s3://bucket/in/x"),
        ("simplecache::s3://bucket/in", "s3://bucket/in"),
        ("gcs://bucket/in", "gs://bucket/in"),
        ("hf://datasets/a/b@main/c", "hf://datasets/a/b/c"),
        ("hf://datasets/a/b", "hf://datasets/a/b"),
        ("ftp://user:word@host/in", "ftp://host/in"),
    ],
)
def test_spellings_of_other_places(spelling: str, form: str) -> None:
    assert normal_form(spelling) == form
