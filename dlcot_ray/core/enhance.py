"""Apply a policy to an annotated trace: drops -> seams -> errors -> gates -> fallbacks (DLCoT 5, 6).

In: a trace, its annotation and a policy. Out: an `Enhancement`. All functions are pure. `draft` lists what
only a writer can supply (bridges, repairs) and holds the result without a writer; `finish` inserts what the
writer supplied; `enhance` uses no writer.

If the policy's choice fails a gate, less is cut (see `ladder`). If the annotation is in doubt, only loops are
cut, and the status reason says why (see `doubt`). If no part of the choice passes, the trace stays unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.applying.affirming import with_evidence
from dlcot_ray.core.applying.doubt import doubt
from dlcot_ray.core.applying.ladder import NO_SCORES, Ladder
from dlcot_ray.core.arrival import settle
from dlcot_ray.core.edits import apply_script, drop_script
from dlcot_ray.core.enhancement import Enhancement, ErrorOutcome, GateResult, Status
from dlcot_ray.core.error_edits.handling import RepairRequest, apply_repairs, checked_repair, repair_requests
from dlcot_ray.core.gating.repairs import Repair, passing_repairs
from dlcot_ray.core.language import UNKNOWN_LANGUAGE, has_cues, is_foreign, language_of
from dlcot_ray.core.policies.base import LOOP, Drops, Policy, UnsolvedMode
from dlcot_ray.core.policies.scores import has_scores
from dlcot_ray.core.policies.standing import is_unsolved
from dlcot_ray.core.seams.bridges import bridge_fault
from dlcot_ray.core.seams.kinds import SeamNeed
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.core.stating.stated import accepted_answers
from dlcot_ray.core.trace import Trace

UNSOLVED = "unsolved"
UNSURE = "unsure"
MIXED_LANGUAGE = "mixed_language"
UNGATED = "ungated"
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
        as_read: the cut lies where a reader would make it (`as_readers`).
    """

    trace: Trace
    annotation: Annotation
    policy: Policy
    drops: Drops
    enhancement: Enhancement
    bridges: tuple[SeamNeed, ...] = ()
    repairs: tuple[RepairRequest, ...] = ()
    as_read: bool = False


def enhance(trace: Trace, annotation: Annotation, policy: Policy) -> Enhancement:
    """Apply `policy` without a writer. If nothing can be cut, the enhancement is the unchanged trace."""
    return draft(trace, annotation, policy).enhancement


def draft(trace: Trace, annotation: Annotation, policy: Policy) -> Draft:
    """Apply `policy` without a writer, and list the bridges and repairs that a writer may supply."""
    if not policy.gated:
        return _ungated(trace, annotation, policy)
    settled = with_evidence(trace, settle(trace, annotation))
    solved = not is_unsolved(settled)
    ladder = Ladder(trace, settled, policy, {})
    if not has_cues(language := language_of(trace.reasoning)):
        unread = ladder.unchanged(f"{UNKNOWN_LANGUAGE}:{language}", (), ())
        return Draft(trace, settled, policy, {}, replace(unread, solved=solved))
    if not solved and policy.unsolved is not UnsolvedMode.KEEP:
        return Draft(trace, settled, policy, {}, ladder.unchanged(UNSOLVED, (), ()))
    chosen, unsure = ladder.drops(), doubt(trace, settled)
    drops = _readable(trace, settled, chosen)
    if unsure:
        drops = {segment: reason for segment, reason in drops.items() if reason == LOOP}
    first = ladder.cut(drops)
    enhancement = ladder.climb(first)
    as_read = policy.as_readers and not unsure and len(drops) == len(chosen)
    if as_read:
        enhancement = ladder.as_read(enhancement)
    enhancement = replace(enhancement, solved=solved)
    if unsure:
        step = "" if enhancement.status is Status.UNCHANGED else "fallback:"
        enhancement = replace(enhancement, reason=f"{step}{UNSURE}:{unsure}")
    elif len(drops) < len(chosen):
        step = "" if enhancement.status is Status.UNCHANGED else "fallback:"
        enhancement = replace(enhancement, reason=f"{step}{MIXED_LANGUAGE}")
    repairs = repair_requests(trace, settled, enhancement.script, policy)
    if repairs:
        enhancement = _with_repairs(trace, settled, policy, enhancement, repairs, {})
    return Draft(trace, settled, policy, drops, enhancement, first.needs, repairs, as_read)


def _ungated(trace: Trace, annotation: Annotation, policy: Policy) -> Draft:
    """A baseline's own choice: no seam is closed and no gate is asked."""
    drops = policy.drops(annotation)
    script = drop_script(drops, len(annotation.segment_offsets) - 1)
    text = apply_script(trace.reasoning, annotation.segment_offsets, script)
    lacks = policy.scores is not None and not has_scores(annotation, policy.scores)
    unchanged = (Status.UNCHANGED, NO_SCORES if lacks else "nothing_to_cut")
    status, reason = (Status.ENHANCED, UNGATED) if drops else unchanged
    solved = not is_unsolved(settle(trace, annotation))
    done = Enhancement(status, reason, script, text, (), policy.expression, solved=solved)
    return Draft(trace, annotation, policy, drops, done)


def _readable(trace: Trace, annotation: Annotation, drops: Drops) -> Drops:
    """The drops behind the last segment in a language without cues.

    Such text may rest on anything before it, and no gate can see that. A run of drops goes or stays whole.
    """
    texts = segment_texts(trace.reasoning, annotation.segment_offsets)
    first = min(drops, default=len(texts))
    last = max((i for i in range(first, len(texts)) if is_foreign(texts[i])), default=-1)
    if last < 0:
        return drops
    while last + 1 in drops:
        last += 1
    return {segment: reason for segment, reason in drops.items() if segment > last}


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
        ladder = Ladder(trace, annotation, policy, usable)
        bridged = ladder.climb(ladder.cut(drafted.drops))
        if drafted.as_read:
            bridged = ladder.as_read(bridged)
        enhancement = replace(bridged, solved=enhancement.solved)
    if not drafted.repairs:
        return enhancement
    return _with_repairs(trace, annotation, policy, enhancement, drafted.repairs, repairs)


def _with_repairs(
    trace: Trace,
    annotation: Annotation,
    policy: Policy,
    enhancement: Enhancement,
    requests: tuple[RepairRequest, ...],
    offers: Mapping[RepairRequest, str | None],
) -> Enhancement:
    """The enhancement with the repairs that pass their checks; refused repairs are only counted."""
    sound: list[Repair] = []
    wrong: dict[RepairRequest, str] = {}
    for request in requests:
        text, fault = checked_repair(trace, annotation, request, offers.get(request))
        if fault:
            wrong[request] = fault
        else:
            sound.append((request, text))
    repaired, failing = passing_repairs(trace, annotation, enhancement.script, sound, policy.min_keep)
    wrong.update(failing)
    faults = [f"segment {request.start}: {wrong[request]}" for request in requests if request in wrong]
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
