"""Apply a policy to one annotated trace: drops -> edit script -> gates -> fallbacks.

The ladder when a gate stops the policy's choice: take its dropped ranges one by one, latest first, and
keep each that passes every gate together with those taken before; if none does, the trace stays as it
is, flagged with the gate. Cutting less is always preferred to cutting wrong.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import Edit, EditOp, EditScript, apply_script, keep_all, merge_script
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.gates import evaluate_gates
from dlcot_ray.core.policies.base import Drops, Policy
from dlcot_ray.core.trace import Trace

LADDER_STEPS = 12
"""Ranges that the fallback tries at most: the latest ones, where redundancy lies."""


def enhance(trace: Trace, annotation: Annotation, policy: Policy) -> Enhancement:
    """Apply `policy`; always returns an enhancement, at worst an unchanged one."""
    count = len(annotation.unit_offsets) - 1
    drops = policy.drops(annotation)
    if not drops:
        reason = "nothing_to_cut" if annotation.approaches else "no_approach"
        return _unchanged(trace, count, policy, reason, ())
    script = _script(drops, count)
    gates = evaluate_gates(trace, annotation, script, policy.min_keep)
    stopped = next((gate.name for gate in gates if not gate.passed), None)
    reason = ""
    if stopped is not None:
        fallback = _less(trace, annotation, policy, drops, count)
        if fallback is None:
            return _unchanged(trace, count, policy, f"gate:{stopped}", gates)
        script, reason = fallback, f"fallback:{stopped}"
    text = apply_script(trace.reasoning, annotation.unit_offsets, script)
    return Enhancement(Status.ENHANCED, reason, script, text, gates, policy.expression)


def _unchanged(
    trace: Trace, count: int, policy: Policy, reason: str, gates: tuple[GateResult, ...]
) -> Enhancement:
    return Enhancement(Status.UNCHANGED, reason, keep_all(count), trace.reasoning, gates, policy.expression)


def _script(drops: Drops, count: int) -> EditScript:
    return merge_script(
        Edit(EditOp.DROP, unit, unit + 1, "", drops[unit])
        if unit in drops
        else Edit(EditOp.KEEP, unit, unit + 1)
        for unit in range(count)
    )


def _less(
    trace: Trace, annotation: Annotation, policy: Policy, drops: Drops, count: int
) -> EditScript | None:
    """The largest choice of dropped ranges, taken greedily from the end, that passes every gate."""
    ranges = [edit for edit in _script(drops, count) if edit.op is EditOp.DROP][-LADDER_STEPS:]
    taken: Drops = {}
    for edit in reversed(ranges):
        trial = taken | dict.fromkeys(range(edit.start, edit.stop), edit.reason)
        gates = evaluate_gates(trace, annotation, _script(trial, count), policy.min_keep)
        if all(gate.passed for gate in gates):
            taken = trial
    return _script(taken, count) if taken else None
