"""Where the annotation is in doubt, nothing but loops is cut."""

from __future__ import annotations

import pytest

from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from tests.support.annotations import CORRECT, annotated

ROAD = ["We multiply 6 by 7.", "The answer is 42."]
END = ["The answer is **42**."]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("My initial count was wrong, so 40 + 2 = 42 instead.", "unsure:later_approach_blames_it"),
        ("I messed up the prices. With the right ones 40 + 2 = 42.", "unsure:later_approach_blames_it"),
        ("I made a mistake in the first step: it is 40 + 2 = 42.", "unsure:later_approach_blames_it"),
        ("We add instead. Perhaps I was wrong? No: 40 + 2 = 42.", ""),
        ("Another way, without any wrong turn: 40 + 2 = 42.", ""),
    ],
)
def test_a_later_approach_that_blames_the_work_before_keeps_it(said: str, reason: str) -> None:
    lines = [*ROAD, said, "The answer is 42.", *END]
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)]
    trace, annotation = annotated(lines, approaches, [], conclusion=4)
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY))
    assert result.reason == reason
    assert (result.reasoning == trace.reasoning) == bool(reason)
