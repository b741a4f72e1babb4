"""Which files an input names: directories, files, globs, lists and URLs."""

from __future__ import annotations

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.shards import find_shards
from dlcot_ray.storage.failures import MissingObject
from dlcot_ray.storage.store import Store


def test_shards_of_a_directory_skip_hidden_and_other_files(tmp_path: Path) -> None:
    for name in ("b.parquet", "a/x.parquet", "_SUCCESS", ".hidden.parquet", "_tmp/y.parquet", "notes.txt"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
    shards = find_shards(str(tmp_path / "in"))
    assert [shard.name for shard in shards] == ["a/x", "b"]
    assert shards[0].file == str(tmp_path / "in" / "a" / "x.parquet")
    assert Store(shards[0].store_url).read_bytes(shards[0].relative) == b"abc"
    assert find_shards(f"{tmp_path}/in/") == shards
    assert find_shards(f"file://{tmp_path}/in") == shards


def test_shards_of_files_globs_and_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one/x.parquet", "two/x.parquet", "two/odd[1].parquet", "two/_part.parquet", "two/y.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    assert [shard.name for shard in find_shards("one/x.parquet")] == ["x"]
    assert [shard.name for shard in find_shards("two/y.txt")] == ["y"]
    assert [shard.name for shard in find_shards("two/odd[1].parquet")] == ["odd[1]"]
    assert [shard.name for shard in find_shards("*/x.parquet")] == ["one/x", "two/x"]
    assert [shard.name for shard in find_shards("two/*.parquet")] == ["odd[1]", "x"]
    assert [shard.name for shard in find_shards("two/_*.parquet")] == ["_part"]

    both = find_shards(["one", "two", "one/x.parquet"])
    assert len(both) == 3
    assert len({shard.name for shard in both}) == 3
    assert {shard.name.split("-")[0] for shard in both} == {"x", "odd[1]"}
    assert find_shards(["two", "one"]) == both


def test_shards_in_an_object_store() -> None:
    root = f"memory://{uuid4().hex}/in"
    Store(root).put("a/x.parquet", b"1")
    Store(root).put("y.parquet", b"2")
    assert [shard.name for shard in find_shards(root)] == ["a/x", "y"]
    assert [shard.name for shard in find_shards(f"{root}/y.parquet")] == ["y"]
    assert [shard.name for shard in find_shards(f"{root}/*/x.parquet")] == ["a/x"]


def test_an_input_without_shards_is_an_error_that_names_the_suffixes(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"does not exist; check the path"):
        find_shards(str(tmp_path / "missing"))
    (tmp_path / "data.txt").write_text("x")
    with pytest.raises(
        JobError, match=r"no input shards in .*looked for \*\.parquet, .*\*\.jsonl.*found 1 other files"
    ):
        find_shards(str(tmp_path))
    with pytest.raises(JobError, match=r"no input shards match .*nope"):
        find_shards(f"{tmp_path}/nope*.parquet")
    with pytest.raises(JobError, match="no input given"):
        find_shards([])


def test_shards_over_http_are_read_by_range(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"0123456789")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/x.parquet"
        (shard,) = find_shards(url)
        assert (shard.name, shard.size) == ("x", 10)
        assert Store(shard.store_url).read_bytes("x.parquet") == b"0123456789"
        with pytest.raises(MissingObject):
            Store(shard.store_url).read_bytes("y.parquet")
    finally:
        server.shutdown()
        server.server_close()
