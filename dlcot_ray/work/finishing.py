"""From edited traces to the tables of a work unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import UNSOLVED
from dlcot_ray.core.policies.base import UnsolvedMode
from dlcot_ray.core.policies.scores import rank_surprisal_ratio
from dlcot_ray.errors import Cause, RowFault, Stage
from dlcot_ray.inputs.choices import Reply
from dlcot_ray.inputs.conversations.homes import Home, messages_type, pair_of, turns_type
from dlcot_ray.inputs.conversations.loss_spans import Maskable, Masked, unit_masks
from dlcot_ray.inputs.conversations.unit_messages import Shown, unit_messages
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import (
    EnhancedRow,
    annotations_to_table,
    enhanced_table,
    makes_pair,
    masked_table,
    preferences_table,
    rejected_table,
)
from dlcot_ray.work.counting import count_unit
from dlcot_ray.work.editing import Edited
from dlcot_ray.work.judging import TOO_SLOW
from dlcot_ray.work.unit_input import UnitInput, UnitOptions


def finish_unit(unit: UnitInput, edited: Sequence[Edited], options: UnitOptions) -> UnitOutput:
    """The tables and counts of a unit.

    Args:
        unit: the rows; those that are no traces, repeat an id or are poison rows are in its `faults`.
        edited: the others, in order.
        options: the policy and the token counter.
    """
    policy = options.policy
    unwanted = [fault for item in edited if (fault := _unwanted(unit, item, options)) is not None]
    gone = {(fault.row, fault.part) for fault in unwanted}
    kept = [item for item in edited if _place(unit, item) not in gone]
    shown = [_shown(unit, item) for item in kept]
    messages = unit_messages(shown)
    masks = _masks(unit, kept, shown) if policy.loss_spans else [None] * len(kept)
    rows = [
        _row(unit, item, options, chat, mask, one.answer)
        for item, one, chat, mask in zip(kept, shown, messages, masks, strict=True)
    ]
    annotations = [item.judged.annotation for item in edited]
    rejected = sorted([*unit.faults, *unwanted], key=lambda fault: (fault.row, fault.part))
    pairs = preferences_table(rows if policy.preference_pairs else [], turns_type(unit.columns))
    return UnitOutput(
        annotations=annotations_to_table(annotations),
        enhanced=enhanced_table(unit.table, rows, messages_type(unit.columns)),
        rejected=rejected_table(unit.table, rejected, unit.first_row),
        stats=count_unit(unit, rows, edited, rejected, pairs.num_rows),
        preferences=pairs,
        masked=masked_table(rows, messages_type(unit.columns)),
    )


def _place(unit: UnitInput, item: Edited) -> tuple[int, int]:
    """The row of the input file, and which of its traces."""
    slot = unit.items[item.judged.index].slot
    return unit.first_row + slot.row, slot.part


def _unwanted(unit: UnitInput, item: Edited, options: UnitOptions) -> RowFault | None:
    """Why a judged trace is rejected; None where it stays."""
    reason = item.enhancement.reason
    if options.policy.unsolved is UnsolvedMode.REJECT and reason == UNSOLVED:
        why = (Stage.POLICY, Cause.UNSOLVED, "the trace does not arrive at the reference answer")
    elif options.reject_slow and reason == TOO_SLOW:
        gates = item.enhancement.gates
        why = (Stage.JUDGE, Cause.TOO_SLOW, gates[-1].detail if gates else reason)
    else:
        return None
    row, part = _place(unit, item)
    return RowFault(unit.file, row, item.judged.trace.trace_id, *why, part=part)


def _shown(unit: UnitInput, item: Edited) -> Shown:
    """What the messages of a trace are made of."""
    found = unit.items[item.judged.index]
    annotation, enhancement = item.judged.annotation, item.enhancement
    builds = unit.columns.choices.reply is Reply.ANSWER and enhancement.solved
    known = annotation.reference if annotation.reference_kind is ReferenceKind.GROUND_TRUTH else None
    return Shown(found.slot.row, found.home or Home(), enhancement.reasoning, known if builds else None)


def _masks(unit: UnitInput, kept: Sequence[Edited], shown: Sequence[Shown]) -> list[Masked | None]:
    """The whole conversations, with what the policy keeps of them."""
    traces = [
        Maskable(one.row, one.home, item.judged.trace.reasoning, _dropped(item), one.answer)
        for item, one in zip(kept, shown, strict=True)
    ]
    return unit_masks(traces, unit.columns)


def _dropped(item: Edited) -> list[tuple[int, int]]:
    """The code points of the reasoning that do not stay as they are."""
    offsets = item.judged.annotation.segment_offsets
    return [
        (offsets[edit.start], offsets[edit.stop])
        for edit in item.enhancement.script
        if edit.op is not EditOp.KEEP and edit.start < edit.stop
    ]


def _solved(item: Edited) -> bool | None:
    """Whether the trace reaches its ground truth; None where nobody can tell."""
    has_truth = item.judged.annotation.reference_kind is ReferenceKind.GROUND_TRUTH
    return item.enhancement.solved if has_truth and not item.judged.reason else None


def _row(
    unit: UnitInput,
    item: Edited,
    options: UnitOptions,
    messages: Any,
    masked: Masked | None,
    answer: str | None,
) -> EnhancedRow:
    row, part = _place(unit, item)
    count_tokens = options.count_tokens
    home = unit.items[item.judged.index].home
    trace, annotation, enhancement = item.judged.trace, item.judged.annotation, item.enhancement
    before = count_tokens(trace.reasoning)
    same = enhancement.reasoning == trace.reasoning
    paired = options.policy.preference_pairs and makes_pair(enhancement)
    return EnhancedRow(
        index=row - unit.first_row,
        input_row=row,
        input_part=part,
        trace=trace,
        enhancement=enhancement,
        segment_offsets=annotation.segment_offsets,
        tokens_before=before,
        tokens_after=before if same else count_tokens(enhancement.reasoning),
        judge=annotation.judge,
        fingerprint=annotation.fingerprint,
        solved=_solved(item),
        rsr=rank_surprisal_ratio(annotation),
        messages=messages,
        masked=masked,
        pair=pair_of(home, enhancement.reasoning, trace.reasoning, answer)
        if paired and home is not None
        else None,
    )
