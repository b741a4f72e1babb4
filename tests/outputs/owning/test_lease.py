"""The lease: one refresh at a time, also if its owner is killed, slow or late."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from dlcot_ray.errors import Busy, JobError
from dlcot_ray.outputs.owning.lease import LEASE_FILE, Lease
from dlcot_ray.storage.store import Store


def held(store: Store, owner: str, seconds: float) -> None:
    content = {"owner": owner, "action": "refresh", "expires": time.time() + seconds}
    store.put(LEASE_FILE, json.dumps(content).encode())


def test_a_second_refresh_is_refused_with_the_owner_and_the_time_left(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with Lease(store, "refresh", 60) as lease:
        with pytest.raises(Busy) as refused, Lease(store, "gc", 60):
            pass
        assert lease.owner in str(refused.value)
        assert " s more" in str(refused.value)
        lease.check()
    with Lease(store, "gc", 60) as lease:
        lease.check()


def test_an_expired_lease_is_taken_over(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    held(store, "a killed refresh", -0.1)
    with Lease(store, "refresh", 60) as lease:
        lease.check()


def test_a_damaged_lease_is_taken_over(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    store.put(LEASE_FILE, b"{half")
    with Lease(store, "refresh", 60) as lease:
        lease.check()


def test_a_lease_is_renewed_while_its_owner_runs(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with Lease(store, "refresh", 0.6) as lease:
        time.sleep(1.5)
        lease.check()
        with pytest.raises(Busy), Lease(store, "refresh", 60):
            pass


def test_a_refresh_that_lost_its_lease_notices_and_does_not_release_the_new_one(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    with Lease(store, "refresh", 0.6) as lease:
        held(store, "another", 60)
        time.sleep(0.5)
        with pytest.raises(JobError, match="lost its lease"):
            lease.check()
    assert json.loads(store.read_bytes(LEASE_FILE))["owner"] == "another"


def test_an_owner_that_slept_beyond_the_expiry_notices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(tmp_path))
    with Lease(store, "refresh", 60) as lease:
        later = time.time() + 61
        monkeypatch.setattr(time, "time", lambda: later)
        with pytest.raises(JobError, match="could not be renewed in time"):
            lease.check()


def test_of_many_simultaneous_refreshes_one_gets_the_lease(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    held(store, "a killed refresh", -1)
    start, over, won = threading.Barrier(8), threading.Event(), []

    def attempt() -> None:
        start.wait()
        try:
            with Lease(store, "refresh", 60) as lease:
                won.append(lease.owner)
                over.wait(20)
        except Busy:
            return

    threads = [threading.Thread(target=attempt) for _ in range(8)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 20
    while sum(thread.is_alive() for thread in threads) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    over.set()
    for thread in threads:
        thread.join(20)
    assert len(won) == 1
