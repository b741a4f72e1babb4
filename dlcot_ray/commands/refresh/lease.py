"""One refresh at a time: a lease in the store, which expires unless its owner renews it.

A killed refresh cannot release its lease, so a lease expires by itself, and the next refresh takes it over.
It is taken, renewed and released by compare-and-swap only, so of two refreshes that try at once one wins.

The lease only keeps two refreshes from doing the same work. Correct publication does not depend on it, nor on
clocks: the pointer is switched by compare-and-swap (`root.py`). The clocks of different machines should agree
within a few seconds, or a lease expires that much too early or too late.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any

from dlcot_ray.errors import JobError
from dlcot_ray.storage.store import Store

LEASE_FILE = "_lease.json"
_RENEWALS = 3
"""Renewals per duration of a lease."""


@dataclass(frozen=True, slots=True)
class Holder:
    """`_lease.json`: owner, action, and expiry (seconds since 1970; 0 after release)."""

    owner: str
    action: str
    expires: float


class Busy(JobError):
    """Another refresh holds the lease."""


class Lease:
    """A context manager: holds the lease inside its ``with`` block.

    Args:
        store: the store of the root.
        action: the action it is for, shown to others that find it taken.
        seconds: how long it is valid without a renewal.

    Raises:
        Busy: from `__enter__`, if another refresh holds it.
    """

    def __init__(self, store: Store, action: str, seconds: float) -> None:
        self._store, self._action, self._seconds = store, action, seconds
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._version: str | None = None
        self._expires = 0.0
        self._lost = ""
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="dlcot-lease", daemon=True)

    def __enter__(self) -> Lease:
        version, holder = self._read()
        now = time.time()
        if holder is not None and holder.expires > now:
            raise Busy(
                f"another refresh ({holder.owner}, {holder.action}) holds {self._store.url(LEASE_FILE)} "
                f"for {holder.expires - now:.0f} s more",
                "wait until it ends; the lease of a killed refresh can be taken over after that time",
            )
        if not self._put(version, now + self._seconds):
            raise Busy(
                f"another refresh took {self._store.url(LEASE_FILE)} at this moment", "wait until it ends"
            )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()
        if not self._lost:
            try:
                self._put(self._version, 0.0)
            except JobError:
                # It cannot be released now, and expires by itself.
                return

    def check(self) -> None:
        """Make sure that this refresh still holds the lease.

        Raises:
            JobError: it does not.
        """
        if not self._lost and time.time() > self._expires:
            self._lost = "it could not be renewed in time"
        if self._lost:
            raise JobError(
                f"this refresh lost its lease ({self._lost}) and publishes nothing",
                "run it again; finished units are kept",
            )

    def _keep(self) -> None:
        while not self._done.wait(self._seconds / _RENEWALS):
            try:
                if not self._renew():
                    self._lost = "another refresh took it over"
                    return
            except JobError:
                # The store may answer again before the lease expires. `check` compares the time.
                continue

    def _renew(self) -> bool:
        if self._put(self._version, time.time() + self._seconds):
            return True
        # A renewal whose answer was lost changed the version, and the lease is still ours. So read the
        # version again, and renew once more if we are the owner.
        version, holder = self._read()
        ours = holder is not None and holder.owner == self.owner
        return ours and self._put(version, time.time() + self._seconds)

    def _put(self, version: str | None, expires: float) -> bool:
        data = json.dumps(asdict(Holder(self.owner, self._action, expires))).encode()
        written = self._store.compare_and_swap(LEASE_FILE, data, version)
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
