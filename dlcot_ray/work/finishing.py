"""From edited traces to the tables of a work unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dlcot_ray.core.enhance import UNSOLVED
from dlcot_ray.core.policies.base import UnsolvedMode
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import (
    EnhancedRow,
    annotations_to_table,
    enhanced_table,
    preferences_table,
    rejected_table,
)
from dlcot_ray.work.counting import count_unit
from dlcot_ray.work.editing import Edited
from dlcot_ray.work.unit_input import UnitInput, UnitOptions


def finish_unit(unit: UnitInput, edited: Sequence[Edited], options: UnitOptions) -> UnitOutput:
    """The tables and counts of a unit.

    Args:
        unit: the rows; those that are no traces, repeat an id or are poison rows are in its `faults`.
        edited: the others, in order.
        options: the policy and the token counter.
    """
    policy = options.policy
    unwanted = [
        _unsolved(unit, item)
        for item in edited
        if policy.unsolved is UnsolvedMode.REJECT and item.enhancement.reason == UNSOLVED
    ]
    gone = {fault.row - unit.first_row for fault in unwanted}
    rows = [_row(item, options.count_tokens) for item in edited if item.judged.index not in gone]
    annotations = [item.judged.annotation for item in edited]
    rejected = sorted([*unit.faults, *unwanted], key=lambda fault: fault.row)
    pairs = preferences_table(rows if policy.preference_pairs else [])
    return UnitOutput(
        annotations=annotations_to_table(annotations),
        enhanced=enhanced_table(unit.table, rows),
        rejected=rejected_table(unit.table, rejected, unit.first_row),
        stats=count_unit(rows, edited, rejected, pairs.num_rows),
        preferences=pairs,
    )


def _unsolved(unit: UnitInput, item: Edited) -> RowFault:
    row, trace = unit.first_row + item.judged.index, item.judged.trace
    message = "the trace does not arrive at the reference answer"
    return RowFault(unit.file, row, trace.trace_id, Stage.POLICY, Cause.UNSOLVED, message)


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
