"""What happens to one work unit: rows in; annotations, enhanced and rejected rows out.

No Ray and no storage here, so that the job, the single-process benchmark and the tests run the very same
code. Nothing that concerns one row can fail the unit: a row that is no trace is rejected with a cause, a
trace that could not be judged or edited goes through unchanged and flagged. Traces are judged by a few
workers that share one iterator instead of a task each: a judge that never awaits then costs no
scheduling at all, and one that does has up to `in_flight` traces on its engine.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from dlcot_ray.core.annotation import (
    Annotation,
    JudgeStep,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    StepStatus,
)
from dlcot_ray.core.enhance import UNSOLVED
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.policies import Policy, UnsolvedMode
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, JobError, RowFault, Stage
from dlcot_ray.inputs.traces import ColumnMap, traces_of
from dlcot_ray.judging.protocol import Judge, JudgeDied, JudgeError, JudgeUnavailable, Writer
from dlcot_ray.outputs.counts import Counts, UnitStats, counts, length_class
from dlcot_ray.outputs.schemas import (
    PREFERENCE_SCHEMA,
    EnhancedRow,
    annotations_from_table,
    annotations_to_table,
    enhanced_table,
    preferences_table,
    rejected_table,
)
from dlcot_ray.work.editing import Edited, Judged, detail_of, edit_all

__all__ = ["Limits", "UnitOutput", "UnitStats", "derive_unit", "enhance_unit"]

JUDGE_FAILED = "judge_failed"
TOO_LONG = "too_long"
NOT_ANNOTATED = "not_annotated"
STALE_ANNOTATION = "stale_annotation"

NONE_CONDEMNED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings that keep one row from stalling a unit.

    Attributes:
        max_trace_chars: a longer reasoning passes through unjudged (code points).
    """

    max_trace_chars: int = 1_000_000


@dataclass(frozen=True, slots=True)
class UnitOutput:
    """The tables of a unit (schemas in `job/rows.py`) and their counts.

    `preferences` has no rows unless the policy asks for pairs; `facts` are for a refresh.
    """

    annotations: pa.Table
    enhanced: pa.Table
    rejected: pa.Table
    stats: UnitStats
    preferences: pa.Table = field(default_factory=PREFERENCE_SCHEMA.empty_table)
    facts: pa.Table | None = None


async def enhance_unit(
    table: pa.Table,
    *,
    file: str,
    shard_name: str,
    first_row: int,
    columns: ColumnMap,
    judge: Judge,
    policy: Policy,
    limits: Limits,
    count_tokens: Callable[[str], int],
    duplicate_rows: Collection[int] = frozenset(),
    in_flight: int = 64,
    writer: Writer | None = None,
    condemned: Mapping[str, str] = NONE_CONDEMNED,
) -> UnitOutput:
    """Judge and enhance the rows of one unit; the output is in input order whatever finishes first.

    Args:
        table: the unit's rows.
        file: the input file, for faults.
        shard_name: names rows without an id column.
        first_row: the file's row number of the unit's first row.
        columns: the preset, resolved against this file.
        judge: annotates one trace at a time.
        policy: what to cut.
        limits: see `Limits`.
        count_tokens: the length of a text in tokens.
        duplicate_rows: row numbers of the file whose ids occurred before; they are rejected. A mapping
            says where each occurred first.
        in_flight: how many traces may be with the judge at once.
        writer: supplies repairs and bridges; without one, errors and open seams stay as they are.
        condemned: ids of rows that must not reach the judge, and why; they are rejected.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the judge cannot go on at all.
    """
    rows = traces_of(table, columns, file=file, first_row=first_row, shard_name=shard_name)
    traces, faults = _separate(rows, first_row, file, duplicate_rows, condemned)
    judged = await judge_all(traces, judge, limits, in_flight)
    edited = await edit_all(judged, policy, writer, in_flight)
    return _finish(table, file, first_row, edited, faults, policy, count_tokens)


async def derive_unit(
    table: pa.Table,
    annotations: pa.Table,
    *,
    file: str,
    shard_name: str,
    first_row: int,
    columns: ColumnMap,
    policy: Policy,
    count_tokens: Callable[[str], int],
    duplicate_rows: Collection[int] = frozenset(),
    in_flight: int = 64,
    writer: Writer | None = None,
    condemned: Mapping[str, str] = NONE_CONDEMNED,
) -> UnitOutput:
    """As `enhance_unit`, from stored annotations and without a judge.

    A writer is only asked about the units that need a repair or a bridge. A trace that has no annotation,
    or one that does not fit its text, passes through unchanged.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the writer cannot go on at all.
    """
    rows = traces_of(table, columns, file=file, first_row=first_row, shard_name=shard_name)
    traces, faults = _separate(rows, first_row, file, duplicate_rows, condemned)
    stored = {annotation.trace_id: annotation for annotation in annotations_from_table(annotations)}
    judged = [_recalled(index, trace, stored.get(trace.trace_id)) for index, trace in traces]
    edited = await edit_all(judged, policy, writer, in_flight)
    return _finish(table, file, first_row, edited, faults, policy, count_tokens)


def minimal_annotation(trace: Trace, judge: str, reason: str, detail: str = "") -> Annotation:
    """The annotation of a trace that was not judged: one segment, no approaches, no fingerprint.

    The empty fingerprint matches none, so that a later run judges the trace; why it was not judged
    stands in the note of its only step.
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


def _separate(
    rows: Iterable[Trace | RowFault],
    first_row: int,
    file: str,
    duplicate_rows: Collection[int],
    condemned: Mapping[str, str],
) -> tuple[list[tuple[int, Trace]], list[RowFault]]:
    traces: list[tuple[int, Trace]] = []
    faults: list[RowFault] = []
    for index, row in enumerate(rows):
        number = first_row + index
        if isinstance(row, RowFault):
            faults.append(row)
        elif number in duplicate_rows:
            first = duplicate_rows[number] if isinstance(duplicate_rows, Mapping) else "in this job"
            message = f"the id {row.trace_id!r} occurred before: {first}"
            faults.append(RowFault(file, number, row.trace_id, Stage.PLAN, Cause.DUPLICATE_ID, message))
        elif row.trace_id in condemned:
            message = condemned[row.trace_id]
            faults.append(RowFault(file, number, row.trace_id, Stage.JUDGE, Cause.POISON_ROW, message))
        else:
            traces.append((index, row))
    return traces, faults


async def judge_all(
    traces: Sequence[tuple[int, Trace]], judge: Judge, limits: Limits, in_flight: int
) -> list[Judged]:
    """Judge numbered traces, up to `in_flight` of them at once; the output keeps their order.

    A trace that could not be judged comes back with a placeholder and the reason.

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
            results[place] = await _judge_one(index, trace, judge, limits)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(max(in_flight, 1), len(traces))):
                group.create_task(work())
    except ExceptionGroup as stopped:
        # One clear error for the caller; its siblings were cancelled on its account.
        raise stopped.exceptions[0] from None
    return [result for result in results if result is not None]


async def _judge_one(index: int, trace: Trace, judge: Judge, limits: Limits) -> Judged:
    length = len(trace.reasoning)
    if length > limits.max_trace_chars:
        detail = f"{length} characters, the limit is {limits.max_trace_chars}"
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
        detail = detail_of(error)
        annotation = minimal_annotation(trace, judge.identity, JUDGE_FAILED, detail)
        return Judged(index, trace, annotation, JUDGE_FAILED, detail)


def _recalled(index: int, trace: Trace, annotation: Annotation | None) -> Judged:
    if annotation is None:
        return Judged(index, trace, minimal_annotation(trace, "", NOT_ANNOTATED), NOT_ANNOTATED)
    if annotation.segment_offsets[-1:] != (len(trace.reasoning),):
        detail = (
            f"it speaks of {annotation.segment_offsets[-1:]} characters, the trace has {len(trace.reasoning)}"
        )
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


def _finish(
    table: pa.Table,
    file: str,
    first_row: int,
    edited: Sequence[Edited],
    faults: Sequence[RowFault],
    policy: Policy,
    count_tokens: Callable[[str], int],
) -> UnitOutput:
    unwanted = [
        _unsolved(item, file, first_row)
        for item in edited
        if policy.unsolved is UnsolvedMode.REJECT and item.enhancement.reason == UNSOLVED
    ]
    gone = {fault.row - first_row for fault in unwanted}
    rows = [_row(item, count_tokens) for item in edited if item.judged.index not in gone]
    annotations = [item.judged.annotation for item in edited]
    rejected = sorted([*faults, *unwanted], key=lambda fault: fault.row)
    pairs = preferences_table(rows if policy.preference_pairs else [])
    return UnitOutput(
        annotations=annotations_to_table(annotations),
        enhanced=enhanced_table(table, rows),
        rejected=rejected_table(table, rejected, first_row),
        stats=_stats(rows, edited, rejected, pairs.num_rows),
        preferences=pairs,
    )


def _unsolved(item: Edited, file: str, first_row: int) -> RowFault:
    row, trace = first_row + item.judged.index, item.judged.trace
    message = "the trace does not arrive at the reference answer"
    return RowFault(file, row, trace.trace_id, Stage.POLICY, Cause.UNSOLVED, message)


def _row(item: Edited, count_tokens: Callable[[str], int]) -> EnhancedRow:
    trace, annotation, enhancement = item.judged.trace, item.judged.annotation, item.enhancement
    before = count_tokens(trace.reasoning)
    same = enhancement.reasoning == trace.reasoning
    return EnhancedRow(
        index=item.judged.index,
        trace=trace,
        enhancement=enhancement,
        segment_offsets=annotation.segment_offsets,
        tokens_before=before,
        tokens_after=before if same else count_tokens(enhancement.reasoning),
        judge=annotation.judge,
        fingerprint=annotation.fingerprint,
    )


def _stats(
    rows: Sequence[EnhancedRow], edited: Sequence[Edited], faults: Sequence[RowFault], pairs: int
) -> UnitStats:
    enhancements = [row.enhancement for row in rows]
    enhanced = sum(enhancement.status is Status.ENHANCED for enhancement in enhancements)
    annotations = [item.judged.annotation for item in edited]
    gates = [(gate.name, gate.passed) for enhancement in enhancements for gate in enhancement.gates]
    return UnitStats(
        rows=len(rows) + len(faults),
        enhanced=enhanced,
        unchanged=len(rows) - enhanced,
        rejected=len(faults),
        tokens_before=sum(row.tokens_before for row in rows),
        tokens_after=sum(row.tokens_after for row in rows),
        prefill=sum(annotation.tokens.prefill for annotation in annotations),
        cached=sum(annotation.tokens.cached for annotation in annotations),
        decode=sum(annotation.tokens.decode for annotation in annotations),
        by_judge=counts(annotation.judge.partition(" ")[0] for annotation in annotations),
        by_step=_step_counts(annotations),
        by_cause=counts(str(fault.cause) for fault in faults),
        by_reason=counts(enhancement.reason for enhancement in enhancements),
        by_label=counts(
            approach.label.value for annotation in annotations for approach in annotation.approaches
        ),
        by_gate=counts(name for name, passed in gates if not passed),
        by_gate_passed=counts(name for name, passed in gates if passed),
        by_seam=counts(f"{seam.kind}:{seam.closed}" for e in enhancements for seam in e.seams),
        by_length=counts(
            f"{side}:{length_class(length)}"
            for row in rows
            for side, length in (("before", row.tokens_before), ("after", row.tokens_after))
        ),
        by_error=counts(str(outcome) for e in enhancements for outcome in e.errors),
        unsolved=sum(not item.enhancement.solved for item in edited if not item.judged.reason),
        pairs=pairs,
        writer_prefill=sum(item.tokens.prefill for item in edited),
        writer_cached=sum(item.tokens.cached for item in edited),
        writer_decode=sum(item.tokens.decode for item in edited),
    )


def _step_counts(annotations: Sequence[Annotation]) -> Counts:
    """What the steps cost that put questions to a model."""
    found: Counter[str] = Counter()
    for annotation in annotations:
        for status in annotation.steps:
            if not status.questions:
                continue
            figures = {
                "prefill": status.tokens.prefill,
                "cached": status.tokens.cached,
                "decode": status.tokens.decode,
                "questions": status.questions,
                "reasked": status.reasked,
                "failed": int(bool(status.note)),
            }
            found.update({f"{status.step.value}.{name}": figure for name, figure in figures.items()})
    return counts({word: figure for word, figure in found.items() if figure})
