"""The log of a job and its units: lines of JSON for programs that collect logs.

The driver writes all of it, from results and the ledger, so workers need no logger and nodes need no log
collector. Events from the ledger are late by up to a few seconds: `time` is when they happened, so sort by
`time`, not by line. Settings are never logged, and credentials in the text of an error become ``***``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from dlcot_ray.cluster.ledger.status import LedgerStatus
from dlcot_ray.cluster.ledger.unit_events import EventKind, UnitEvent
from dlcot_ray.config.groups import LogConfig
from dlcot_ray.credentials import scrubbed
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.results import UnitResult
from dlcot_ray.plan.names import parse_unit_name
from dlcot_ray.plan.plan import Plan
from dlcot_ray.terminal import note, printable_json

_LEVELS = {
    EventKind.UNIT_STARTED: logging.DEBUG,
    EventKind.UNIT_REQUEUED: logging.WARNING,
    EventKind.ROW_QUARANTINED: logging.WARNING,
    EventKind.UNIT_QUARANTINED: logging.ERROR,
}


class EventLog:
    """The log of one run. A context manager: it opens the file, and logs the error that ends the job.

    Args:
        config: format, file and minimum log level.
        job: the job's fingerprint, in every line.

    Raises:
        JobError: on entering, if the file cannot be written.
    """

    def __init__(self, config: LogConfig, job: str) -> None:
        self._config, self._job = config, job
        self._files: Mapping[str, str] = {}
        self._logger = logging.Logger("dlcot", getattr(logging, config.level.upper()))
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        if self._config.format != "json":
            self._logger.disabled = True
            return self
        if self._config.file is not None:
            try:
                self._file = Path(self._config.file).open("a", encoding="utf-8")
            except OSError as error:
                raise JobError(
                    f"cannot write {self._config.file} ({error.strerror})", "give another log.file"
                ) from error
        self._logger.addHandler(_Lines(self._file or sys.stderr))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, stack: TracebackType | None
    ) -> None:
        if error is not None:
            stopped = isinstance(error, KeyboardInterrupt)
            self._write(logging.ERROR, "job_failed", cause="stopped" if stopped else str(error))
        self._logger.disabled = True
        if self._file is not None:
            # `_Lines` has reported already what cannot be written.
            with suppress(OSError):
                self._file.close()

    def job_started(self, plan: Plan, command: str, *, rows: int, units: int) -> None:
        """Log that the job starts; `rows` and `units` are those left to do."""
        if not self._logger.disabled:
            self._files = {shard.name: shard.file for shard in plan.shards}
        self._write(logging.INFO, "job_started", command=command, rows=rows, units=units)

    def job_finished(self, manifest: Mapping[str, Any], *, nothing_to_do: bool = False) -> None:
        """Log that the job is finished, with the figures of the manifest."""
        totals, run = manifest["totals"], manifest["run"]
        names = ("rows", "enhanced", "unchanged", "rejected", "unfinished", "tokens_before", "tokens_after")
        self._write(
            logging.INFO,
            "job_finished",
            **{name: totals[name] for name in names},
            units=0 if nothing_to_do else run.get("units", 0),
            failed_units=len(manifest["failed_units"]),
            unusable_inputs=len(manifest["unusable_inputs"]),
            seconds=None if nothing_to_do else run["seconds"],
        )

    def unit(self, result: UnitResult) -> None:
        """Log that a unit is finished, or failed."""
        stats = result.stats
        about: dict[str, Any] = {"unit": result.name, "file": result.file, "first_row": result.start}
        spent: dict[str, Any] = {
            "attempt": result.effort.attempt or None,
            "seconds": round(result.effort.seconds, 3) if result.effort.attempt else None,
        }
        rows = result.stop - result.start
        if result.error:
            self._write(logging.ERROR, "unit_failed", **about, rows=rows, **spent, cause=result.error)
            return
        counts = {name: getattr(stats, name) for name in ("enhanced", "unchanged", "rejected")}
        self._write(logging.INFO, "unit_finished", **about, rows=rows, **counts, **spent)

    def observe(self, status: LedgerStatus) -> None:
        """Log the events of a status."""
        for event in status.events:
            self._write_event(event)

    def _write_event(self, event: UnitEvent) -> None:
        name = parse_unit_name(event.unit)
        about: dict[str, Any] = {"unit": event.unit}
        if name is not None:
            file = self._files.get(name.shard)
            about |= {"file": file, "first_row": name.start, "rows": name.stop - name.start}
        self._write(
            _LEVELS[event.kind],
            event.kind.value,
            at=event.at,
            **about,
            phase=event.phase.value,
            trace_id=event.row or None,
            attempt=event.attempt,
            cause=event.cause or None,
        )

    def _write(self, level: int, event: str, *, at: float | None = None, **about: Any) -> None:
        """Write one line, without the fields that are None."""
        if self._logger.disabled or not self._logger.isEnabledFor(level):
            return
        when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
        line = {
            "time": when.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": logging.getLevelName(level).lower(),
            "event": event,
            "job": self._job,
            **{
                name: scrubbed(value) if isinstance(value, str) else value
                for name, value in about.items()
                if value is not None
            },
        }
        # Passed as an argument, because a percent sign in a cause would be read as a format.
        self._logger.log(level, "%s", printable_json(json.dumps(line, ensure_ascii=False)))


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to a stream. If that fails, it reports so once, and the job goes on."""

    _failed = False

    def handleError(self, record: logging.LogRecord) -> None:
        if not self._failed:
            self._failed = True
            reason = getattr(sys.exc_info()[1], "strerror", None) or "the stream is closed"
            note(f"the log cannot be written ({reason}); the job goes on without")
