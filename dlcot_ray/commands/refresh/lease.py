"""One refresh at a time: a lease in the store, with an owner and an end, renewed while its owner lives.

A killed refresh cannot give its lease back, so a lease ends by itself; the next refresh then takes it over.
It is taken, renewed and given back by conditional puts only, so that of two that try at once one wins. The
lease keeps two refreshes from doing the same work; that nothing wrong is published does not rest on it, nor
on clocks, but on the condition under which the pointer is switched (`root.py`). Clocks of different machines
should agree within a few seconds, or a lease ends that much too early or late.
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
"""How often a lease is renewed in the time that it lasts."""


@dataclass(frozen=True, slots=True)
class Holder:
    """`_lease.json`: who holds it, what for, and until when (seconds since 1970; 0 when given back)."""

    owner: str
    action: str
    expires: float


class Busy(JobError):
    """Another refresh holds the lease."""


class Lease:
    """Held inside a ``with`` block.

    Args:
        store: of the root.
        action: what for, for whoever finds it taken.
        seconds: how long it lasts without being renewed.

    Raises:
        Busy: another holds it; from `__enter__`.
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
        version, holder = self._look()
        now = time.time()
        if holder is not None and holder.expires > now:
            raise Busy(
                f"another refresh ({holder.owner}, {holder.action}) holds {self._store.url(LEASE_FILE)} "
                f"for {holder.expires - now:.0f} s more",
                "wait for it; one that was killed is taken over when that time is up",
            )
        if not self._put(version, now + self._seconds):
            raise Busy(
                f"another refresh took {self._store.url(LEASE_FILE)} at this moment", "wait for it to end"
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
                # It ends by itself.
                return

    def check(self) -> None:
        """Make sure that it is still ours.

        Raises:
            JobError: it is not.
        """
        if not self._lost and time.time() > self._expires:
            self._lost = "it could not be renewed in time"
        if self._lost:
            raise JobError(
                f"this refresh lost its lease ({self._lost}) and publishes nothing",
                "run it again: what is finished is kept",
            )

    def _keep(self) -> None:
        while not self._done.wait(self._seconds / _RENEWALS):
            try:
                if not self._renew():
                    self._lost = "another refresh took it over"
                    return
            except JobError:
                # The store may answer again before the lease ends; `check` looks at the clock.
                continue

    def _renew(self) -> bool:
        if self._put(self._version, time.time() + self._seconds):
            return True
        # A renewal whose answer got lost has moved the version on; the lease is ours all the same.
        version, holder = self._look()
        ours = holder is not None and holder.owner == self.owner
        return ours and self._put(version, time.time() + self._seconds)

    def _put(self, version: str | None, expires: float) -> bool:
        data = json.dumps(asdict(Holder(self.owner, self._action, expires))).encode()
        written = self._store.put_if_version(LEASE_FILE, data, version)
        if written is None:
            return False
        self._version, self._expires = written, expires
        return True

    def _look(self) -> tuple[str | None, Holder | None]:
        found = self._store.read_versioned(LEASE_FILE)
        if found is None:
            return None, None
        try:
            content: dict[str, Any] = json.loads(found.data)
            return found.version, Holder(**content)
        except (ValueError, TypeError):
            # Damaged: nobody can renew it, so it is taken over.
            return found.version, None
