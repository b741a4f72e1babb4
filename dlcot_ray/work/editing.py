"""The editing of judged traces, with a writer where there is one: the edge around `core/enhance.py`.

The core says what has to be written and checks what was; here it is asked for, many traces at once, because
a model keeps many on one engine. A writer that fails on a trace offers nothing for it, which the core knows
how to live with; only a dead engine concerns more than one row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from dlcot_ray.core.annotation import Annotation, Tokens
from dlcot_ray.core.edits import keep_all
from dlcot_ray.core.enhance import Draft, draft, finish
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.policies import Policy
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError
from dlcot_ray.judging.protocol import JudgeDied, JudgeUnavailable, Writer, Written

POLICY_FAILED = "policy_failed"

_DETAIL = 500
"""Characters of an error's message that are kept."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A trace with its annotation; `reason` and `detail` say why it was not judged.

    `index` is the row of the unit's input table.
    """

    index: int
    trace: Trace
    annotation: Annotation
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Edited:
    """A judged trace and what became of it; `tokens` is what writing for it cost."""

    judged: Judged
    enhancement: Enhancement
    tokens: Tokens = field(default_factory=Tokens)


async def edit_all(
    judged: Sequence[Judged], policy: Policy, writer: Writer | None, in_flight: int
) -> list[Edited]:
    """Apply the policy to every trace, in order; nothing that concerns one trace fails the others.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the writer cannot go on at all.
    """
    drafts = [_draft(item, policy) for item in judged]
    edited = [Edited(item, made.enhancement) for item, made in zip(judged, drafts, strict=True)]
    if writer is None:
        return edited
    pending = iter([i for i, made in enumerate(drafts) if made.bridges or made.repairs])

    async def work() -> None:
        for place in pending:
            edited[place] = await _write(judged[place], drafts[place], policy, writer)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(max(in_flight, 1)):
                group.create_task(work())
    except ExceptionGroup as stopped:
        raise stopped.exceptions[0] from None
    return edited


def detail_of(error: Exception) -> str:
    """An error in one line, as rows keep it."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_DETAIL]


def _draft(item: Judged, policy: Policy) -> Draft:
    if item.reason:
        return _failed(item, policy, item.reason, GateResult("judge", False, item.detail or item.reason))
    try:
        return draft(item.trace, item.annotation, policy)
    except Exception as error:
        return _failed(item, policy, POLICY_FAILED, GateResult("policy", False, detail_of(error)))


def _failed(item: Judged, policy: Policy, reason: str, gate: GateResult) -> Draft:
    script = keep_all(len(item.annotation.segment_offsets) - 1)
    text = item.trace.reasoning
    unchanged = Enhancement(Status.UNCHANGED, reason, script, text, (gate,), policy.expression)
    return Draft(item.trace, item.annotation, policy, {}, unchanged)


async def _write(item: Judged, made: Draft, policy: Policy, writer: Writer) -> Edited:
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
        enhancement = finish(
            made,
            dict(zip(made.bridges, texts[:split], strict=True)),
            dict(zip(made.repairs, texts[split:], strict=True)),
        )
    except Exception as error:
        gate = GateResult("policy", False, detail_of(error))
        enhancement = _failed(item, policy, POLICY_FAILED, gate).enhancement
    return Edited(item, enhancement, tokens)


async def _asked(question: Coroutine[Any, Any, Written]) -> Written:
    """The writer's offer; a failure over one question is an offer of nothing."""
    try:
        return await question
    except (JudgeDied, JudgeUnavailable, JobError, MemoryError):
        raise
    except Exception as error:
        return Written(None, note=detail_of(error))
