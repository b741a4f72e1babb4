"""The store on a real S3 server."""

from __future__ import annotations

import os
import pickle
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.storage import s3_requests
from dlcot_ray.storage.backend import READ_AHEAD
from dlcot_ray.storage.failures import StoreRefused
from dlcot_ray.storage.s3_requests import PART_BYTES, client_options
from dlcot_ray.storage.store import Store
from tests.support.seaweed import READER, STRANGER, S3Place

ODD_NAMES = ["plus+sign", "per%cent", "a b", "Ünïcødé", "quote'n\"double", "a&b=c;d", "tilde~#hash"]


@pytest.fixture
def store(s3: S3Place) -> Store:
    return Store(s3.url("out"))


def acting_as(identity: Any, s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.server.environment(identity).items():
        monkeypatch.setenv(name, value)


def test_objects_are_those_that_the_server_has(store: Store, s3: S3Place) -> None:
    store.put("b/two.parquet", b"22")
    store.put("a.parquet", b"1")
    store.put("b/c/three", b"333")
    assert s3.objects("out") == {"a.parquet": b"1", "b/c/three": b"333", "b/two.parquet": b"22"}
    first = store.list()[0]
    assert first.modified is not None
    assert abs(first.modified - time.time()) < 120
    assert first == store.info("a.parquet")
    assert first.url == s3.url("out/a.parquet")
    assert store.info("b") is None
    assert pickle.loads(pickle.dumps(store)).read_bytes("a.parquet") == b"1"


def test_a_store_can_be_a_whole_bucket(s3: S3Place) -> None:
    s3.server.make_bucket("whole")
    store = Store("s3://whole")
    store.put("x/y", b"1")
    assert [info.relative for info in store.list()] == ["x/y"]
    assert [info.url for info in store.list("x")] == ["s3://whole/x/y"]
    assert store.info() is None
    store.delete("x/y")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_may_contain_any_character(name: str, store: Store) -> None:
    store.put(f"{name}/{name}.parquet", b"1")
    assert [info.relative for info in store.list(name)] == [f"{name}/{name}.parquet"]
    assert store.read_bytes(f"{name}/{name}.parquet") == b"1"
    store.delete_all([f"{name}/{name}.parquet", "other"])
    assert store.list() == []


def test_long_listings_come_in_pages_and_are_never_cached(store: Store) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: store.put(f"many/{number:04d}", b""), range(1_050)))
    assert len(store.list("many")) == 1_050
    assert store.list_calls == 2
    store.put("many/new", b"")
    assert len(list(store.scan("many"))) == 1_051
    store.delete_all([info.relative for info in store.scan()])
    assert store.list() == []


def test_readers_fetch_ranges_of_one_version(store: Store) -> None:
    old = random.Random(1).randbytes(4 * READ_AHEAD)
    store.put("x", old)
    with store.open("x") as file:
        file.seek(-3, os.SEEK_END)
        assert file.read(2) == old[-3:-1]
        file.seek(0)
        assert file.read(1) == old[:1]
        assert file.tell() == 1
        assert file.read() == old[1:]
        assert file.read() == b""
        file.seek(0)
        assert file.read(10) == old[:10]
        store.put("x", old[::-1])
        assert file.read(10) == old[10:20]
        file.seek(2 * READ_AHEAD)
        with pytest.raises(OSError, match=r"pre-?conditions"):
            file.read(3)


def test_empty_objects_come_back(store: Store) -> None:
    store.put("empty", b"")
    assert store.read_bytes("empty") == b""
    assert store.open("empty").read() == b""


def test_parquet_is_read_through_the_store(store: Store) -> None:
    source = find_shards("examples/shards")[0]
    data = Store(source.store_url).read_bytes(source.relative)
    store.put("a.parquet", data)
    assert pq.ParquetFile(store.open("a.parquet")).read().equals(pq.read_table(source.file))


def test_large_objects_are_uploaded_in_parts_and_leave_no_upload(store: Store, s3: S3Place) -> None:
    data = random.Random(0).randbytes(2 * PART_BYTES + 12_345)
    store.put("large", data)
    assert store.read_bytes("large") == data
    info = store.info("large")
    assert info is not None
    assert info.version.endswith("-3")
    assert store.compare_and_swap("large", data, None) is None
    assert s3.server.unfinished_uploads(s3.bucket) == []


def test_an_upload_whose_parts_fail_is_aborted(
    store: Store, s3: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = s3_requests.Bucket.call

    def failing(self: s3_requests.Bucket, method: str, **words: Any) -> Any:
        if words.get("PartNumber") == 2:
            raise OSError("the line is dead")
        return call(self, method, **words)

    monkeypatch.setattr(s3_requests.Bucket, "call", failing)
    with pytest.raises(JobError, match="the line is dead"):
        store.put("large", bytes(3 * PART_BYTES))
    assert s3.server.unfinished_uploads(s3.bucket) == []
    assert store.list() == []


def test_unfinished_uploads_are_removed_only_below_our_names(store: Store, s3: S3Place) -> None:
    client = s3.server.client()
    for name in ("out/enhanced/a", "out/other", "elsewhere/enhanced/a"):
        client.create_multipart_upload(Bucket=s3.bucket, Key=f"{s3.prefix}/{name}")
    assert store.remove_temporary(min_age_s=3600) == 0
    assert store.remove_temporary(belongs=lambda name: name.startswith("enhanced/")) == 1
    left = s3.server.unfinished_uploads(s3.bucket)
    assert left == [f"{s3.prefix}/elsewhere/enhanced/a", f"{s3.prefix}/out/other"]
    for upload in client.list_multipart_uploads(Bucket=s3.bucket)["Uploads"]:
        client.abort_multipart_upload(Bucket=s3.bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def test_the_server_decides_between_simultaneous_writers(store: Store) -> None:
    assert store.has_compare_and_swap()
    assert store.list(temporary=True) == []
    barrier = threading.Barrier(12)
    won: list[int] = []

    def claim(number: int) -> None:
        barrier.wait()
        if store.put_if_absent("claim", b"%d" % number):
            won.append(number)

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(claim, range(12)))
    assert [b"%d" % number for number in won] == [store.read_bytes("claim")]


def test_a_reader_without_write_access_and_a_stranger_are_refused(
    s3: S3Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(s3.url("in")).put("a.parquet", b"1")
    acting_as(READER, s3, monkeypatch)
    # Connections keep their credentials; this one is another because its options are.
    reading = Store(s3.url("in"), {"max_concurrency": 3})
    reading.check_readable()
    assert reading.read_bytes("a.parquet") == b"1"
    with pytest.raises(StoreRefused, match=r"cannot write to the output .*refused \(Access Denied") as caught:
        reading.check_writable()
    assert "policy" in caught.value.remedy
    with pytest.raises(StoreRefused, match="refused"):
        reading.delete_all(["a.parquet", "b.parquet"])
    acting_as(STRANGER, s3, monkeypatch)
    unknown = Store(s3.url("in"), {"max_concurrency": 4})
    with pytest.raises(StoreRefused, match=r"InvalidAccessKeyId.*; check AWS_ACCESS_KEY_ID"):
        unknown.check_readable()
    assert STRANGER.secret_key not in str(caught.value)


def test_a_missing_bucket_is_an_error(s3: S3Place) -> None:
    for verb in ("check_readable", "check_writable", "list"):
        with pytest.raises(StoreRefused, match=r"no-such-bucket.*NoSuchBucket.*; check the bucket's name"):
            getattr(Store("s3://no-such-bucket/x"), verb)()


def test_options_and_environment_take_precedence_over_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"):
        monkeypatch.delenv(name, raising=False)

    def config(**options: Any) -> dict[str, Any]:
        found: Any = client_options(options)["config_kwargs"]
        return dict(found)

    assert config()["retries"] == {"mode": "standard", "total_max_attempts": s3_requests.ATTEMPTS}
    assert "region_name" not in config()
    given = config(config_kwargs={"read_timeout": 7, "retries": {"max_attempts": 1}})
    assert (given["read_timeout"], given["retries"]) == (7, {"max_attempts": 1})
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "9")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert config()["retries"] == {"mode": "adaptive", "total_max_attempts": 9}
    assert config()["region_name"] == "eu-central-1"
    assert "region_name" not in config(client_kwargs={"region_name": "us-west-2"})
    assert client_options({"endpoint_url": "http://x"})["endpoint_url"] == "http://x"


def test_s3fs_options_of_the_user_reach_the_server(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    store = Store(
        s3.url("out"),
        {"endpoint_url": s3.server.endpoint, "s3_additional_kwargs": {"CacheControl": "no-store"}},
    )
    store.put("x", b"1")
    head = s3.server.client().head_object(Bucket=s3.bucket, Key=f"{s3.prefix}/out/x")
    assert head["CacheControl"] == "no-store"


def test_credentials_come_from_a_profile(s3: S3Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    lines = [
        "[profile lab]",
        f"endpoint_url = {s3.server.endpoint}",
        "region = us-east-1",
        f"aws_access_key_id = {READER.access_key}",
        f"aws_secret_access_key = {READER.secret_key}",
    ]
    (tmp_path / "config").write_text("\n".join(lines))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    Store(s3.url("in")).check_readable()
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(JobError, match=r"profile \(nobody\) could not be found; set AWS"):
        Store(s3.url("in")).check_readable()


def test_missing_credentials_are_reported_in_one_line(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StoreRefused, match="Unable to locate credentials; set AWS_ACCESS_KEY_ID"):
        Store(s3.url("in")).check_readable()


def test_a_refusal_has_the_code_of_the_server(s3: S3Place) -> None:
    """The refusals above are the server's, not an artefact of our client."""
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.server.client(READER).put_object(Bucket=s3.bucket, Key="x", Body=b"")
