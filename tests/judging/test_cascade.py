"""The cascade of any two judges: who answers, and the floor below which nothing is cut."""

from __future__ import annotations

import asyncio

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.cascade import CascadeJudge, confidence_of
from dlcot_ray.judging.cheap import cheap_judge
from tests.judging.rules.test_judge import PROBLEM, TRACE


def judged(minimum: float, floor: float = 0.0, names: tuple[str, str] = ("learned", "rules")) -> Annotation:
    judge = CascadeJudge(cheap_judge(names[0]), cheap_judge(names[1]), min_confidence=minimum, floor=floor)
    annotation = asyncio.run(judge.judge(Trace("t", PROBLEM, TRACE, "3003")))
    judge.close()
    return annotation


def test_learned_comes_first_and_any_judge_second() -> None:
    assert judged(0.0).judge.startswith("learned/")
    assert judged(2.0).judge.startswith("rules/")
    assert judged(2.0, names=("rules", "learned")).judge.startswith("learned/")


def test_below_the_floor_nothing_is_cut_and_the_reason_is_told() -> None:
    trace, policy = Trace("t", PROBLEM, TRACE, "3003"), parse_policy("keep_first")
    sure, unsure = judged(0.0), judged(0.0, floor=1.0)
    assert enhance(trace, sure, policy).reasoning != TRACE
    left = enhance(trace, unsure, policy)
    assert left.reasoning == TRACE
    assert "unsure:low_confidence" in left.reason
    assert confidence_of(unsure) == 0.0
    assert {s.step for s in unsure.steps if s.confidence == 0.0} == {JudgeStep.LABELS}


def test_thresholds_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="floor"):
        judged(0.0, floor=1.5)
    with pytest.raises(ValueError, match="choose rules or learned"):
        cheap_judge("vllm")
