"""The store on an object store with faults: a real server behind a proxy that makes them."""

from __future__ import annotations

import io
import os
import random
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import s3fs

from dlcot_ray.errors import JobError
from dlcot_ray.storage import backend, s3_requests
from dlcot_ray.storage import store as store_module
from dlcot_ray.storage.failures import MissingObject, StoreRefused
from dlcot_ray.storage.store import Store
from tests.support.faulty_proxy import Faults, FaultyProxy, faulty
from tests.support.seaweed import S3Place, S3Server


@pytest.fixture(scope="module")
def proxy(s3_server: S3Server) -> Iterator[FaultyProxy]:
    with faulty(s3_server) as running:
        yield running


@pytest.fixture
def place(proxy: FaultyProxy, s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> S3Place:
    """A prefix on the real server; the environment names the proxy as its endpoint."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.server.endpoint)
    proxy.inject(Faults())
    return s3


@pytest.fixture
def store(place: S3Place) -> Store:
    return Store(place.url("out"))


def test_a_small_parquet_file_of_many_columns_takes_one_read(store: Store, proxy: FaultyProxy) -> None:
    made = io.BytesIO()
    pq.write_table(pa.table({f"c{number}": [number] * 50 for number in range(40)}), made)
    store.put("a.parquet", made.getvalue())
    proxy.inject(Faults())
    assert pq.ParquetFile(store.open("a.parquet"), pre_buffer=False).read().num_columns == 40
    assert proxy.requests == {"HEAD": 1, "GET": 1}


def test_an_answer_that_breaks_off_is_asked_for_again(store: Store, proxy: FaultyProxy) -> None:
    # The text of a 404 is read by the client itself, before the store sees it.
    proxy.inject(Faults(truncate=0.5), seed=8)
    with pytest.raises(MissingObject):
        store.read_bytes("missing.json")
    assert proxy.injected["truncate"] > 0


FAULTS = {
    "slow_down": Faults(slow_down=0.25),
    "reset_before": Faults(reset_before=0.25),
    "reset_after": Faults(reset_after=0.25),
    "truncate": Faults(truncate=0.4),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_transient_faults_are_hidden_by_retries(
    fault: str, store: Store, place: S3Place, proxy: FaultyProxy
) -> None:
    proxy.inject(FAULTS[fault], seed=3)
    contents = {f"u/{number:02d}": random.Random(number).randbytes(50_000) for number in range(12)}
    for name, data in contents.items():
        store.put(name, data)
    assert [info.relative for info in store.list("u")] == sorted(contents)
    assert {name: store.read_bytes(name) for name in contents} == contents
    with store.open("u/03") as file:
        file.seek(1_000)
        assert file.read(20_000) == contents["u/03"][1_000:21_000]
    assert proxy.injected[fault] > 2
    store.delete_all(list(contents))
    proxy.inject(Faults())
    assert place.objects("out") == {}


def test_an_upload_in_parts_survives_faults(
    store: Store, place: S3Place, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_requests, "PART_BYTES", 5 << 20)
    data = random.Random(1).randbytes(32 << 20)
    proxy.inject(Faults(slow_down=0.1, reset_before=0.1, reset_after=0.2), seed=1)
    # The conditional put must recognise its own completed upload after a lost answer.
    writes = s3_requests.Bucket(s3fs.S3FileSystem(**s3_requests.client_options({})), place.bucket)
    etag = writes.put_in_parts(f"{place.prefix}/large", data, {"IfNoneMatch": "*"})
    assert proxy.injected["reset_after"] > 0
    proxy.inject(Faults())
    assert Store(place.url()).read_bytes("large") == data
    assert place.server.client().head_object(Bucket=place.bucket, Key=f"{place.prefix}/large")["ETag"] == etag
    assert place.server.unfinished_uploads(place.bucket) == []


def test_a_conditional_put_whose_answer_was_lost_succeeded(store: Store, proxy: FaultyProxy) -> None:
    assert store.has_compare_and_swap()
    proxy.inject(Faults(reset_after=0.4), seed=2)
    names = [f"claim-{number}" for number in range(12)]
    assert [store.put_if_absent(name, b"") for name in names] == [True] * 12
    assert proxy.injected["reset_after"] > 2
    assert [store.put_if_absent(name, b"") for name in names] == [False] * 12


def test_a_short_stall_is_harmless(store: Store, proxy: FaultyProxy) -> None:
    proxy.inject(Faults(stall=1.0, stall_s=5.0))
    begin = time.monotonic()
    store.put("x", b"1")
    assert time.monotonic() - begin < 12
    assert proxy.requests["PUT"] == 1


@pytest.mark.parametrize("verb", ["check_readable", "check_writable"])
def test_a_store_that_never_answers_is_reported_in_time(
    verb: str, store: Store, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store_module.CHECK_S < 15
    monkeypatch.setattr(store_module, "CHECK_S", 2.0)
    proxy.inject(Faults(stall=1.0, stall_s=60.0))
    begin = time.monotonic()
    with pytest.raises(JobError, match=r"no answer in time; check the network and the endpoint"):
        getattr(store, verb)()
    assert time.monotonic() - begin < 8


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ExpiredToken", "renew them"),
        ("InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID"),
        ("SignatureDoesNotMatch", "check AWS_SECRET_ACCESS_KEY"),
        ("RequestTimeTooSkewed", "clock"),
        ("AccessDenied", "policy"),
    ],
)
def test_refusals_are_reported_at_once_and_never_retried(
    code: str, remedy: str, store: Store, proxy: FaultyProxy
) -> None:
    proxy.inject(Faults(refuse=code))
    verbs: list[Any] = [store.check_readable, store.check_writable, store.list, lambda: store.read_bytes("x")]
    for verb in verbs:
        with pytest.raises(StoreRefused, match=code) as caught:
            verb()
        assert remedy in caught.value.remedy
        assert os.environ["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)
    assert sum(proxy.requests.values()) == len(verbs)


def test_an_overloaded_store_is_reported_after_the_last_attempt(
    store: Store, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "3")
    proxy.inject(Faults(slow_down=1.0))
    limited = Store(store.given_url)
    with pytest.raises(JobError, match=r"overloaded .*; run again later or with fewer workers"):
        limited.put("x", b"1")
    assert proxy.requests["PUT"] == 3


def test_a_dead_endpoint_is_reported_in_seconds(s3: S3Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    begin = time.monotonic()
    with pytest.raises(JobError, match=r"check the network and the endpoint"):
        Store(f"s3://{uuid4().hex}").check_readable()
    assert time.monotonic() - begin < 20


def test_a_store_that_ignores_conditions_is_detected_and_handled(
    place: S3Place, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend.put_and_read_back, "__defaults__", (0.2,))
    # Plain bodies, because the proxy sends them again.
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    proxy.inject(Faults(ignore_conditions=True))
    store = Store(place.url("out"))
    assert not store.has_compare_and_swap()
    assert proxy.injected["ignore_conditions"] == 1
    version = store.compare_and_swap("lease", b"a", None)
    assert version is not None
    assert store.compare_and_swap("lease", b"b", None) is None
    assert store.compare_and_swap("lease", b"c", '"other"') is None
    assert store.compare_and_swap("lease", b"d", version) is not None
    assert store.read_bytes("lease") == b"d"
    assert place.objects("out") == {"lease": b"d"}
