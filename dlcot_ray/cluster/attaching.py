"""Before and while a process attaches to Ray: is the address one that answers, and are local files private?

Ray itself tries an address for minutes without a word, and explains failures of its own start in its own
terms. Everything here takes seconds and says what to do.
"""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.terminal import note

ANSWER_S = 5.0
"""How long the head of a cluster may take to accept a connection, in seconds."""
_SAY_S = 15.0
"""How long attaching may take before the user is told what is waited for, in seconds."""
_LONGEST_SOCKET = 107
"""Bytes of the longest name of a Unix socket."""
_SESSION = "/ray/session_2026-01-01_00-00-00_000000_0000000/sockets/plasma_store.sock"
"""What Ray appends to the directory of its sessions, at its longest."""


def check_address(address: str) -> None:
    """Check that something answers at the address of a cluster.

    Args:
        address: ``HOST:PORT`` of the head, or ``auto``, which Ray looks up itself.

    Raises:
        JobError: it has another form, or nothing answers within `ANSWER_S`.
    """
    if address.startswith("ray://"):
        raise JobError(
            f"cannot reach Ray at {address}: jobs do not run through Ray Client",
            "give HOST:PORT of the head (port 6379) from inside the cluster, or use ray job submit",
        )
    if address == "auto":
        return
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "/" in host:
        raise JobError(f"cannot read ray.address={address}", "give HOST:PORT of the head, auto, or local")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER_S).close()
    except (OSError, OverflowError, UnicodeError) as error:
        why = "no answer in time" if isinstance(error, TimeoutError) else reason_of(error)
        raise JobError(
            f"cannot reach Ray at {address} ({why})",
            "check ray.address and RAY_ADDRESS, and that the head runs and its port is open from here",
        ) from error


def private_directory() -> str:
    """A directory for sockets and logs of a local Ray, inside one that no other user may enter.

    Raises:
        JobError: none can be made, or its path is too long for sockets.
    """
    place = Path(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir(), f"dlcot-ray-{os.getuid()}").absolute()
    if len(f"{place}{_SESSION}".encode()) > _LONGEST_SOCKET:
        raise JobError(
            f"the path {place} is too long for the sockets of Ray",
            "set RAY_TMPDIR to a shorter directory on a local disk, such as /tmp",
        )
    try:
        with suppress(FileExistsError):
            place.mkdir(mode=0o700, parents=True)
        found = place.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise JobError(f"{place} belongs to somebody else", "set RAY_TMPDIR to a directory of your own")
        place.chmod(0o700)
    except OSError as error:
        raise JobError(
            f"Ray cannot be started: {place} cannot be made ({error.strerror})",
            "set RAY_TMPDIR to a directory that you may write",
        ) from error
    # Ray lets everybody into its own directory, so that lies inside the private one.
    return str(place / "ray")


def hide_token() -> None:
    """Let nobody else read the token that Ray writes for local clusters."""
    folder = Path("~/.ray").expanduser()
    for place, mode in ((folder, 0o700), (folder / "auth_token", 0o600)):
        with suppress(OSError, RuntimeError):
            place.chmod(mode)


@contextmanager
def said_while_waiting(where: str, terminal: int) -> Iterator[None]:
    """Tell the user every `_SAY_S` seconds that Ray is waited for.

    Args:
        where: address of the cluster, or ``local``.
        terminal: file descriptor for the line.
    """
    done = threading.Event()

    def say() -> None:
        waited = 0.0
        while not done.wait(_SAY_S):
            waited += _SAY_S
            with suppress(OSError):
                note(f"waiting for Ray at {where} ({waited:.0f} s)", terminal)

    thread = threading.Thread(target=say, name="dlcot-waiting", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def remedy_for(where: str, reason: str) -> str:
    """What to do about a Ray that could not be attached to or started."""
    if where != "local":
        return "check ray.address and RAY_ADDRESS; Ray and Python must have the same versions there and here"
    if "AF_UNIX" in reason:
        return "set RAY_TMPDIR to a shorter directory on a local disk, such as /tmp"
    if "ermission" in reason or "ead-only" in reason:
        return "set HOME and RAY_TMPDIR to directories that you may write"
    if "timed out during startup" in reason:
        return "this machine is too busy to start Ray in time: run the same command again"
    if "o space" in reason:
        return "free some space in /tmp and /dev/shm, or set RAY_TMPDIR"
    return "run dlcot doctor; other processes may hold the memory or the ports that Ray needs"
