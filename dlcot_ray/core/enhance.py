"""Apply a policy to an annotated trace: drops -> seams -> errors -> gates -> fallbacks (DLCoT 5, 6).

In: a trace, its annotation and a policy. Out: an `Enhancement`. All functions are pure. `draft` lists what
only a writer can supply (bridges, repairs) and holds the result without a writer; `finish` inserts what the
writer supplied; `enhance` uses no writer.

If the policy's choice fails a check, less is cut. Items that leave a seam open are kept. If a gate fails, the
dropped items are tried one by one, the latest first. An item is dropped only if all gates pass with it and
the items dropped before. If no item passes, the trace stays unchanged, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.arrival import accepted_answers, settle, states
from dlcot_ray.core.edits import Edit, EditOp, EditScript, apply_script, drop_script, keep_all
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.error_handling import (
    ErrorOutcome,
    RepairRequest,
    apply_repairs,
    checked_repair,
    delete_errors,
    repair_requests,
)
from dlcot_ray.core.gates import ANSWER, evaluate_gates
from dlcot_ray.core.policies.base import Drops, Policy, UnsolvedMode, is_unsolved
from dlcot_ray.core.seams import Closed, Seam, SeamNeed, bridge_fault, close_seams
from dlcot_ray.core.trace import Trace

LADDER_STEPS = 12
"""Maximum number of items that the fallback tries; it takes the latest, where most redundancy is."""

GIVING_BACK = 4
"""Maximum rounds of restoring items that leave a seam open, before the item-by-item fallback starts."""

UNSOLVED = "unsolved"
REPAIR = "repair"


@dataclass(frozen=True, slots=True)
class Draft:
    """An edit before a writer is asked.

    Attributes:
        trace: the trace.
        annotation: settled (see `arrival.settle`).
        policy: what to do with it.
        drops: what the policy drops.
        enhancement: the result without a writer.
        bridges, repairs: what a writer may supply.
    """

    trace: Trace
    annotation: Annotation
    policy: Policy
    drops: Drops
    enhancement: Enhancement
    bridges: tuple[SeamNeed, ...] = ()
    repairs: tuple[RepairRequest, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cut:
    """A script with its seams; `needs` are those left open."""

    script: EditScript
    seams: tuple[Seam, ...]
    needs: tuple[SeamNeed, ...]
    errors: tuple[ErrorOutcome, ...]


def enhance(trace: Trace, annotation: Annotation, policy: Policy) -> Enhancement:
    """Apply `policy` without a writer. If nothing can be cut, the enhancement is the unchanged trace."""
    return draft(trace, annotation, policy).enhancement


def draft(trace: Trace, annotation: Annotation, policy: Policy) -> Draft:
    """Apply `policy` without a writer, and list the bridges and repairs that a writer may supply."""
    settled = settle(trace, annotation)
    solved = not is_unsolved(settled)
    if not solved and policy.unsolved is not UnsolvedMode.KEEP:
        return Draft(trace, settled, policy, {}, _unchanged(trace, settled, policy, UNSOLVED, (), ()))
    drops = policy.drops(settled)
    first = _cut(trace, settled, policy, drops, {})
    enhancement = replace(_laddered(trace, settled, policy, drops, first, {}), solved=solved)
    repairs = repair_requests(trace, settled, enhancement.script, policy)
    if repairs:
        enhancement = _with_repairs(trace, settled, policy, enhancement, repairs, {})
    return Draft(trace, settled, policy, drops, enhancement, first.needs, repairs)


def finish(
    drafted: Draft,
    bridges: Mapping[SeamNeed, str | None],
    repairs: Mapping[RepairRequest, str | None],
) -> Enhancement:
    """The draft with those texts of a writer that pass the checks; the others are left out."""
    trace, annotation, policy = drafted.trace, drafted.annotation, drafted.policy
    accepted = accepted_answers(annotation)
    usable = {
        need: text.strip()
        for need, text in bridges.items()
        if text is not None and not bridge_fault(trace, text, accepted)
    }
    enhancement = drafted.enhancement
    if usable:
        cut = _cut(trace, annotation, policy, drafted.drops, usable)
        bridged = _laddered(trace, annotation, policy, drafted.drops, cut, usable)
        enhancement = replace(bridged, solved=enhancement.solved)
    if not drafted.repairs:
        return enhancement
    return _with_repairs(trace, annotation, policy, enhancement, drafted.repairs, repairs)


def _cut(
    trace: Trace, annotation: Annotation, policy: Policy, drops: Drops, bridges: Mapping[SeamNeed, str]
) -> _Cut:
    """Drops, with the errors deleted, the seams closed and the bridges in place.

    A sentence with a loose end that states the answer is removed only if the kept text states it elsewhere.
    """
    count = len(annotation.segment_offsets) - 1
    accepted = accepted_answers(annotation)
    script, errors = delete_errors(trace, annotation, drop_script(drops, count), policy)
    closed = close_seams(trace.reasoning, annotation, script, lambda text: False)
    if closed.seams and accepted:
        gates = evaluate_gates(trace, annotation, closed.script, policy.min_keep)
        if any(gate.name == ANSWER and not gate.passed for gate in gates):
            closed = close_seams(trace.reasoning, annotation, script, lambda text: states(text, accepted))
    script, seams, needs = closed.script, closed.seams, closed.needs
    for need in needs:
        if need in bridges:
            script = _inserted(script, need, bridges[need])
            seams = (*seams, Seam(need.kind, need.segment, Closed.BRIDGE))
    return _Cut(script, seams, tuple(need for need in needs if need not in bridges), errors)


def _laddered(
    trace: Trace,
    annotation: Annotation,
    policy: Policy,
    drops: Drops,
    cut: _Cut,
    bridges: Mapping[SeamNeed, str],
) -> Enhancement:
    """The cut, or the part of it that leaves no seam open and passes every gate."""
    if all(edit.op is EditOp.KEEP for edit in cut.script):
        reason = "nothing_to_cut" if annotation.approaches else "no_approach"
        return _unchanged(trace, annotation, policy, reason, (), cut.errors)
    given_back: list[Seam] = []
    left = drops
    for _ in range(GIVING_BACK):
        if not cut.needs:
            break
        given_back += [Seam(need.kind, need.segment, Closed.KEPT) for need in cut.needs]
        gone = {segment for need in cut.needs for segment in range(need.left + 1, need.right)}
        left = {segment: reason for segment, reason in left.items() if segment not in gone}
        cut = _cut(trace, annotation, policy, left, bridges)
    gates = evaluate_gates(trace, annotation, cut.script, policy.min_keep)
    if given_back:
        gates = _with_stop(gates, "no_dangling_reference", f"{len(given_back)} given back")
    stopped = next((gate.name for gate in gates if not gate.passed), None)
    failed = cut.needs or any(not gate.passed for gate in gates[: len(gates) - bool(given_back)])
    if failed:
        less = _less(trace, annotation, policy, left, bridges)
        if less is None:
            return _unchanged(trace, annotation, policy, f"gate:{stopped}", gates, cut.errors)
        cut = less
    elif all(edit.op is EditOp.KEEP for edit in cut.script):
        return _unchanged(trace, annotation, policy, f"gate:{stopped}", gates, cut.errors)
    text = apply_script(trace.reasoning, annotation.segment_offsets, cut.script)
    reason = f"fallback:{stopped}" if stopped is not None else ""
    seams = (*cut.seams, *given_back)
    return Enhancement(Status.ENHANCED, reason, cut.script, text, gates, policy.expression, seams, cut.errors)


def _with_stop(gates: tuple[GateResult, ...], name: str, detail: str) -> tuple[GateResult, ...]:
    """The gates, with the one that stopped the first choice appended as failed."""
    return (*(gate for gate in gates if gate.name != name), GateResult(name, False, detail))


def _less(
    trace: Trace, annotation: Annotation, policy: Policy, drops: Drops, bridges: Mapping[SeamNeed, str]
) -> _Cut | None:
    """The largest choice of dropped items, taken greedily from the end, that passes every gate."""
    script = drop_script(drops, len(annotation.segment_offsets) - 1)
    items = [edit for edit in script if edit.op is EditOp.DROP][-LADDER_STEPS:]
    taken: Drops = {}
    best: _Cut | None = None
    for item in reversed(items):
        trial = taken | dict.fromkeys(range(item.start, item.stop), item.reason)
        cut = _cut(trace, annotation, policy, trial, bridges)
        gates = evaluate_gates(trace, annotation, cut.script, policy.min_keep)
        if not cut.needs and all(gate.passed for gate in gates):
            taken, best = trial, cut
    return best


def _with_repairs(
    trace: Trace,
    annotation: Annotation,
    policy: Policy,
    enhancement: Enhancement,
    requests: tuple[RepairRequest, ...],
    offers: Mapping[RepairRequest, str | None],
) -> Enhancement:
    """The enhancement with the repairs that pass their checks; refused repairs are only counted."""
    repaired: list[tuple[RepairRequest, str]] = []
    faults: list[str] = []
    for request in requests:
        text, fault = checked_repair(trace, annotation, request, offers.get(request))
        if not fault:
            script = apply_repairs(enhancement.script, [*repaired, (request, text)])
            gates = evaluate_gates(trace, annotation, script, policy.min_keep)
            fault = next((f"gate {g.name}: {g.detail}" for g in gates if not g.passed), "")
        if fault:
            faults.append(f"segment {request.start}: {fault}")
        else:
            repaired.append((request, text))
    done = sum(len(request.errors) for request, _ in repaired)
    others = [outcome for outcome in enhancement.errors if outcome is not ErrorOutcome.REFUSED]
    refused = len(enhancement.errors) - len(others) - done
    errors = (*others, *[ErrorOutcome.REPAIRED] * done, *[ErrorOutcome.REFUSED] * refused)
    gates = tuple(gate for gate in enhancement.gates if gate.name != REPAIR)
    gates = (*gates, GateResult(REPAIR, not faults, "; ".join(faults)))
    enhancement = replace(enhancement, errors=errors, gates=gates)
    if not repaired:
        return enhancement
    script = apply_repairs(enhancement.script, repaired)
    text = apply_script(trace.reasoning, annotation.segment_offsets, script)
    unchanged = enhancement.status is Status.UNCHANGED
    reason = "" if unchanged else enhancement.reason
    return replace(enhancement, status=Status.ENHANCED, reason=reason, script=script, reasoning=text)


def _unchanged(
    trace: Trace,
    annotation: Annotation,
    policy: Policy,
    reason: str,
    gates: tuple[GateResult, ...],
    errors: tuple[ErrorOutcome, ...],
) -> Enhancement:
    script = keep_all(len(annotation.segment_offsets) - 1)
    return Enhancement(
        Status.UNCHANGED, reason, script, trace.reasoning, gates, policy.expression, errors=errors
    )


def _inserted(script: EditScript, need: SeamNeed, text: str) -> EditScript:
    """The script with a bridge after the drops that precede segment `need.right`."""
    edits: list[Edit] = []
    bridge = Edit(EditOp.INSERT, need.right, need.right, f"{text}\n\n", f"bridge: {need.kind}")
    placed = False
    for edit in script:
        if not placed and edit.start == need.right and edit.op is not EditOp.DROP:
            edits.append(bridge)
            placed = True
        edits.append(edit)
    if not placed:
        edits.append(bridge)
    return tuple(edits)
