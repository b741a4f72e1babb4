"""What the configuration names and cannot be had."""

from __future__ import annotations

import pytest

from dlcot_ray.config.judges import make_judge, token_counter
from dlcot_ray.config.loading import load_judge
from dlcot_ray.errors import JobError


def test_what_cannot_be_set_up_is_said_in_one_line() -> None:
    with pytest.raises(JobError, match="refuses its options"):
        make_judge(load_judge("rules", {"speed": "high"}))
    with pytest.raises(JobError, match="leave tokenizer unset"):
        token_counter("/no/such/tokenizer")
    assert token_counter(None)("one two three") > 0
