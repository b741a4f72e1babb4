"""Redundancy by method, on annotations whose right answer is obvious, with the reference code's own slips."""

from __future__ import annotations

import pytest

from dlcot_ray.core.policies.registry import DEFAULT_POLICY
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, DOUBTS, OPEN, WRONG, dropped

LINES = [f"line {i}" for i in range(8)]


def test_default_keeps_the_first_approach_of_each_method() -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1), (4, 6, CORRECT, 0)]
    assert dropped("keep_one_per_cluster", LINES, approaches, conclusion=6) == {4, 5}


def test_default_keeps_the_first_correct_approach_of_a_method_that_failed_before() -> None:
    approaches = [(0, 2, WRONG, 0), (2, 4, CORRECT, 0), (4, 6, CORRECT, 0)]
    assert dropped("keep_one_per_cluster", LINES, approaches, conclusion=6) == {4, 5}


def test_default_drops_checks_of_dropped_approaches_and_repeated_checks() -> None:
    approaches = [(0, 1, CORRECT, 0), (3, 4, CORRECT, 0)]
    checks = [(1, 2, 0, 0), (2, 3, 0, 0), (4, 5, 1, 1)]
    assert dropped("keep_one_per_cluster", LINES, approaches, checks, conclusion=5) == {2, 3, 4}


def test_default_keeps_checks_on_the_trunk() -> None:
    checks = [(1, 2, 0, 0), (2, 3, 0, 0), (4, 5, 1, 1), (5, 6, 1, 0)]
    solved = [(0, 1, WRONG, 0), (3, 4, CORRECT, 1)]
    assert dropped("keep_one_per_cluster", LINES, solved, checks, conclusion=6) == {5}
    unsolved = [(0, 1, WRONG, 0), (3, 4, WRONG, 1)]
    assert dropped("keep_one_per_cluster", LINES, unsolved, checks, conclusion=6) == set()


def test_the_check_that_stays_is_the_one_that_affirms_the_answer() -> None:
    solved = [(0, 2, CORRECT, 0)]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2)]
    kinds = (CHECK, AFFIRMS, AFFIRMS)
    assert dropped("keep_one_per_cluster", LINES, solved, checks, conclusion=5, kinds=kinds) == {2, 4}
    # The default joins two policies: unless they keep the same check, none is left.
    assert dropped(DEFAULT_POLICY, LINES, solved, checks, conclusion=5, kinds=kinds) == {2, 4}
    assert dropped("keep_one_per_cluster", LINES, solved, checks, conclusion=5) == {3, 4}


def test_default_drops_loops() -> None:
    assert dropped("keep_one_per_cluster", LINES, [(0, 8, OPEN, 0)], loops=((3, 8),)) == {3, 4, 5, 6, 7}


def test_delete_multi_takes_the_last_redundant_items_first() -> None:
    approaches = [(0, 1, CORRECT, 0), (1, 2, CORRECT, 0), (2, 3, CORRECT, 0), (3, 4, CORRECT, 0)]
    assert dropped("delete_multi_1", LINES, approaches, conclusion=4) == {3}
    assert dropped("delete_multi_2", LINES, approaches, conclusion=4) == {2, 3}
    assert dropped("delete_multi_all", LINES, approaches, conclusion=4) == {1, 2, 3}


def test_more_than_ten_clusters_are_compared_as_numbers() -> None:
    lines = [f"line {i}" for i in range(13)]
    approaches = [(i, i + 1, CORRECT, i) for i in range(12)] + [(12, 13, CORRECT, 2)]
    assert dropped("delete_multi_all", lines, approaches) == {12}


@pytest.mark.parametrize("policy", ["keep_one_per_cluster", "delete_multi_all"])
def test_the_last_attempt_of_a_trace_that_breaks_off_unsolved_stays(policy: str) -> None:
    unsolved = [(0, 2, WRONG, 0), (2, 4, OPEN, 0), (4, 8, OPEN, 0)]
    assert dropped(policy, LINES, unsolved, truncated=True) == {2, 3}
    solved = [(0, 2, CORRECT, 0), (2, 8, OPEN, 0)]
    assert dropped(policy, LINES, solved, truncated=True) == {2, 3, 4, 5, 6, 7}


def test_a_loop_is_dropped_even_if_the_trace_is_truncated() -> None:
    found = dropped("keep_one_per_cluster", LINES, [(0, 8, OPEN, 0)], loops=((3, 8),), truncated=True)
    assert found == {3, 4, 5, 6, 7}


@pytest.mark.parametrize("policy", ["keep_one_per_cluster", "delete_multi_all"])
def test_the_last_approach_is_treated_like_all_others(policy: str) -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1), (4, 8, WRONG, 1)]
    assert dropped(policy, LINES, approaches) == {4, 5, 6, 7}


@pytest.mark.parametrize("policy", ["keep_one_per_cluster", "delete_multi_all"])
def test_without_a_verification_section_redundant_approaches_off_the_trunk_are_dropped(policy: str) -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0), (4, 6, WRONG, 0)]
    assert dropped(policy, LINES, approaches, conclusion=6) == {2, 3, 4, 5}


@pytest.mark.parametrize("policy", ["keep_one_per_cluster", "delete_multi_all"])
def test_a_redundant_approach_on_the_trunk_is_dropped_once(policy: str) -> None:
    approaches = [(0, 2, OPEN, 0), (2, 4, OPEN, 0), (4, 6, CORRECT, 1)]
    combined = f"{policy}+drop_incorrect_branches+keep_first"
    assert dropped(combined, LINES, approaches, conclusion=6) == {2, 3}


def test_on_the_way_to_the_answer_a_wrong_answer_stays_with_its_correction() -> None:
    approaches = [(0, 2, WRONG, 0), (2, 4, WRONG, 0), (4, 6, CORRECT, 1)]
    assert dropped("keep_one_per_cluster", LINES, approaches, conclusion=6) == set()


def test_the_approach_on_which_an_unsolved_trace_ends_stays() -> None:
    approaches = [(0, 2, OPEN, 0), (2, 4, OPEN, 0), (4, 6, WRONG, 0)]
    checks = [(6, 7, 2, 0)]
    assert dropped("keep_one_per_cluster", LINES, approaches, checks, conclusion=7) == {2, 3}


def test_a_method_keeps_its_fuller_approach_if_the_first_is_only_an_announcement() -> None:
    approaches = [(0, 1, OPEN, 0), (1, 6, OPEN, 0), (6, 7, CORRECT, 1)]
    assert dropped("keep_one_per_cluster", LINES, approaches, conclusion=7) == set()


def test_both_parts_of_the_default_keep_the_same_check() -> None:
    solved = [(0, 1, CORRECT, 0), (2, 4, CORRECT, 1)]
    checks = [(1, 2, 0, 0), (4, 5, 1, 1), (5, 6, 0, 2), (6, 7, 0, 3)]
    for kinds, kept in (((DOUBTS, AFFIRMS, AFFIRMS, CHECK), 5), ((AFFIRMS, AFFIRMS, AFFIRMS, CHECK), 1)):
        gone = dropped(DEFAULT_POLICY, LINES, solved, checks, kinds=kinds, conclusion=7)
        assert gone == {1, 2, 3, 4, 5, 6} - {kept}
