"""Which repairs pass the gates, asked in a bounded number of evaluations.

All repairs are tried together first, since nearly always all of them pass. A group that fails is halved, so
few bad ones among many cost few evaluations. One evaluation reads the whole text, so asking for each repair
alone would take quadratic time.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import EditScript
from dlcot_ray.core.error_edits.handling import RepairRequest, apply_repairs
from dlcot_ray.core.gates import evaluate_gates
from dlcot_ray.core.trace import Trace

TRIALS = 64
"""Evaluations for one trace; repairs that are left after them are refused."""
UNTRIED = "not tried, because too many repairs of this trace fail a gate"

Repair = tuple[RepairRequest, str]
"""What was asked for, and the text that replaces it."""


def passing_repairs(
    trace: Trace, annotation: Annotation, script: EditScript, repairs: Sequence[Repair], min_keep: float
) -> tuple[list[Repair], dict[RepairRequest, str]]:
    """The repairs that pass all gates together, in order, and what is wrong with each other one.

    Args:
        trace, annotation, script: what is repaired.
        repairs: in the order of their segments.
        min_keep: of the gate of the length.
    """
    passed: list[Repair] = []
    faults: dict[RepairRequest, str] = {}
    waiting = [list(repairs)] if repairs else []
    for _ in range(TRIALS):
        if not waiting:
            break
        group = waiting.pop()
        tried = apply_repairs(script, [*passed, *group])
        gates = evaluate_gates(trace, annotation, tried, min_keep)
        fault = next((f"gate {g.name}: {g.detail}" for g in gates if not g.passed), "")
        if not fault:
            passed.extend(group)
        elif len(group) == 1:
            faults[group[0][0]] = fault
        else:
            middle = len(group) // 2
            # The first half is tried next, so that what has passed stays in order.
            waiting += [group[middle:], group[:middle]]
    faults.update((request, UNTRIED) for group in waiting for request, _ in group)
    return passed, faults
