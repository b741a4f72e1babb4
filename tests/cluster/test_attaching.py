"""Attaching to Ray: seconds instead of minutes, one line, a true remedy; local files for nobody else."""

from __future__ import annotations

import os
import socket
import stat
import time
from pathlib import Path

import pytest

from dlcot_ray.cluster import attaching
from dlcot_ray.cluster.attaching import check_address, private_directory, remedy_for, said_while_waiting
from dlcot_ray.errors import JobError


def test_an_address_where_nothing_answers_is_reported_within_seconds() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(
        JobError, match=rf"cannot reach Ray at 127\.0\.0\.1:{port} .*refused.*; check ray\.address"
    ):
        check_address(f"127.0.0.1:{port}")
    assert time.monotonic() - begin < attaching.ANSWER_S + 1


def test_a_head_that_does_not_accept_is_reported_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "ANSWER_S", 0.3)

    def slow(address: object, timeout: float) -> socket.socket:
        time.sleep(timeout)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", slow)
    with pytest.raises(JobError, match="no answer in time"):
        check_address("head:6379")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("ray://head:10001", "not run through Ray Client; give HOST:PORT"),
        ("http://head:8265", "give HOST:PORT"),
        ("head", "give HOST:PORT"),
        ("head:x", "give HOST:PORT"),
        ("head:99999999", "cannot reach Ray"),
    ],
)
def test_an_address_of_another_form_is_refused(address: str, says: str) -> None:
    with pytest.raises(JobError, match=says):
        check_address(address)


def test_a_listening_head_is_taken() -> None:
    with socket.socket() as head:
        head.bind(("127.0.0.1", 0))
        head.listen()
        check_address(f"127.0.0.1:{head.getsockname()[1]}")
    check_address("auto")


def test_the_directory_of_a_local_ray_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Path("/tmp") / f"d{os.getpid()}"
    monkeypatch.setenv("RAY_TMPDIR", str(short))
    try:
        place = Path(private_directory()).parent
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
        place.chmod(0o777)
        assert stat.S_IMODE(Path(private_directory()).parent.stat().st_mode) == 0o700
        place.rmdir()
        place.symlink_to(tmp_path)
        with pytest.raises(JobError, match="belongs to somebody else; set RAY_TMPDIR"):
            private_directory()
        place.unlink()
        place.parent.rmdir()
        short.write_text("a file")
        with pytest.raises(JobError, match="set RAY_TMPDIR to a directory that you may write"):
            private_directory()
    finally:
        short.unlink()


def test_a_directory_that_is_too_long_for_sockets_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_TMPDIR", "/tmp/" + "long" * 20)
    with pytest.raises(JobError, match="too long for the sockets of Ray; set RAY_TMPDIR to a shorter"):
        private_directory()


def test_a_wait_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attaching, "_SAY_S", 0.1)
    read, write = os.pipe()
    with said_while_waiting("head:6379", write):
        time.sleep(0.35)
    os.close(write)
    with os.fdopen(read) as lines:
        assert lines.readline().startswith("dlcot: waiting for Ray at head:6379")


def test_remedies_fit_the_reason() -> None:
    assert "shorter" in remedy_for("local", "AF_UNIX path length cannot exceed 107 bytes")
    assert "HOME" in remedy_for("local", "[Errno 13] Permission denied: '/root/.ray'")
    assert "busy" in remedy_for("local", "The current node timed out during startup.")
    assert "ray.address" in remedy_for("head:6379", "Permission denied")
