"""Editing with a writer: what it is asked, which replies are used, and what its failure costs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from dlcot_ray.core.annotation import ErrorKind, ErrorSpan, Source, Tokens
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhancement import ErrorOutcome, Status
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.seams.kinds import Closed, Seam, SeamKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.protocol import JudgeDied, Written
from dlcot_ray.work.editing import Edited, edit_all
from dlcot_ray.work.judging import Judged
from tests.support.annotations import CORRECT, annotated

SLIP = "12 * 17 = 214"
LINES = ["We multiply.", f"As an aside, {SLIP}.", "So the answer is 42."]
BOTH = "Both methods show that the answer is 42."


class RuleWriter:
    """Writes what evidence alone can: the right product for a wrong one, and one plain sentence as a bridge."""

    identity = "rule-writer/1"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.held = self.most = 0
        self.asked: list[tuple[str, int, int]] = []

    async def repair(
        self, trace: Trace, segment_offsets: Sequence[int], start: int, stop: int, errors: Sequence[ErrorSpan]
    ) -> Written:
        await self._work("repair", start, stop)
        text = trace.reasoning[segment_offsets[start] : segment_offsets[stop]]
        for error in errors:
            right = error.message.partition("(is ")[2].rstrip(")")
            quote = trace.reasoning[error.char_start : error.char_stop]
            text = text.replace(quote, f"{quote.rpartition('= ')[0]}= {right}")
        return Written(text, Tokens(10, 5, 3))

    async def bridge(self, trace: Trace, segment_offsets: Sequence[int], left: int, right: int) -> Written:
        await self._work("bridge", left, right)
        return Written("Adding them the other way round gives the same.", Tokens(4, 2, 1))

    async def _work(self, what: str, start: int, stop: int) -> None:
        self.asked.append((what, start, stop))
        self.held += 1
        self.most = max(self.most, self.held)
        await asyncio.sleep(0.001)
        self.held -= 1
        if self.error is not None:
            raise self.error


def slipped(index: int = 0) -> Judged:
    trace, annotation = annotated(LINES, [(0, 3, CORRECT, 0)])
    at = trace.reasoning.index(SLIP)
    span = ErrorSpan(
        ErrorKind.CALCULATION, 1, 2, at, at + len(SLIP), Source.EVIDENCE, False, f"{SLIP} (is 204)"
    )
    return Judged(
        index, trace, replace(annotation, approaches=(replace(annotation.approaches[0], errors=(span,)),))
    )


def seamed() -> Judged:
    lines = ["We add.", "The answer is 42.", "Therefore the answer is 40.", "Add.", "The answer is 42.", BOTH]
    return Judged(0, *annotated(lines, [(0, 2, CORRECT, 0), (3, 5, CORRECT, 0)], conclusion=5))


def edited(items: Sequence[Judged], writer: Any, in_flight: int = 4, **options: object) -> list[Edited]:
    policy = parse_policy("keep_one_per_cluster", options)
    return asyncio.run(edit_all(items, policy, writer, in_flight))


def test_a_repair_is_asked_for_the_erroneous_segments_alone() -> None:
    writer = RuleWriter()
    (result,) = edited([slipped()], writer, errors="repair")
    assert writer.asked == [("repair", 1, 2)]
    assert (
        result.enhancement.reasoning
        == "We multiply.\n\nAs an aside, 12 * 17 = 204.\n\nSo the answer is 42.\n\n"
    )
    assert result.enhancement.errors == (ErrorOutcome.REPAIRED,)
    assert result.tokens == Tokens(10, 5, 3)


def test_without_need_nobody_is_asked() -> None:
    writer = RuleWriter()
    (result,) = edited([slipped()], writer)
    assert writer.asked == []
    assert (result.enhancement.status, result.tokens) == (Status.UNCHANGED, Tokens())


def test_a_bridge_closes_what_no_rule_can() -> None:
    (without,) = edited([seamed()], None)
    assert without.enhancement.reason == "gate:no_dangling_reference"
    writer = RuleWriter()
    (result,) = edited([seamed()], writer)
    assert writer.asked == [("bridge", 2, 5)]
    enhancement = result.enhancement
    assert enhancement.status is Status.ENHANCED
    assert enhancement.seams == (Seam(SeamKind.BACK_REFERENCE, 5, Closed.BRIDGE),)
    (insert,) = [edit for edit in enhancement.script if edit.op is EditOp.INSERT]
    assert (insert.start, insert.reason) == (5, "bridge: back_reference")
    assert enhancement.reasoning.endswith(f"Adding them the other way round gives the same.\n\n{BOTH}\n\n")


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError()])
def test_a_writer_that_fails_offers_nothing(error: Exception) -> None:
    (result,) = edited([slipped()], RuleWriter(error), errors="repair")
    assert result.enhancement.status is Status.UNCHANGED
    assert result.enhancement.errors == (ErrorOutcome.REFUSED,)
    assert result.enhancement.gates[-1].detail == "segment 1: nothing was offered"


def test_a_dead_engine_stops_everything() -> None:
    with pytest.raises(JudgeDied):
        edited([slipped(n) for n in range(3)], RuleWriter(JudgeDied("gone")), errors="repair")


def test_traces_stay_in_order_and_no_more_are_held_than_allowed() -> None:
    writer = RuleWriter()
    results = edited([slipped(n) for n in range(9)], writer, in_flight=3, errors="repair")
    assert [result.judged.index for result in results] == list(range(9))
    assert {result.enhancement.errors for result in results} == {(ErrorOutcome.REPAIRED,)}
    assert writer.most == 3
