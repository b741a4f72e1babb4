"""Policies that take out one sort of part."""

from __future__ import annotations

import pytest

from tests.support.annotations import AFFIRMS, CHECK, CORRECT, DOUBTS, OPEN, WRONG, dropped

LINES = [f"line {i}" for i in range(8)]
SOLVED = [(0, 1, WRONG, 0), (2, 3, CORRECT, 1)]
CHECKS = [(1, 2, 0, 0), (3, 4, 1, 1), (4, 5, 1, 0), (5, 6, 1, 2)]
KINDS = (DOUBTS, AFFIRMS, CHECK, DOUBTS)


@pytest.mark.parametrize(
    ("policy", "gone"),
    [
        ("drop_verification", {1, 3, 4, 5}),
        ("drop_verification_redundant", {4}),
        ("drop_verification_negating", {5}),
    ],
)
def test_drop_verification_drops_the_chosen_checks(policy: str, gone: set[int]) -> None:
    assert dropped(policy, LINES, SOLVED, CHECKS, kinds=KINDS, conclusion=6) == gone


def test_the_last_check_of_a_trace_that_breaks_off_unsolved_stays() -> None:
    cut = dropped("drop_verification", LINES, [(0, 2, OPEN, 0)], [(2, 4, 0, 0), (4, 8, 0, 1)], truncated=True)
    assert cut == {2, 3}


def test_wrong_and_unfinished_branches_go_off_the_trunk_with_their_checks() -> None:
    approaches = [(0, 1, WRONG, 0), (1, 2, CORRECT, 1), (2, 3, WRONG, 2), (4, 5, OPEN, 3), (5, 6, CORRECT, 4)]
    checks = [(3, 4, 2, 0), (6, 7, 4, 1)]
    assert dropped("drop_incorrect_branches", LINES, approaches, checks, conclusion=7) == {2, 3, 4}


def test_without_a_correct_approach_the_whole_trace_is_trunk() -> None:
    assert dropped("drop_incorrect_branches", LINES, [(0, 4, WRONG, 0), (4, 8, OPEN, 1)]) == set()


def test_clean_local_drops_loops_and_what_follows_the_conclusion() -> None:
    assert dropped("clean_local", LINES, [(0, 5, CORRECT, 0)], conclusion=5, loops=((2, 4),)) == {2, 3}
    assert dropped("clean_local", LINES, [(0, 5, CORRECT, 0)], conclusion=(5, 6)) == {6, 7}
    assert dropped("clean_local", LINES, [(0, 5, WRONG, 0)], conclusion=(5, 6)) == set()
