"""The store on local files and in memory: every operation, and errors in one line."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import pytest

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.inputs.files.shards import find_inputs
from dlcot_ray.storage.backend import current_version, put_and_read_back
from dlcot_ray.storage.failures import MissingObject, explain
from dlcot_ray.storage.local_files import TEMPORARY_SUFFIX, LocalBackend
from dlcot_ray.storage.store import Store
from tests.support.seaweed import S3Place


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "local":
        yield Store(str(tmp_path / "out"))
    else:
        yield Store(f"memory://{uuid4().hex}/out")


@pytest.fixture(params=["local", "memory", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """For what must hold on a real S3 server as well."""
    if request.param == "local":
        return Store(str(tmp_path / "out"))
    if request.param == "memory":
        return Store(f"memory://{uuid4().hex}/out")
    place: S3Place = request.getfixturevalue("s3")
    return Store(place.url("out"))


def test_objects_come_back_and_are_listed_by_name(any_store: Store) -> None:
    assert any_store.list() == []
    any_store.put("b/two.parquet", b"22")
    any_store.put("a.parquet", b"1")
    any_store.put("b/c/three", b"333")
    assert [(info.relative, info.size) for info in any_store.list()] == [
        ("a.parquet", 1),
        ("b/c/three", 3),
        ("b/two.parquet", 2),
    ]
    assert [info.relative for info in any_store.list("b")] == ["b/c/three", "b/two.parquet"]
    assert any_store.list("nowhere") == []
    assert any_store.read_bytes("b/two.parquet") == b"22"
    assert any_store.list()[0].url == any_store.url("a.parquet")


def test_a_prefix_is_a_directory_and_not_the_start_of_names(any_store: Store) -> None:
    any_store.put("unit/1", b"")
    any_store.put("unit2/1", b"")
    assert [info.relative for info in any_store.list("unit")] == ["unit/1"]


def test_put_replaces_an_object_and_changes_its_version(store: Store) -> None:
    store.put("x", b"old")
    before = store.list()[0].version
    store.put("x", b"newer")
    assert store.read_bytes("x") == b"newer"
    assert store.list()[0].version != before


def test_a_listing_has_the_time_of_each_object(store: Store) -> None:
    store.put("x", b"1")
    modified = store.list()[0].modified
    assert modified is not None
    assert abs(modified - time.time()) < 60


def test_half_written_files_are_listed_only_on_request(store: Store) -> None:
    store.put("x", b"1")
    store.put(f".x.1{TEMPORARY_SUFFIX}", b"1")
    assert [info.relative for info in store.list()] == ["x"]
    assert [info.relative for info in store.list(temporary=True)] == [f".x.1{TEMPORARY_SUFFIX}", "x"]


def test_only_the_first_put_if_absent_wins(store: Store) -> None:
    assert store.put_if_absent("lock", b"first")
    assert not store.put_if_absent("lock", b"second")
    assert store.read_bytes("lock") == b"first"
    assert len(store.list()) == 1


def test_compare_and_swap_replaces_only_the_version_that_was_read(any_store: Store) -> None:
    assert any_store.read_versioned("pointer") is None
    first = any_store.compare_and_swap("pointer", b"1", None)
    assert first is not None
    assert any_store.compare_and_swap("pointer", b"x", None) is None
    read = any_store.read_versioned("pointer")
    assert read is not None
    assert (read.data, read.version) == (b"1", first)
    second = any_store.compare_and_swap("pointer", b"2", first)
    assert second not in (None, first)
    assert any_store.compare_and_swap("pointer", b"3", first) is None
    assert any_store.read_bytes("pointer") == b"2"
    any_store.delete("pointer")
    assert any_store.compare_and_swap("pointer", b"4", second) is None
    assert any_store.compare_and_swap("nowhere/pointer", b"4", second) is None
    assert any_store.list(temporary=True) == []


def test_of_many_simultaneous_swaps_each_version_has_one_successor(store: Store) -> None:
    store.compare_and_swap("count", b"0", None)
    barrier = threading.Barrier(8)

    def add(number: int) -> None:
        barrier.wait()
        for _ in range(5):
            done = None
            while done is None:
                read = store.read_versioned("count")
                assert read is not None
                done = store.compare_and_swap("count", b"%d" % (int(read.data) + 1), read.version)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(8)))
    assert store.read_bytes("count") == b"40"


def test_without_conditional_puts_one_of_two_writers_wins_by_reading_back(tmp_path: Path) -> None:
    backend = LocalBackend(str(tmp_path))
    with ThreadPoolExecutor(2) as threads:
        made = list(
            threads.map(lambda data: put_and_read_back(backend, "lease", data, None, 0.5), [b"a", b"b"])
        )
    winners = [data for data, version in zip([b"a", b"b"], made, strict=True) if version is not None]
    assert winners == [backend.read("lease")]
    current = current_version(backend, "lease")
    assert put_and_read_back(backend, "lease", b"c", None, 0.0) is None
    assert put_and_read_back(backend, "lease", b"c", "other", 0.0) is None
    assert put_and_read_back(backend, "lease", b"c", current, 0.0) == current_version(backend, "lease")


def test_many_objects_are_deleted_at_once(store: Store) -> None:
    for number in range(5):
        store.put(f"d/{number}", b"")
    store.delete_all(["d/0", "d/1", "d/3", "d/missing"])
    assert [info.relative for info in store.list()] == ["d/2", "d/4"]
    store.delete_all([])


def test_of_many_simultaneous_local_claims_exactly_one_wins(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    won: list[int] = []
    barrier = threading.Barrier(8)

    def claim(number: int) -> None:
        barrier.wait()
        if store.put_if_absent("claim", str(number).encode()):
            won.append(number)

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [str(number).encode() for number in won] == [store.read_bytes("claim")]
    assert [path.name for path in tmp_path.iterdir()] == ["claim"]


def test_delete_and_exists(store: Store) -> None:
    store.put("d/x", b"")
    assert store.exists("d/x")
    assert not store.exists("d")
    store.delete("d/x")
    store.delete("d/x")
    assert not store.exists("d/x")


def test_open_seeks_within_an_object(store: Store) -> None:
    store.put("x", b"0123456789")
    with store.open("x") as file:
        file.seek(-3, os.SEEK_END)
        assert file.read(2) == b"78"
        file.seek(0)
        assert file.read(1) == b"0"


def test_a_missing_object_is_reported_in_one_line(any_store: Store) -> None:
    with pytest.raises(MissingObject, match=r"cannot read .*nothing.*; check"):
        any_store.read_bytes("nothing")
    with pytest.raises(InputFault, match=r"nothing: .*; check") as caught:
        any_store.open("nothing").read()
    assert "\n" not in str(caught.value)


def test_a_store_survives_pickling_and_a_change_of_directory(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("x", b"1")
    assert pickle.loads(pickle.dumps(store)).read_bytes("x") == b"1"
    monkeypatch.chdir(tmp_path)
    relative = Store("here")
    relative.put("x", b"2")
    monkeypatch.chdir("/")
    assert pickle.loads(pickle.dumps(relative)).read_bytes("x") == b"2"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x"])
def test_names_outside_the_root_are_refused(store: Store, name: str) -> None:
    with pytest.raises(JobError, match="not a name below"):
        store.put(name, b"")


def test_a_killed_writer_leaves_a_temporary_file_that_can_be_removed(tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from dlcot_ray.storage.store import Store\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), 9)\n"
        "Store(sys.argv[1]).put('units/u1.parquet', b'half')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == -9
    store = Store(str(tmp_path))
    assert store.list() == []
    assert [path.name.endswith(TEMPORARY_SUFFIX) for path in (tmp_path / "units").iterdir()] == [True]
    assert store.remove_temporary(min_age_s=3600) == 0
    assert store.remove_temporary() == 1
    assert list((tmp_path / "units").iterdir()) == []


def test_the_check_of_a_writable_store_leaves_no_object(store: Store) -> None:
    store.check_writable()
    assert store.list() == []


def test_an_output_below_a_file_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = Store(str(tmp_path / "file" / "out"))
    with pytest.raises(JobError, match="a file is where a directory should be") as caught:
        store.check_writable()
    assert caught.value.remedy
    with pytest.raises(JobError, match="a file is where a directory should be"):
        store.put_if_absent("x", b"")


def test_a_name_that_is_too_long_has_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"the name is too long; choose an output with a shorter path"):
        Store(str(tmp_path)).put("x" * 300, b"")
    # Four bytes for each character: the temporary name is cut by bytes.
    Store(str(tmp_path)).put("\U0001f600" * 60, b"abc")
    assert [info.relative for info in Store(str(tmp_path)).list()] == ["\U0001f600" * 60]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(JobError, match="permission denied"):
        Store(str(tmp_path)).check_writable()


def test_a_full_disk_is_reported() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OSError, match="No space") as caught, open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        full.write(b"x")
    line = str(explain(caught.value, "cannot write /out/u1", local=True))
    assert line.startswith("cannot write /out/u1: no space left; free some space")


def test_unknown_protocols_and_unreachable_endpoints_are_one_line_without_credentials() -> None:
    with pytest.raises(JobError, match=r"nope.*; use a local path, s3://"):
        Store("nope://bucket/x")
    options = {
        "key": "AKIAEXAMPLE",
        "secret": "very-secret",
        "endpoint_url": "http://127.0.0.1:9",
        "config_kwargs": {"retries": {"max_attempts": 0}},
    }
    with pytest.raises(JobError, match="check the network and the endpoint") as caught:
        Store("s3://bucket/x", options).check_writable()
    assert "very-secret" not in str(caught.value)
    assert "very-secret" not in repr(Store("s3://bucket/x", options))


def test_credentials_in_a_url_are_never_shown() -> None:
    error = OSError("login of joe:hunter22 failed at ftp://joe:hunter22@host")
    assert "hunter22" not in str(explain(error, "cannot open", local=False, secrets=["hunter22"]))
    with pytest.raises(JobError) as caught:
        Store("ftp://joe:hunter22@127.0.0.1:9/x")
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (403, r"refused \(403.*its signature has expired"),
        (500, "500"),
        (404, "found nothing"),
        (0, r"Connect call failed.*check the network"),
    ],
)
def test_a_web_server_that_refuses_or_is_not_there_is_no_empty_input(status: int, told: str) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        if status:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        else:
            server.server_close()
        with pytest.raises(JobError, match=told) as refused:
            find_inputs(f"http://127.0.0.1:{server.server_port}/a.parquet?sig=abcdefgh")
        assert "abcdefgh" not in str(refused.value)
        if status:
            server.shutdown()


def test_a_server_without_byte_ranges_is_an_unusable_input(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"x" * 100_000)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(InputFault, match="its server gives no byte ranges; copy the file"):
            Store(place).open("a.parquet")
        server.shutdown()
