"""What is found in a trace before any judge reads it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.rules.judge import RulesJudge

LANTERNS = [f"Lantern number {name} hangs beside the old door." for name in ("one", "two", "three", "four")]
CIRCLES = [LANTERNS[i] for i in (0, 1, 2, 3, 0, 2, 1, 3, 3, 0, 1, 2, 0, 3, 1, 1, 0, 2, 3, 2, 1)]


@pytest.fixture(scope="module")
def judge() -> Iterator[RulesJudge]:
    found = RulesJudge()
    yield found
    found.close()


def test_only_a_trace_that_breaks_off_without_the_answer_has_a_tail_in_circles(judge: RulesJudge) -> None:
    text = "\n\n".join(CIRCLES)
    broken = f"{text}\n\nLantern number one ha"
    assert find(Trace("t", "How many?", broken, "42"), judge.checker).loops == ((4, len(CIRCLES) + 1),)
    assert not find(Trace("t", "How many?", text, "42", "The answer is 42."), judge.checker).loops
    assert not find(Trace("t", "How many?", f"The answer is 42.\n\n{broken}", "42"), judge.checker).loops
