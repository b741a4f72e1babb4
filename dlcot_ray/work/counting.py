"""The counts of one work unit, taken from its edited traces and rejected rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.enhancement import Status
from dlcot_ray.errors import RowFault
from dlcot_ray.outputs.counts import Counts, UnitStats, counts, examples, length_class
from dlcot_ray.outputs.schemas import EnhancedRow
from dlcot_ray.work.editing import Edited
from dlcot_ray.work.unit_input import UnitInput


def count_unit(
    unit: UnitInput,
    rows: Sequence[EnhancedRow],
    edited: Sequence[Edited],
    faults: Sequence[RowFault],
    pairs: int,
) -> UnitStats:
    """Count what became of a unit's rows.

    Args:
        unit: the unit.
        rows: the rows of `enhanced/`.
        edited: every trace that was judged and edited, those that the policy rejects included.
        faults: the rejected rows.
        pairs: preference pairs.
    """
    enhancements = [row.enhancement for row in rows]
    enhanced = sum(enhancement.status is Status.ENHANCED for enhancement in enhancements)
    annotations = [item.judged.annotation for item in edited]
    gates = [(gate.name, gate.passed) for enhancement in enhancements for gate in enhancement.gates]
    return UnitStats(
        rows=unit.table.num_rows,
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
        by_passed=counts(str(passed.reason) for passed in unit.passed),
        by_cause=counts(str(fault.cause) for fault in faults),
        by_reason=counts(enhancement.reason for enhancement in enhancements),
        by_label=counts(
            approach.label.value for annotation in annotations for approach in annotation.approaches
        ),
        by_gate=counts(name for name, passed in gates if not passed),
        by_gate_passed=counts(name for name, passed in gates if passed),
        gate_examples=examples(
            (gate.name, row.trace.trace_id, gate.detail)
            for row in rows
            for gate in row.enhancement.gates
            if not gate.passed
        ),
        by_seam=counts(f"{seam.kind}:{seam.closed}" for e in enhancements for seam in e.seams),
        by_length=counts(
            f"{side}:{length_class(length)}"
            for row in rows
            for side, length in (("before", row.tokens_before), ("after", row.tokens_after))
        ),
        by_error=counts(str(outcome) for e in enhancements for outcome in e.errors),
        unsolved=sum(not item.enhancement.solved for item in edited if not item.judged.reason),
        pairs=pairs,
        without_messages=sum(row.messages is None for row in rows),
        writer_prefill=sum(item.tokens.prefill for item in edited),
        writer_cached=sum(item.tokens.cached for item in edited),
        writer_decode=sum(item.tokens.decode for item in edited),
    )


def _step_counts(annotations: Sequence[Annotation]) -> Counts:
    """Tokens, questions and failures of every step that asked a model."""
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
