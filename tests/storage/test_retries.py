"""Which errors are followed by another attempt, how many there are, and how long the pauses between them."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

import pytest

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.storage.failures import StoreRefused
from dlcot_ray.storage.local_files import LocalBackend
from dlcot_ray.storage.retries import FIRST_PAUSE_S, FULL_JITTER, is_transient, retrying, with_retries
from dlcot_ray.storage.store import Store


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses of this thread, which the tests do not wait for; other threads sleep as ever."""
    seen: list[float] = []
    sleep, own = time.sleep, threading.get_ident()
    monkeypatch.setattr(time, "sleep", lambda s: seen.append(s) if threading.get_ident() == own else sleep(s))
    return seen


class Failing:
    """Raises an error in each of its first `failures` calls."""

    def __init__(self, error: Exception, failures: int = 100) -> None:
        self.error, self.failures, self.calls = error, failures, 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return self.calls


@pytest.mark.parametrize(
    "error", [OSError("reset"), JobError("overloaded"), InputFault("a.parquet", "reset")]
)
def test_transient_errors_are_retried_up_to_a_limit(error: Exception, pauses: list[float]) -> None:
    assert with_retries(2, Failing(error, 2)) == 3
    action = Failing(error, 2)
    with pytest.raises(type(error)) as caught:
        with_retries(1, action)
    assert caught.value is error
    assert action.calls == 2
    assert len(pauses) == 3


def test_pauses_double_and_are_half_to_all_of_their_limit(pauses: list[float]) -> None:
    with pytest.raises(OSError, match="reset"):
        with_retries(6, Failing(OSError("reset")))
    limits = [FIRST_PAUSE_S * 2**attempt for attempt in range(6)]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))
    pauses.clear()
    with pytest.raises(OSError, match="reset"):
        retrying(6, pause=FULL_JITTER)(Failing(OSError("reset")))
    assert all(0 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))


@pytest.mark.parametrize(
    "error",
    [
        StoreRefused("no credentials"),
        PermissionError(errno.EACCES, "denied"),
        OSError(errno.ENOSPC, "no space left"),
        OSError(errno.EROFS, "read-only"),
        ValueError("a defect of the program"),
    ],
)
def test_refusals_and_defects_are_never_retried(error: Exception, pauses: list[float]) -> None:
    action = Failing(error)
    with pytest.raises(type(error)):
        with_retries(5, action)
    assert (action.calls, pauses) == (1, [])


def test_an_open_that_the_store_refuses_is_never_retried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    refused = Failing(PermissionError(errno.EACCES, "denied"))
    monkeypatch.setattr(LocalBackend, "open", lambda self, relative: refused())
    store = Store(str(tmp_path))
    with pytest.raises(InputFault, match="permission denied") as caught:
        with_retries(5, lambda: store.open("a.parquet"))
    assert (refused.calls, pauses) == (1, [])
    # The refusal is recognised below further errors, too.
    outer = InputFault("a.parquet", "not readable")
    outer.__cause__ = caught.value
    assert not is_transient(outer)
