"""Baselines cut by length or chance, alone, without gates, and say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.enhance import UNGATED, enhance
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.policies.base import PolicyError
from dlcot_ray.core.policies.registry import parse_policy, policy_help
from tests.support.annotations import CORRECT, WRONG, annotated, dropped

LINES = [f"line {i}" for i in range(10)]
APPROACHES = [(0, 2, WRONG, 0), (2, 5, CORRECT, 1), (5, 8, CORRECT, 2)]


def test_truncate_keeps_the_start_and_edges_keep_both_ends() -> None:
    assert dropped("truncate_50", LINES, APPROACHES) == {5, 6, 7, 8, 9}
    assert dropped("edges_40", LINES, APPROACHES) == {2, 3, 4, 5, 6, 7}


def test_keep_first_n_counts_approaches_and_keeps_the_conclusion() -> None:
    assert dropped("keep_first_1", LINES, APPROACHES, conclusion=8) == {2, 3, 4, 5, 6, 7}
    assert dropped("keep_first_2", LINES, APPROACHES, conclusion=8) == {5, 6, 7}
    assert dropped("keep_first_4", LINES, APPROACHES, conclusion=8) == set()


def test_random_draws_the_same_segments_in_every_run() -> None:
    one = dropped("random_30", LINES, APPROACHES)
    assert len(one) == 7
    assert one == dropped("random_30", LINES, APPROACHES)
    assert one <= dropped("random_10", LINES, APPROACHES)


@given(st.sampled_from(["truncate", "random", "edges"]), st.integers(1, 99), st.integers(1, 30))
def test_a_baseline_keeps_something_and_no_more_than_its_share(name: str, percent: int, count: int) -> None:
    lines = ["x" * (1 + 7 * i % 23) for i in range(count)]
    trace, annotation = annotated(lines, [(0, count, CORRECT, 0)])
    made = enhance(trace, annotation, parse_policy(f"{name}_{percent}"))
    first = max(len(line) for line in lines) + 2
    assert 0 < len(made.reasoning) <= max(2 * first, percent / 100 * len(trace.reasoning))


def test_no_gate_holds_a_baseline_and_the_row_says_so() -> None:
    trace, annotation = annotated(LINES, APPROACHES)
    made = enhance(trace, annotation, parse_policy("truncate_10"))
    assert (made.status, made.reason, made.gates, made.reasoning) == (
        Status.ENHANCED,
        UNGATED,
        (),
        "line 0\n\n",
    )
    assert enhance(trace, annotation, parse_policy("keep_first_9")).status is Status.UNCHANGED


def test_a_baseline_stands_alone() -> None:
    with pytest.raises(PolicyError, match="truncate_50 is a baseline without gates"):
        parse_policy("truncate_50+keep_first")
    with pytest.raises(PolicyError, match="unknown policy 'truncate_0'"):
        parse_policy("truncate_0")
    assert "keep_first_N" in policy_help()
