"""The live record: what a running job knows and its units do not tell, for `dlcot status`.

The driver puts one small object every few seconds: judges, engine, failed units. It is removed at the end,
because the manifest then has all of it. A killed driver leaves it behind; its age tells.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.layout import LIVE_FILE, Output
from dlcot_ray.storage.urls import is_hub

if TYPE_CHECKING:
    # For annotations only: `dlcot status` reads the record, but needs no columns.
    from dlcot_ray.outputs.results import UnitResult

EVERY_S = 5.0
"""Seconds between two records: as often as `dlcot status --watch` looks; nine cents a day on S3."""
FRESH_S = 60.0
"""Age in seconds from which a record is that of a driver that is gone."""
_SHOWN = 10
"""Failed units that are named; all are counted."""


@dataclass(frozen=True, slots=True)
class Live:
    """The state of a run.

    Attributes:
        judges: judges that run now.
        in_flight: units that a worker has started and not finished.
        idle_s: seconds since any unit or row was started or finished.
        requeued: units requeued after a crash or the loss of a node, so far.
        engine_busy_s, engine_s: seconds of model engines with work, and in all; 0 without an engine.
        failed: failed units of this run.
        failed_units: the first of them, as the manifest has them.
        written: when this was recorded, in seconds since 1970.
    """

    judges: int = 0
    in_flight: int = 0
    idle_s: float = 0.0
    requeued: int = 0
    engine_busy_s: float = 0.0
    engine_s: float = 0.0
    failed: int = 0
    failed_units: tuple[dict[str, Any], ...] = ()
    written: float = 0.0

    @property
    def engine_busy_share(self) -> float | None:
        """Busy share of the engines' seconds; None without an engine."""
        return round(self.engine_busy_s / self.engine_s, 4) if self.engine_busy_s else None

    def to_json(self) -> bytes:
        """The record as stored."""
        return json.dumps(asdict(self)).encode()


class LiveRecord:
    """Puts the live record of a run in a thread of its own. Use it as a context manager.

    A record that cannot be written is skipped, since no result depends on it. On the Hugging Face hub, where
    each would be a commit, there is none.

    Args:
        output: of the job.
        every_s: seconds between two records.
    """

    def __init__(self, output: Output, every_s: float | None = None) -> None:
        self._output, self._every_s = output, EVERY_S if every_s is None else every_s
        self._lock = threading.Lock()
        self._live = Live()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dlcot-live", daemon=True)

    def __enter__(self) -> Self:
        if not is_hub(self._output.store.given_url):
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._thread.ident is None:
            return
        self._thread.join(self._every_s)
        with suppress(JobError):
            self._output.store.delete(LIVE_FILE)

    def now(self) -> Live:
        """The state of the run so far."""
        with self._lock:
            return self._live

    def observe(self, *, judges: int, in_flight: int, idle_s: float, requeued: int) -> None:
        """Note the state of the workers; `requeued` units are new since the last call."""
        with self._lock:
            so_far = self._live.requeued + requeued
            self._live = replace(
                self._live, judges=judges, in_flight=in_flight, idle_s=round(idle_s, 1), requeued=so_far
            )

    def add(self, result: UnitResult) -> None:
        """Note a finished or failed unit."""
        with self._lock:
            live = replace(
                self._live,
                engine_busy_s=round(self._live.engine_busy_s + result.engine.busy, 3),
                engine_s=round(self._live.engine_s + result.engine.lasted, 3),
            )
            if result.error:
                shown = {"unit": result.name, "file": result.file, "rows": [result.start, result.stop]}
                failed = (*live.failed_units, {**shown, "error": result.error})
                live = replace(live, failed=live.failed + 1, failed_units=failed[:_SHOWN])
            self._live = live

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            live = replace(self.now(), written=time.time())
            with suppress(JobError):
                self._output.store.put(LIVE_FILE, live.to_json())


def read_live(output: Output, now: float) -> Live | None:
    """The live record of an output; None where there is none, or its driver is gone.

    Args:
        output: of the job.
        now: current time, in seconds since 1970.
    """
    data = output.read_state(LIVE_FILE)
    if data is None:
        return None
    try:
        found = json.loads(data)
        live = Live(**{**found, "failed_units": tuple(found["failed_units"])})
    except (ValueError, TypeError, KeyError):
        return None
    return live if now - live.written <= FRESH_S else None
