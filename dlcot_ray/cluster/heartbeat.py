"""Polls the ledger for its status, in a thread of its own because an answer may never come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from dlcot_ray.cluster.ledger.status import LedgerStatus
from dlcot_ray.terminal import note

ANSWER_S = 10.0
"""How long Ray may take to answer a question."""
_POLL_S = 2.0
_LAST_ANSWER_S = 2.0
"""How long the last poll of a run may take."""


class HeartbeatPoller:
    """Polls the ledger every two seconds until it is stopped.

    Args:
        ledger: from `open_ledger`.
        on_status: called in this thread with each answer; each event is in one answer only.

    Attributes:
        status: the last answer; None while the ledger does not answer.
        last_progress: when a unit or row was last started or finished (`time.monotonic`).
    """

    def __init__(self, ledger: Any, on_status: Callable[[LedgerStatus], None]) -> None:
        self.status: LedgerStatus | None = None
        self.last_progress = time.monotonic()
        self._ledger = ledger
        self._on_status = on_status
        self._acknowledged = self._lost_judges = self._crashes = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlcot-heartbeat", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Poll once more for the newest events, and end the thread."""
        self._stopped.set()
        self._thread.join(_LAST_ANSWER_S)

    def _run(self) -> None:
        import ray

        stopped = False
        while not stopped:
            stopped = self._stopped.wait(_POLL_S)
            if not ray.is_initialized():
                return
            try:
                answer = self._ledger.status.remote(self._acknowledged)
                status: LedgerStatus = ray.get(answer, timeout=_LAST_ANSWER_S if stopped else ANSWER_S)
            except Exception:
                # The supervisor ends the job if this lasts: `last_progress` does not move.
                self.status = None
                continue
            self.status, self._acknowledged = status, status.event_count
            self._on_status(status)
            if not self._stopped.is_set():
                self._warn(status)
            self.last_progress = max(self.last_progress, time.monotonic() - status.idle_s)

    def _warn(self, status: LedgerStatus) -> None:
        """Tell the user about lost judges, and about crashes each time that their number has doubled."""
        if status.lost_judges > self._lost_judges:
            note(
                f"{status.lost_judges} judges were lost with their nodes; their units in flight are requeued"
            )
        self._lost_judges = status.lost_judges
        if status.crashes > 2 * self._crashes:
            note(f"{status.crashes} worker processes crashed so far; their units in flight are requeued")
            self._crashes = status.crashes
