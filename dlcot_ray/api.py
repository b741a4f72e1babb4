"""The Python API: annotate and enhance single traces, in a script, in a notebook or in `datasets.map`.

It runs the steps of `dlcot enhance` without Ray: a judge, a policy, the gates. `Session` holds one judge with
its engine; the functions below keep one session per judge and process, and close it when the process ends.
As in the job, a trace that cannot be judged passes through unchanged, and its annotation says why.
"""

from __future__ import annotations

import atexit
import json
import os
import threading
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Self, TypeVar

from dlcot_ray.config.groups import DEFAULT_JUDGE
from dlcot_ray.config.judges import make_judge, writer_of
from dlcot_ray.config.loading import load_judge
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.diff import Diff, blocks_of
from dlcot_ray.core.edits import EditScript
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.trace import MAX_TRACE_CHARS, Trace
from dlcot_ray.errors import JobError
from dlcot_ray.judging.loop import LoopThread
from dlcot_ray.judging.protocol import JudgeUnavailable
from dlcot_ray.outputs.schemas import chat_messages
from dlcot_ray.work.editing import edit_all
from dlcot_ray.work.judging import judge_all, recalled

T = TypeVar("T")

_STOP_S = 30.0
"""How long closing waits for the loop to cancel what still runs."""


@dataclass(frozen=True, slots=True)
class Enhanced:
    """An enhanced trace. A notebook shows it as a diff against its source.

    Attributes:
        trace: the source.
        annotation: what the judge found.
        enhancement: the policy's result, with edits, gates and seams.
    """

    trace: Trace
    annotation: Annotation
    enhancement: Enhancement

    @property
    def reasoning(self) -> str:
        """The enhanced thinking text."""
        return self.enhancement.reasoning

    @property
    def changed(self) -> bool:
        """Whether anything was dropped, replaced or inserted."""
        return self.enhancement.status is Status.ENHANCED

    @property
    def reason(self) -> str:
        """Why nothing was changed, or which fallback was taken; empty for an ordinary edit."""
        return self.enhancement.reason

    @property
    def edits(self) -> EditScript:
        """All decisions over the trace's segments, in order."""
        return self.enhancement.script

    @property
    def gates(self) -> tuple[GateResult, ...]:
        """The checks of the edit."""
        return self.enhancement.gates

    @property
    def messages(self) -> list[dict[str, str]]:
        """The enhanced trace as a chat that is ready to train on."""
        return chat_messages(self.trace, self.reasoning)

    def _repr_html_(self) -> str:
        return diff(self.trace, self)._repr_html_()


class Session:
    """One judge with its engine, for as long as the context lasts. Safe to use from several threads.

    Args:
        judge: a name in `conf/judge/`, or the path of such a file.
        allow_code: take a file that names code outside dlcot, as `allow_code` of `dlcot enhance`.
        options: the judge's own settings, as `judge_options` of `dlcot enhance`.

    Raises:
        JobError: there is no such judge, or it cannot be started (on the first use).
    """

    def __init__(self, judge: str = DEFAULT_JUDGE, *, allow_code: bool = False, **options: Any) -> None:
        self._given = (judge, {"allow_code": allow_code, **options})
        self._config = load_judge(judge, options, allow_code=allow_code)
        self._judge = make_judge(self._config)
        self._lock = threading.Lock()
        self._loop = LoopThread("dlcot")
        self._is_started = False

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        # In another process it is a session of its own.
        judge, options = self._given
        return partial(Session, judge, **options), ()

    @property
    def judge(self) -> str:
        """Name and version of the judge."""
        return self._judge.identity

    def annotate(self, trace: Trace) -> Annotation:
        """What the judge finds in one trace.

        Raises:
            JobError: the judge cannot be started.
            JudgeDied: its engine ended.
        """
        return self.annotate_many([trace])[0]

    def annotate_many(self, traces: Sequence[Trace], in_flight: int | None = None) -> list[Annotation]:
        """The same for many traces, in their order; `in_flight` of them are with the judge at once.

        Raises:
            JobError: the judge cannot be started.
            JudgeDied: its engine ended.
        """
        work = judge_all(
            list(enumerate(traces)), self._judge, MAX_TRACE_CHARS, in_flight or self._config.in_flight
        )
        return [judged.annotation for judged in self._run(work)]

    def enhance(
        self, trace: Trace, annotation: Annotation | None = None, policy: str = DEFAULT_POLICY, **options: Any
    ) -> Enhanced:
        """Apply a policy; a judge with a model also writes the repairs and bridges that the edit needs.

        Args:
            trace: the source.
            annotation: of this trace; None annotates it first.
            policy: one or several joined by ``+``, as `policy=` of `dlcot enhance`.
            options: `errors`, `corrected`, `unsolved`, `min_keep`.

        Raises:
            PolicyError: there is no such policy or option.
            JobError, JudgeDied: as `annotate`.
        """
        parsed = parse_policy(policy, options)
        found = annotation if annotation is not None else self.annotate(trace)
        judged = recalled(0, trace, found)
        (edited,) = self._run(edit_all([judged], parsed, writer_of(self._judge), self._config.in_flight))
        return Enhanced(trace, found, edited.enhancement)

    def close(self) -> None:
        """Stop the engine. Safe to call twice; a later call of another method starts it again."""
        with self._lock:
            self._judge.close()
            self._loop.stop(_STOP_S)
            self._is_started = False

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        # On a thread of its own: in a notebook the caller's thread has a running loop already.
        try:
            self._start()
        except BaseException:
            work.close()
            raise
        return self._loop.call(work)

    def _start(self) -> None:
        with self._lock:
            if self._is_started:
                return
            try:
                self._judge.start()
            except JudgeUnavailable as error:
                raise JobError(error.message, error.remedy) from error
            self._loop.start(lambda: None)
            self._is_started = True


def annotate(trace: Trace, judge: str = DEFAULT_JUDGE, **options: Any) -> Annotation:
    """What a judge finds in one trace; see `Session.annotate`."""
    return _sessions.get(judge, options).annotate(trace)


def annotate_many(
    traces: Sequence[Trace], judge: str = DEFAULT_JUDGE, in_flight: int | None = None, **options: Any
) -> list[Annotation]:
    """The same for many traces; see `Session.annotate_many`."""
    return _sessions.get(judge, options).annotate_many(traces, in_flight)


def enhance(
    trace: Trace,
    annotation: Annotation | None = None,
    policy: str = DEFAULT_POLICY,
    *,
    judge: str = DEFAULT_JUDGE,
    judge_options: dict[str, Any] | None = None,
    **options: Any,
) -> Enhanced:
    """Apply a policy to one trace; see `Session.enhance`. Without an annotation `judge` makes one first."""
    return _sessions.get(judge, judge_options or {}).enhance(trace, annotation, policy, **options)


def diff(trace: Trace, result: Enhanced) -> Diff:
    """A trace before and after. ``print`` shows text, a notebook HTML."""
    script, offsets = result.edits, result.annotation.segment_offsets
    before, after = len(trace.reasoning), len(result.reasoning)
    why = f" ({result.reason})" if result.reason else ""
    title = f"{trace.trace_id}: {result.enhancement.status}{why}, {before:,} -> {after:,} characters"
    return Diff(title, tuple(blocks_of(trace.reasoning, offsets, script)))


class _Sessions:
    """The sessions that the functions above keep, one per judge.

    A forked process starts with none, because threads do not survive a fork. Pickled it is empty, so that
    `datasets` gets the same hash of a function that uses this module before and after the first call.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._open: dict[tuple[str, str], Session] = {}

    def __reduce__(self) -> tuple[type[_Sessions], tuple[()]]:
        return _Sessions, ()

    def get(self, judge: str, options: dict[str, Any]) -> Session:
        if self._process != os.getpid():
            self.__init__()  # type: ignore[misc]
        key = (judge, json.dumps(options, sort_keys=True, default=str))
        with self._lock:
            if key not in self._open:
                self._open[key] = Session(judge, **options)
            return self._open[key]

    def close(self) -> None:
        if self._process == os.getpid():
            for session in self._open.values():
                with suppress(Exception):
                    session.close()


_sessions = _Sessions()
atexit.register(_sessions.close)
