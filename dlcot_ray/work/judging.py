"""Judging the traces of a work unit, or taking their stored annotations.

A failure of one trace never fails the unit: a trace that cannot be judged gets a placeholder annotation and a
reason, and passes through unchanged. Only a judge that cannot go on at all raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import (
    Annotation,
    JudgeStep,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    StepStatus,
)
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.judging.protocol import Judge, JudgeDied, JudgeError, JudgeUnavailable
from dlcot_ray.work.rows.budget import RowTooSlow

JUDGE_FAILED = "judge_failed"
TOO_LONG = "too_long"
TOO_SLOW = "too_slow"
NO_THINKING = "no_thinking"
"""The thinking block is empty: a row of a hybrid model that did not think."""
NOT_ANNOTATED = "not_annotated"
STALE_ANNOTATION = "stale_annotation"

DETAIL_CHARS = 500
"""Characters of an error's message that are kept."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A trace with its annotation.

    Attributes:
        index: the trace's place among the items of its unit.
        trace: the trace.
        annotation: of the judge, or a placeholder.
        reason, detail: why the trace was not judged; empty where it was.
    """

    index: int
    trace: Trace
    annotation: Annotation
    reason: str = ""
    detail: str = ""


async def judge_all(
    traces: Sequence[tuple[int, Trace]], judge: Judge, max_trace_chars: int, in_flight: int
) -> list[Judged]:
    """Judge traces, up to `in_flight` of them at once; the output keeps their order.

    A few workers share one iterator instead of a task per trace. A judge that never awaits then costs no
    scheduling, and one that awaits has up to `in_flight` traces on its engine.

    Args:
        traces: each with its place among the items of the unit.
        judge: annotates one trace at a time.
        max_trace_chars: a longer reasoning is not judged (code points).
        in_flight: how many traces are with the judge at once.

    Returns:
        One entry per trace; a trace that could not be judged has a placeholder annotation and a reason.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the judge cannot go on at all.
    """
    results: list[Judged | None] = [None] * len(traces)
    # Longest first, so that the unit does not end on one long trace alone; the output keeps its order.
    order = sorted(range(len(traces)), key=lambda place: -len(traces[place][1].reasoning))
    pending = iter(order)

    async def work() -> None:
        for place in pending:
            index, trace = traces[place]
            results[place] = await _judge_one(index, trace, judge, max_trace_chars)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(max(in_flight, 1), len(traces))):
                group.create_task(work())
    except ExceptionGroup as stopped:
        # One clear error for the caller; the other workers were cancelled because of it.
        raise stopped.exceptions[0] from None
    return [result for result in results if result is not None]


def minimal_annotation(trace: Trace, judge: str, reason: str, detail: str = "") -> Annotation:
    """The annotation of a trace that was not judged: one segment, no approaches, no fingerprint.

    The empty fingerprint matches no trace, so that a later run judges this one. The note of the only step
    says why it was not judged.
    """
    length = len(trace.reasoning)
    return Annotation(
        trace_id=trace.trace_id,
        fingerprint="",
        judge=judge,
        segment_offsets=(0, length) if length else (0,),
        sections=(Section(SectionKind.SOLUTION_EXPLORE, 0, 1),) if length else (),
        approaches=(),
        verifications=(),
        reference=None,
        reference_kind=ReferenceKind.NONE,
        first_correct_segment=None,
        loops=(),
        truncated=False,
        steps=(StepStatus(JudgeStep.MACRO, Source.RULES, 0.0, f"{reason}: {detail}" if detail else reason),),
    )


async def _judge_one(index: int, trace: Trace, judge: Judge, max_trace_chars: int) -> Judged:
    length = len(trace.reasoning)
    if not trace.reasoning.strip():
        return Judged(index, trace, minimal_annotation(trace, judge.identity, NO_THINKING), NO_THINKING)
    if length > max_trace_chars:
        detail = f"{length} characters, the limit is {max_trace_chars}"
        return Judged(
            index, trace, minimal_annotation(trace, judge.identity, TOO_LONG, detail), TOO_LONG, detail
        )
    try:
        annotation = await judge.judge(trace)
        misfit = _misfit(trace, annotation)
        if misfit:
            raise JudgeError(misfit)
        return Judged(index, trace, annotation)
    except (JobError, JudgeDied, JudgeUnavailable, MemoryError):
        raise
    except Exception as error:
        slow = isinstance(error, RowTooSlow)
        reason = TOO_SLOW if slow else JUDGE_FAILED
        detail = reason_of(error, DETAIL_CHARS, named=not slow)
        return Judged(index, trace, minimal_annotation(trace, judge.identity, reason, detail), reason, detail)


def recalled(index: int, trace: Trace, annotation: Annotation | None) -> Judged:
    """A trace with its stored annotation; without one, or with one of another text, it has a reason."""
    if annotation is None:
        return Judged(index, trace, minimal_annotation(trace, "", NOT_ANNOTATED), NOT_ANNOTATED)
    if annotation.segment_offsets[-1:] != (len(trace.reasoning),):
        covered = annotation.segment_offsets[-1] if annotation.segment_offsets else 0
        detail = f"it covers {covered} characters, the trace has {len(trace.reasoning)}"
        placeholder = minimal_annotation(trace, annotation.judge, STALE_ANNOTATION, detail)
        return Judged(index, trace, placeholder, STALE_ANNOTATION, detail)
    if not annotation.fingerprint and len(annotation.steps) == 1:
        reason, _, detail = annotation.steps[0].note.partition(": ")
        return Judged(index, trace, annotation, reason, detail)
    return Judged(index, trace, annotation)


def _misfit(trace: Trace, annotation: Annotation) -> str:
    """Why an annotation cannot belong to a trace, or an empty string.

    Its offsets decide which characters are kept, so this is checked before anything is cut.
    """
    covered = annotation.segment_offsets[-1] if annotation.segment_offsets else 0
    if annotation.trace_id != trace.trace_id:
        return f"the annotation is of trace {annotation.trace_id!r}"
    if covered != len(trace.reasoning):
        return f"the annotation covers {covered} characters, the trace has {len(trace.reasoning)}"
    return ""
