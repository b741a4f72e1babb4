"""One writer at a time: a lease in the store, which expires unless its owner renews it.

A refresh holds one on its root, a job one on its output. A killed owner cannot release its lease, so a lease
expires by itself, and the next owner takes it over; on the machine of the killed process that is at once.
It is taken, renewed and released by compare-and-swap only, so of two owners that try at once one wins.

Jobs of the same settings share the lease of an output, because they write the same bytes under the same
names. A job that was started again need not wait for the lease of the one that was killed.

The lease only keeps two writers from working at once. Correct publication does not depend on it, nor on
clocks: the pointer of a refresh is switched by compare-and-swap, and a job looks at its units again before it
writes the manifest. The clocks of different machines should agree within a few seconds, or a lease expires
that much too early or too late.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from dlcot_ray.errors import Busy, JobError
from dlcot_ray.storage.store import Store

LEASE_FILE = "_lease.json"
_RENEWALS = 3
"""Renewals per duration of a lease."""
_ATTEMPTS = 5
"""How often a job tries to join others of its settings that renew at the same moment."""


@dataclass(frozen=True, slots=True)
class Holder:
    """`_lease.json`.

    Attributes:
        owner: host, process and a random number.
        action: what it does.
        expires: seconds since 1970; 0 after release.
        job: fingerprint of the job, if the lease is one of a job.
        machine: identity of the running kernel and its process numbers; empty where there is none.
        process: number of the process there.
    """

    owner: str
    action: str
    expires: float
    job: str = ""
    machine: str = ""
    process: int = 0

    def is_held(self, now: float) -> bool:
        """Whether its owner may still be at work; `now` in seconds since 1970."""
        return self.expires > now and not self._is_dead()

    def _is_dead(self) -> bool:
        """Whether its owner was a process of this machine that has ended."""
        if not self.machine or self.machine != _machine():
            return False
        try:
            os.kill(self.process, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False


class Lease:
    """A context manager: holds the lease inside its ``with`` block.

    Args:
        store: where `_lease.json` lies.
        action: what it is for, shown to others that find it taken.
        seconds: how long it is valid without a renewal.
        job: fingerprint of the job, which shares it with others of the same fingerprint. Empty: a refresh.
        alone: do not share it.

    Raises:
        Busy: from `__enter__`, if another owner holds it.
    """

    def __init__(
        self, store: Store, action: str, seconds: float, *, job: str = "", alone: bool = False
    ) -> None:
        self._store, self._action, self._seconds = store, action, seconds
        self._job, self._alone = job, alone
        self._noun = "job" if job else "refresh"
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._is_shared = False
        self._version: str | None = None
        self._expires = 0.0
        self._lost = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="dlcot-lease", daemon=True)

    def __enter__(self) -> Lease:
        for _ in range(_ATTEMPTS if self._job else 1):
            version, holder = self._read()
            self._refuse(holder)
            if self._put(version, time.time() + self._seconds):
                self._thread.start()
                return self
        raise Busy(
            f"another {self._noun} took {self._store.url(LEASE_FILE)} at this moment", "wait until it ends"
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._done.is_set():
            return
        self._done.set()
        self._thread.join()
        if self.is_only_ours:
            # If it cannot be released now, it expires by itself.
            with suppress(JobError):
                self._put(self._version, 0.0)

    @property
    def is_only_ours(self) -> bool:
        """Whether nobody took the lease or shared it."""
        return not self._lost and not self._is_shared

    def check(self) -> None:
        """Make sure that this refresh still holds the lease.

        Raises:
            JobError: it does not, or may not.
        """
        if not self._lost and time.time() > self._expires:
            self._lost = "it could not be renewed in time"
        self.check_taken()

    def check_taken(self) -> None:
        """Make sure that nobody else took the lease. Unlike `check`, a late renewal is no fault.

        Raises:
            JobError: somebody did.
        """
        if self._lost:
            raise JobError(
                f"this {self._noun} lost its lease ({self._lost}) and goes no further",
                "run it again; finished units are kept",
            )

    def _refuse(self, holder: Holder | None) -> None:
        now = time.time()
        if holder is None or not holder.is_held(now):
            return
        if self._is_of_same_job(holder) and not self._alone:
            self._is_shared = True
            return
        raise Busy(
            f"another {self._noun} ({holder.owner}, {holder.action}) holds {self._store.url(LEASE_FILE)} "
            f"for {holder.expires - now:.0f} s more",
            f"wait until it ends; the lease of a killed {self._noun} can be taken over after that time",
        )

    def _is_of_same_job(self, holder: Holder | None) -> bool:
        return holder is not None and bool(self._job) and holder.job == self._job

    def _keep(self) -> None:
        while not self._done.wait(self._seconds / _RENEWALS):
            try:
                if not self._renew():
                    self._lost = f"another {self._noun} took it over"
                    return
            except JobError:
                # The store may answer again before the lease expires. `check` compares the time.
                continue

    def _renew(self) -> bool:
        if self._put(self._version, time.time() + self._seconds):
            return True
        # A renewal whose answer was lost changed the version, and the lease is still ours. So read the
        # version again, and renew once more if we are the owner or share it with the owner.
        version, holder = self._read()
        ours = holder is not None and holder.owner == self.owner
        shared = self._is_of_same_job(holder)
        self._is_shared = self._is_shared or (shared and not ours)
        if not (ours or shared):
            return False
        return self._put(version, time.time() + self._seconds) or shared

    def _put(self, version: str | None, expires: float) -> bool:
        holder = Holder(self.owner, self._action, expires, self._job, _machine(), os.getpid())
        written = self._store.compare_and_swap(LEASE_FILE, json.dumps(asdict(holder)).encode(), version)
        if written is None:
            return False
        self._version, self._expires = written, expires
        return True

    def _read(self) -> tuple[str | None, Holder | None]:
        found = self._store.read_versioned(LEASE_FILE)
        if found is None:
            return None, None
        try:
            content: dict[str, Any] = json.loads(found.data)
            return found.version, Holder(**content)
        except (ValueError, TypeError):
            # A damaged lease cannot be renewed, so it is taken over.
            return found.version, None


def _machine() -> str:
    """The running kernel and the name space of its process numbers; empty where these have no names."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""
