"""Policies that end a trace at its solution."""

from __future__ import annotations

from dlcot_ray.core.policies.base import affirming_check
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, DOUBTS, WRONG, annotated, dropped, drops_of

LINES = [f"line {i}" for i in range(8)]


def test_keep_first_stops_after_the_first_correct_approach_and_keeps_the_conclusion() -> None:
    approaches = [(0, 2, WRONG, 0), (2, 4, CORRECT, 1), (4, 6, CORRECT, 2)]
    assert dropped("keep_first", LINES, approaches, conclusion=6) == {4, 5}
    assert dropped("keep_first", LINES, [(0, 8, WRONG, 0)]) == set()


def test_keep_first_plus_check_keeps_one_affirming_check_of_the_solution() -> None:
    approaches = [(0, 2, CORRECT, 0), (5, 6, CORRECT, 1)]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2), (6, 7, 1, 0)]
    kinds = (CHECK, AFFIRMS, AFFIRMS, AFFIRMS)
    cut = dropped("keep_first_plus_check", LINES, approaches, checks, kinds=kinds, conclusion=7)
    assert cut == {2, 4, 5, 6}


def test_keep_first_plus_check_keeps_no_check_if_none_affirms_the_solution() -> None:
    approaches = [(0, 2, CORRECT, 0), (4, 6, CORRECT, 1)]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (6, 7, 1, 0)]
    kinds = (DOUBTS, CHECK, AFFIRMS)
    cut = dropped("keep_first_plus_check", LINES, approaches, checks, kinds=kinds, conclusion=7)
    assert cut == {2, 3, 4, 5, 6}
    assert dropped("keep_first_plus_check", LINES, [(0, 8, WRONG, 0)]) == set()


def test_a_check_longer_than_its_approach_is_a_second_solution() -> None:
    checks = [(1, 4, 0, 0), (4, 5, 0, 1)]
    _, annotation = annotated(LINES, [(0, 1, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS))
    assert affirming_check(annotation, 0) == 1


def test_earliest_correct_prefix_ends_at_the_answer() -> None:
    approaches = [(0, 3, CORRECT, 0), (3, 6, CORRECT, 0)]
    assert dropped("earliest_correct_prefix", LINES, approaches) == {3, 4, 5, 6, 7}
    assert dropped("earliest_correct_prefix", LINES, [(0, 3, WRONG, 0)]) == set()


def test_each_item_has_its_own_reason() -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, WRONG, 1)]
    reasons = drops_of("keep_first", LINES, approaches, [(4, 5, 1, 0)], kinds=(AFFIRMS,), conclusion=6)
    assert reasons == {
        2: "after the solution: approach 1 (incorrect, method 1)",
        3: "after the solution: approach 1 (incorrect, method 1)",
        4: "after the solution: check 0 (affirmation of approach 1)",
        5: "after the solution",
    }
