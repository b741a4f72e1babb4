"""The figures of a running job to a tracker of experiments with the interface of W&B: trackio or wandb.

They are those of `dlcot status`, under the same names, as the driver knows them: numbers only, never text of
a trace. The tracker's package is imported only where a setting asks for it. A tracker that fails costs one
warning; the job goes on.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType, TracebackType
from typing import Any, Self

from dlcot_ray.credentials import showable
from dlcot_ray.errors import ConfigError, reason_of
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.telemetry.live import EVERY_S, Live
from dlcot_ray.terminal import note

NONE = "none"
_END_S = 60.0
"""How long a tracker may take to send the rest at the end."""


@dataclass(frozen=True, slots=True)
class _Package:
    """What a tracker's package takes besides the interface of W&B.

    Attributes:
        init: keyword arguments of ``init``.
        failed: keyword arguments of ``finish`` where the job failed.
    """

    init: Mapping[str, Any]
    failed: Mapping[str, Any]


_PACKAGES = MappingProxyType(
    {
        "trackio": _Package({"embed": False, "auto_log_cpu": False, "auto_log_gpu": False}, {}),
        # Without the settings wandb would send the console and the words of the command line as well, which
        # may hold a signed URL.
        "wandb": _Package(
            {
                "settings": {
                    "console": "off",
                    "login_timeout": 60,
                    "x_disable_meta": True,
                    "x_disable_stats": True,
                }
            },
            {"exit_code": 1},
        ),
    }
)


def check_tracker(name: str) -> None:
    """Check that the package of a tracker is installed.

    Args:
        name: `NONE`, or the name of the package.

    Raises:
        ConfigError: it is not.
    """
    if name != NONE and find_spec(name) is None:
        raise ConfigError(
            f"tracker={name} needs the package {name}, which is not installed",
            f"run: pip install 'dlcot-ray[{name}]'",
        )


class RunTracker:
    """Sends the figures of a run to a tracker, in a thread of its own. Use it as a context manager.

    Args:
        name: of the tracker; `NONE` sends nothing.
        project: of the tracker.
        run: name of the run; None takes the command and the fingerprint of the job.
        job: its configuration goes along, without credentials.
        figures: returns the figures now: name -> number, or None where it is not known.
        every_s: seconds between two looks.
    """

    def __init__(
        self,
        name: str,
        project: str,
        run: str | None,
        job: JobRecord,
        figures: Callable[[], Mapping[str, float | None]],
        every_s: float = EVERY_S,
    ) -> None:
        self._name, self._project, self._job = name, project, job
        self._run_name = run or f"{job.command}-{job.fingerprint}"
        self._figures, self._every_s = figures, every_s
        self._run: Any = None
        self._warned = False
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._name == NONE:
            return self
        try:
            with _silent():
                # trackio would finish the run of this context again, with a line on stdout, when Python ends.
                self._run = copy_context().run(self._start)
        except Exception as error:
            self._warn(error)
            return self
        note(f"figures go to {self._name}: project {self._project}, run {self._run_name}")
        self._thread = threading.Thread(target=self._send, name="dlcot-tracker", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is None:
            return
        self._stopped.set()
        end = threading.Thread(target=self._end, args=(error is not None,), daemon=True)
        with _silent():
            self._thread.join(self._every_s)
            end.start()
            end.join(_END_S)
        if end.is_alive():
            note(f"{self._name} did not take the last figures within {_END_S:g} s")

    def _start(self) -> Any:
        module = importlib.import_module(self._name)
        config = {"command": self._job.command, "fingerprint": self._job.fingerprint, **self._job.config}
        return module.init(
            project=self._project,
            name=self._run_name,
            group=self._job.fingerprint,
            config=showable(config),
            **_PACKAGES[self._name].init,
        )

    def _send(self) -> None:
        while not self._stopped.wait(self._every_s):
            self._log()

    def _end(self, failed: bool) -> None:
        self._log()
        try:
            self._run.finish(**(_PACKAGES[self._name].failed if failed else {}))
        except Exception as error:
            self._warn(error)

    def _log(self) -> None:
        known = {name: value for name, value in self._figures().items() if value is not None}
        try:
            self._run.log(known)
        except Exception as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        """Say once that the tracker fails."""
        if not self._warned:
            self._warned = True
            note(f"{self._name} does not take the figures ({reason_of(error)}); the job goes on")


def live_figures(live: Live) -> dict[str, float | None]:
    """Judges, units in flight, requeued and failed units, and the busy share of the engines."""
    return {
        "judges": live.judges,
        "in_flight": live.in_flight,
        "requeued": live.requeued,
        "failed": live.failed,
        "engine_busy_share": live.engine_busy_share,
    }


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what a tracker prints (an address, coloured) off stdout, which holds the job's summary alone."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
