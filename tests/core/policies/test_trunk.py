"""Policies that end a trace at its solution."""

from __future__ import annotations

from dataclasses import replace

from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.policies.standing import trunk_stop
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, DOUBTS, WRONG, annotated, dropped

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


def test_keep_first_plus_check_keeps_no_check_if_none_affirms_the_answer() -> None:
    approaches = [(0, 2, CORRECT, 0), (4, 6, CORRECT, 1)]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (6, 7, 1, 0)]
    cut = dropped(
        "keep_first_plus_check", LINES, approaches, checks, kinds=(DOUBTS, CHECK, CHECK), conclusion=7
    )
    assert cut == {2, 3, 4, 5, 6}
    assert dropped("keep_first_plus_check", LINES, [(0, 8, WRONG, 0)]) == set()


def test_a_check_of_a_second_solution_goes_unless_it_is_the_only_one() -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)]
    checks = [(4, 5, 1, 0), (5, 6, 0, 1)]
    both, one = (AFFIRMS, AFFIRMS), (AFFIRMS, DOUBTS)
    assert dropped("keep_first_plus_check", LINES, approaches, checks, kinds=both, conclusion=6) == {2, 3, 4}
    assert dropped("keep_first_plus_check", LINES, approaches, checks, kinds=one, conclusion=6) == {2, 3, 5}


def test_the_trunk_ends_with_the_check_that_finds_the_error_and_the_answer() -> None:
    approaches, checks = [(0, 2, WRONG, 0), (5, 6, CORRECT, 0)], [(2, 4, 0, 0), (4, 5, 0, 1)]
    _, annotation = annotated(LINES, approaches, checks, kinds=(DOUBTS, AFFIRMS), conclusion=6)
    assert trunk_stop(annotation) == 6
    mended = replace(annotation, first_correct_segment=3)
    assert trunk_stop(mended) == 4
    assert set(parse_policy("keep_first_plus_check").drops(mended)) == {5}


def test_an_answer_that_first_stands_in_a_later_item_keeps_that_item() -> None:
    _, annotation = annotated(LINES, [(0, 2, CORRECT, 0), (3, 5, CORRECT, 1)], [(2, 3, 0, 0)], conclusion=6)
    assert trunk_stop(annotation) == 2
    assert trunk_stop(replace(annotation, first_correct_segment=4)) == 5
    assert trunk_stop(replace(annotation, first_correct_segment=2)) == 3


def test_earliest_correct_prefix_ends_at_the_answer() -> None:
    approaches = [(0, 3, CORRECT, 0), (3, 6, CORRECT, 0)]
    assert dropped("earliest_correct_prefix", LINES, approaches) == {3, 4, 5, 6, 7}
    assert dropped("earliest_correct_prefix", LINES, [(0, 3, WRONG, 0)]) == set()
