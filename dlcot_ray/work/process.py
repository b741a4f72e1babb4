"""One work unit: its rows in; annotations, enhanced and rejected rows out.

No Ray and no storage here, so that the job, the single-process benchmark and the tests run the same code. A
row never fails the unit: a row that is no trace is rejected with a cause, and a trace that could not be
judged or edited passes through unchanged, with the reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.work.editing import edit_all
from dlcot_ray.work.finishing import finish_unit
from dlcot_ray.work.judging import Judged, judge_all, recalled
from dlcot_ray.work.unit_input import UnitInput, UnitOptions


async def enhance_unit(unit: UnitInput, judge: Judge, options: UnitOptions) -> UnitOutput:
    """Judge and enhance the rows of one unit; the output is in input order.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: judge or writer cannot go on at all.
    """
    judged = await judge_all(unit.traces, judge, options.max_trace_chars, options.in_flight)
    return await _edited(unit, judged, options)


async def derive_unit(unit: UnitInput, annotations: pa.Table, options: UnitOptions) -> UnitOutput:
    """As `enhance_unit`, from stored annotations and without a judge.

    The writer is only asked about the segments that need a repair or a bridge. A trace without an annotation,
    or with one that does not fit its text, passes through unchanged.

    Args:
        unit: the rows.
        annotations: of schema `ANNOTATION_SCHEMA`, in any order.
        options: of the job.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the writer cannot go on at all.
    """
    stored: dict[str, list[Annotation]] = defaultdict(list)
    for annotation in annotations_from_table(annotations):
        stored[annotation.trace_id].append(annotation)
    judged = [recalled(place, trace, _take(stored[trace.trace_id], trace)) for place, trace in unit.traces]
    return await _edited(unit, judged, options)


def _take(stored: list[Annotation], trace: Trace) -> Annotation | None:
    """The annotation of a trace, out of those under its id in the order of the rows.

    Where an id repeats, the fingerprint tells which one belongs to the trace; else the next one does.
    """
    if len(stored) > 1:
        for at, annotation in enumerate(stored):
            if annotation.fingerprint == fingerprint(trace, annotation.judge):
                return stored.pop(at)
    return stored.pop(0) if stored else None


async def _edited(unit: UnitInput, judged: Sequence[Judged], options: UnitOptions) -> UnitOutput:
    edited = await edit_all(
        judged, options.policy, options.writer, options.in_flight, options.budget, options.watch
    )
    return finish_unit(unit, edited, options)
