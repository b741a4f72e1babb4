"""Mathematical equivalence with a hard time limit: a CAS in one bounded helper process.

In: two answers. Out: a `Verdict`. A CAS can run without end on ten characters, and signals can interrupt it
in a main thread only. So it runs in a helper process, which is killed when it overruns and started again when
it is needed. The limit is the helper's CPU time, not time on the clock: a verdict decides labels and must be
the same on a busy machine. Exact comparison answers most questions first, and verdicts are cached. The helper
dies with its parent (end of pipe; on Linux also a parent-death signal).
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections import OrderedDict
from enum import StrEnum
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

from dlcot_ray.core.comparison.answer import read_answer
from dlcot_ray.core.comparison.outcome import Outcome
from dlcot_ray.core.evidence.equivalence import compare

START_SECONDS = 60.0
"""How long the helper may take to import the CAS; not counted against an answer."""

MEMORY_BYTES = 2 << 30
"""Address space of the helper: a CAS may ask for any amount of memory on ten characters."""

WALL_SECONDS = 60.0
"""Limit on the clock for one answer (seconds), in case the helper waits or gets no CPU time."""


class Verdict(StrEnum):
    """The result of a comparison: equal, different, or undecided for one of three reasons.

    ``UNKNOWN``: the texts do not tell. ``TIMEOUT`` and ``ERROR``: the CAS did not answer. Only a verdict that
    is `decided` may decide a label.
    """

    EQUAL = "equal"
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    TIMEOUT = "timeout"
    ERROR = "error"

    @property
    def decided(self) -> bool:
        """Whether the answers were found equal or different."""
        return self in (Verdict.EQUAL, Verdict.DIFFERENT)


class AnswerChecker:
    """Compares answers. Thread-safe; the helper is started lazily and pickles as not started.

    Args:
        timeout_seconds: CPU time of the helper for one comparison.
        cache_size: verdicts that are remembered.
    """

    def __init__(self, timeout_seconds: float = 2.0, cache_size: int = 65536) -> None:
        self._timeout = timeout_seconds
        self._cache_size = cache_size
        self._start()

    def _start(self) -> None:
        self._cache: OrderedDict[tuple[str, str], Verdict] = OrderedDict()
        self._lock = threading.Lock()
        self._process: Any = None
        self._pipe: Connection | None = None

    def __getstate__(self) -> dict[str, object]:
        return {"timeout": self._timeout, "cache_size": self._cache_size}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._timeout, self._cache_size = state["timeout"], state["cache_size"]
        self._start()

    def __enter__(self) -> AnswerChecker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def equivalent(self, answer: str, reference: str) -> bool:
        """True only where equality was established; an undecided comparison counts as not equal."""
        return self.verdict(answer, reference) is Verdict.EQUAL

    def verdict(self, answer: str, reference: str) -> Verdict:
        """Compare; raises nothing for any text."""
        found = compare(answer, reference)
        if isinstance(found, Outcome):
            return Verdict(found.value)
        key = found
        with self._lock:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]
            verdict = self._ask(*found)
            if verdict is Verdict.DIFFERENT and any(read_answer(text).prose for text in found):
                # The CAS may have compared something else that the prose mentions.
                verdict = Verdict.UNKNOWN
            self._cache[key] = verdict
            if len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
            return verdict

    def close(self) -> None:
        """Stop the helper. Safe to call twice; a later comparison starts it again."""
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()

    def _ask(self, answer: str, reference: str) -> Verdict:
        try:
            pipe = self._helper()
            pipe.send((answer, reference, self._timeout))
            if not pipe.poll(max(WALL_SECONDS, self._timeout)):
                self.close()
                return Verdict.TIMEOUT
            return Verdict(pipe.recv())
        except (OSError, EOFError, ValueError):
            overran = self._ended_by(signal.SIGPROF)
            self.close()
            return Verdict.TIMEOUT if overran else Verdict.ERROR
        except BaseException:
            # Interrupted: the answer that is still to come must not be taken for that of the next question.
            self.close()
            raise

    def _ended_by(self, number: signal.Signals) -> bool:
        if self._process is None:
            return False
        self._process.join(1.0)
        return bool(self._process.exitcode == -number)

    def _helper(self) -> Connection:
        if self._pipe is None:
            # A fresh interpreter without the parent's __main__: Ray workers cannot be forked or re-imported.
            context = multiprocessing.get_context("spawn")
            ours, theirs = context.Pipe()
            main = sys.modules["__main__"]
            saved = {n: getattr(main, n) for n in ("__file__", "__spec__") if hasattr(main, n)}
            process = context.Process(target=_serve, args=(theirs, os.getpid()), daemon=True)
            try:
                for name in saved:
                    setattr(main, name, None)
                process.start()
            finally:
                for name, value in saved.items():
                    setattr(main, name, value)
            theirs.close()
            self._process, self._pipe = process, ours
            if not ours.poll(START_SECONDS) or ours.recv() != "ready":
                raise OSError("the comparison helper did not start")
        return self._pipe


def _serve(pipe: Connection, parent: int) -> None:
    """The helper's loop: pairs in, verdicts out, until the pipe ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    logging.disable(logging.CRITICAL)
    from dlcot_ray.judging.symbolic import compare_formulas

    with contextlib.suppress(Exception):
        # The first comparison builds parsers and imports modules. Without this its time would count against
        # the limit of the first answer, which on a slow machine would be undecided.
        compare_formulas("\\frac{x}{2}+1", "1+x")
    pipe.send("ready")
    while True:
        try:
            answer, reference, seconds = pipe.recv()
        except (EOFError, OSError):
            return
        # The signal's default ends the process, also in the middle of a long multiplication.
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            verdict = Verdict(compare_formulas(answer, reference).value)
        except Exception:
            verdict = Verdict.ERROR
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipe.send(verdict.value)


def _limit_memory() -> None:
    """Bound the address space, and leave no core file where the helper is ended by a signal."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
