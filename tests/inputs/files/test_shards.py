"""Which files an input names: directories, files, globs, lists and URLs."""

from __future__ import annotations

import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import find_inputs, find_shards
from dlcot_ray.storage.backend import ObjectInfo
from dlcot_ray.storage.failures import MissingObject
from dlcot_ray.storage.fsspec_files import FsspecBackend
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


def test_what_is_not_read_is_named_with_the_reason(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "linked.jsonl").write_text("{}")
    for name in (
        "a.PARQUET", "b.pq", "c.JSONL.GZ", "_year=2024/d.csv", "e.Arrow",
        "_SUCCESS", "_tmp/x.parquet", ".hidden.parquet", ".git/x.parquet", "README.md",
        "dataset_info.json", "cache-0123456789abcdef.arrow",
    ):  # fmt: skip
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
    (folder / "more").symlink_to(elsewhere)
    (folder / "one.jsonl").symlink_to(elsewhere / "linked.jsonl")
    (folder / "gone.parquet").symlink_to(tmp_path / "nowhere")
    (folder / "loop.parquet").symlink_to(folder / "loop.parquet")
    found = find_inputs(str(folder))
    assert [shard.name for shard in found.shards] == ["a", "b", "c", "e", "one", "year=2024/d"]
    assert {item.file.removeprefix(f"{folder}/"): item.reason for item in found.skipped} == {
        "_SUCCESS": "its name begins with _",
        "_tmp/x.parquet": "the name of the folder _tmp begins with _",
        ".hidden.parquet": "it is hidden",
        ".git/x.parquet": "the folder .git is hidden",
        "README.md": "no format has its suffix",
        "dataset_info.json": "it describes a data set of the datasets library",
        "cache-0123456789abcdef.arrow": "it is a cache of the datasets library",
        "more": "it is a link to a folder; to read it, name it as an input",
        "gone.parquet": "it is a link that leads nowhere",
        "loop.parquet": "it is a link that leads nowhere",
    }
    assert find_inputs([str(folder), f"{folder}/README.md"]).skipped == tuple(
        item for item in found.skipped if not item.file.endswith("README.md")
    )


def test_a_folder_that_cannot_be_read_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("open/x.parquet", "closed/y.parquet"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"abc")
    scandir = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    found = find_inputs(str(tmp_path))
    assert [shard.name for shard in found.shards] == ["open/x"]
    (fault,) = found.faults
    assert (fault.file, fault.message) == (
        str(tmp_path / "closed"),
        "it cannot be listed (Permission denied)",
    )
    assert find_inputs(f"{tmp_path}/op*/*.parquet").faults == ()
    assert len(find_inputs(f"{tmp_path}/*/*.parquet").faults) == 1
    assert len(find_inputs(f"{tmp_path}/**/*.parquet").faults) == 1


@pytest.mark.parametrize(
    ("kind", "log"),
    [
        ("Delta", "_delta_log/00000000000000000000.json"),
        ("Hudi", ".hoodie/hoodie.properties"),
        ("Iceberg", "metadata/v1.metadata.json"),
    ],
)
def test_a_table_format_is_refused(tmp_path: Path, kind: str, log: str) -> None:
    for name in ("plain/x.parquet", "table/data/y.parquet", f"table/{log}"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
    for place in (tmp_path, tmp_path / "table", f"{tmp_path}/*/data/*.parquet"):
        with pytest.raises(JobError, match=f"table is a table of {kind}, whose files also hold deleted rows"):
            find_inputs(str(place))
    assert len(find_inputs(str(tmp_path / "plain")).shards) == 1
    assert len(find_inputs(f"{tmp_path}/pl*/*.parquet").shards) == 1


def test_an_empty_object_does_not_hide_the_folder_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"memory://{uuid4().hex}"
    Store(root).put("in/x.parquet", b"1")
    info = FsspecBackend.info

    def with_marker(backend: FsspecBackend, relative: str) -> ObjectInfo | None:
        if relative == "in":
            return ObjectInfo("in", f"{root}/in", 0, "0")
        return info(backend, relative)

    monkeypatch.setattr(FsspecBackend, "info", with_marker)
    assert [shard.name for shard in find_inputs(f"{root}/in").shards] == ["x"]


def test_a_key_with_an_empty_part_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"memory://{uuid4().hex}"
    Store(root).put("in/x.parquet", b"1")
    keys = ["x.parquet", "a//y.parquet", "/z.parquet"]
    monkeypatch.setattr(
        FsspecBackend,
        "scan",
        lambda *_: iter([ObjectInfo(key, f"{root}/in/{key}", 1, "1") for key in keys]),
    )
    found = find_inputs(f"{root}/in")
    assert [shard.name for shard in found.shards] == ["x"]
    assert [fault.file for fault in found.faults] == [f"{root}/in//z.parquet", f"{root}/in/a//y.parquet"]
    assert "empty part (//)" in str(found.faults[0])


def test_a_name_that_is_not_utf8_is_a_fault_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "good.parquet").write_bytes(b"abc")
    for name in (b"bad\xff.parquet", b"notes\xff.txt", b"sub\xfe/x.parquet"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"abc")
    found = find_inputs(str(tmp_path))
    assert [shard.name for shard in found.shards] == ["good"]
    assert [str(fault) for fault in found.faults] == [
        f"{tmp_path}/{name}: its path is not UTF-8, which names of outputs must be; rename it"
        for name in ("bad\\udcff.parquet", "sub\\udcfe/x.parquet")
    ]
    assert [item.file for item in found.skipped] == [f"{tmp_path}/notes\\udcff.txt"]
    (fault,) = find_inputs(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.parquet")).faults
    assert "is not UTF-8" in fault.message


def test_long_names_become_names_that_a_file_system_takes(tmp_path: Path) -> None:
    for name in ("a" * 240, "a" * 239 + "b", "a" * 190, "あ" * 80):
        (tmp_path / f"{name}.parquet").write_bytes(b"abc")
    names = [shard.name for shard in find_shards(str(tmp_path))]
    assert len(set(names)) == 4
    assert "a" * 190 in names
    assert all(len(name.encode()) <= 190 for name in names)
    assert names == [shard.name for shard in find_shards(f"{tmp_path}/*.parquet")]


def test_a_whole_output_is_no_input_and_its_rows_are(tmp_path: Path) -> None:
    output = tmp_path / "in" / "out"
    for name in ("enhanced/a.parquet", "annotations/a.parquet"):
        (output / name).parent.mkdir(parents=True)
        (output / name).write_bytes(b"abc")
    (output / "_job.json").write_text("{}")
    for place in (output, tmp_path / "in"):
        with pytest.raises(JobError, match=r"out is an output of dlcot.*out/enhanced for its rows"):
            find_shards(str(place))
    assert [shard.name for shard in find_shards(str(output / "enhanced"))] == ["a"]
    assert len(find_shards(f"{output}/enhanced/*.parquet")) == 1
    assert len(find_shards(f"{tmp_path}/in/*/enhanced/*.parquet")) == 1
