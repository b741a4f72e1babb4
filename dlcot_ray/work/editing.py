"""Editing judged traces, with a writer where there is one.

`core/enhance.py` lists the bridges and repairs that an edit needs, and checks them. This module asks the
writer for them, for many traces at once, because a model engine serves many at once. A writer that fails on
a trace offers no text for it, and the core then cuts less. Only an engine that died raises.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.core.annotation import Tokens
from dlcot_ray.core.edits import keep_all
from dlcot_ray.core.enhance import Draft, draft, finish
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable, Writer, Written
from dlcot_ray.work.judging import DETAIL_CHARS, NO_THINKING, TOO_SLOW, Judged
from dlcot_ray.work.rows.budget import RowBudget, RowTooSlow
from dlcot_ray.work.rows.watch import RowWatch

POLICY_FAILED = "policy_failed"


@dataclass(frozen=True, slots=True)
class Edited:
    """A judged trace and its edit; `tokens` are those of the writer."""

    judged: Judged
    enhancement: Enhancement
    tokens: Tokens = field(default_factory=Tokens)


async def edit_all(
    judged: Sequence[Judged],
    policy: Policy,
    writer: Writer | None,
    in_flight: int,
    budget: RowBudget | None = None,
    watch: RowWatch | None = None,
) -> list[Edited]:
    """Apply the policy to every trace, in order; a failure of one trace does not fail the others.

    Args:
        judged: the traces with their annotations.
        policy: what to cut.
        writer: supplies bridges and repairs, if there is one.
        in_flight: how many traces are with the writer at once.
        budget: limits the CPU time of a trace; none by default.
        watch: is told of each trace.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the writer cannot go on at all.
    """
    budget, watch = budget or RowBudget(), watch or RowWatch()
    drafts = [await _watched(item, policy, budget, watch) for item in judged]
    edited = [Edited(item, made.enhancement) for item, made in zip(judged, drafts, strict=True)]
    if writer is None:
        return edited
    pending = iter([i for i, made in enumerate(drafts) if made.bridges or made.repairs])

    async def work() -> None:
        for place in pending:
            edited[place] = await _write(judged[place], drafts[place], policy, writer, budget)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(in_flight, 1)):
                group.create_task(work())
    except ExceptionGroup as stopped:
        raise stopped.exceptions[0] from None
    return edited


async def _watched(item: Judged, policy: Policy, budget: RowBudget, watch: RowWatch) -> Draft:
    if item.reason:
        return draft_of(item, policy, budget)
    async with watch.running(item.trace.trace_id):
        return draft_of(item, policy, budget)


def draft_of(item: Judged, policy: Policy, budget: RowBudget) -> Draft:
    """The edit of one judged trace before a writer is asked; a failure leaves the trace unchanged."""
    if item.reason == NO_THINKING:
        # Nothing was stopped: there is nothing to judge.
        return _failed(item, policy, item.reason)
    if item.reason:
        return _failed(item, policy, item.reason, GateResult("judge", False, item.detail or item.reason))
    try:
        return budget.run(lambda: draft(item.trace, item.annotation, policy))
    except Exception as error:
        return _broken(item, policy, error)


def _broken(item: Judged, policy: Policy, error: Exception) -> Draft:
    slow = isinstance(error, RowTooSlow)
    gate = GateResult("policy", False, reason_of(error, DETAIL_CHARS, named=not slow))
    return _failed(item, policy, TOO_SLOW if slow else POLICY_FAILED, gate)


def _failed(item: Judged, policy: Policy, reason: str, *gates: GateResult) -> Draft:
    script = keep_all(len(item.annotation.segment_offsets) - 1)
    text = item.trace.reasoning
    unchanged = Enhancement(Status.UNCHANGED, reason, script, text, gates, policy.expression)
    return Draft(item.trace, item.annotation, policy, {}, unchanged)


async def _write(item: Judged, made: Draft, policy: Policy, writer: Writer, budget: RowBudget) -> Edited:
    offsets = made.annotation.segment_offsets
    bridges = [_asked(writer.bridge(item.trace, offsets, need.left, need.right)) for need in made.bridges]
    repairs = [
        _asked(writer.repair(item.trace, offsets, request.start, request.stop, request.errors))
        for request in made.repairs
    ]
    offers = await asyncio.gather(*bridges, *repairs)
    tokens = Tokens(
        sum(offer.tokens.prefill for offer in offers),
        sum(offer.tokens.cached for offer in offers),
        sum(offer.tokens.decode for offer in offers),
    )
    texts = [offer.text for offer in offers]
    split = len(bridges)
    try:
        bridged = dict(zip(made.bridges, texts[:split], strict=True))
        repaired = dict(zip(made.repairs, texts[split:], strict=True))
        enhancement = budget.run(lambda: finish(made, bridged, repaired))
    except Exception as error:
        enhancement = _broken(item, policy, error).enhancement
    return Edited(item, enhancement, tokens)


async def _asked(question: Coroutine[Any, Any, Written]) -> Written:
    """The writer's offer; after a failure, an offer without text."""
    try:
        return await question
    except (JudgeDied, JudgeUnavailable, JobError, MemoryError):
        raise
    except Exception as error:
        return Written(None, note=reason_of(error, DETAIL_CHARS, named=True))
