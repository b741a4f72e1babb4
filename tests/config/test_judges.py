"""What the configuration names and cannot be had."""

from __future__ import annotations

import pytest

from dlcot_ray.config.judges import asking_for, make_judge, token_counter
from dlcot_ray.config.loading import load_judge
from dlcot_ray.errors import JobError


def test_what_cannot_be_set_up_is_said_in_one_line() -> None:
    with pytest.raises(JobError, match="refuses its options"):
        make_judge(load_judge("rules", {"speed": "high"}))
    with pytest.raises(JobError, match="leave tokenizer unset"):
        token_counter("/no/such/tokenizer")
    assert token_counter(None)("one two three") > 0


def test_a_policy_that_reads_scores_gets_them_or_is_refused() -> None:
    made = asking_for(load_judge("vllm", {"model": "o/m"}), "step_entropy_30", "keep")
    assert made.options["scores"] == "entropy"
    assert asking_for(load_judge("vllm", {"model": "o/m"}), "keep_first", "keep").options["scores"] is None
    asked = load_judge("vllm", {"model": "o/m", "scores": "entropy"})
    assert asking_for(asked, "budget_70", "keep").options["scores"] == "entropy"
    less = load_judge("vllm", {"model": "o/m", "scores": "surprisal"})
    for judge, policy in ((load_judge("rules", {}), "budget_70"), (less, "step_entropy_30")):
        with pytest.raises(JobError, match=f"the policy {policy} reads scores of segments"):
            asking_for(judge, policy, "keep")
