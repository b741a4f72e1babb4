"""Each policy on annotations whose right answer is obvious, with the reference code's own slips."""

from __future__ import annotations

import pytest
from annotations import CORRECT, OPEN, WRONG, annotated

from dlcot_ray.core.policies import PolicyError, parse_policy


def dropped(policy: str, *args: object, **kwargs: object) -> set[int]:
    _, annotation = annotated(*args, **kwargs)  # type: ignore[arg-type]
    return set(parse_policy(policy).drops(annotation))


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
    assert dropped(policy, LINES, unsolved) == {2, 3, 4, 5, 6, 7}
    solved = [(0, 2, CORRECT, 0), (2, 8, OPEN, 0)]
    assert dropped(policy, LINES, solved, truncated=True) == {2, 3, 4, 5, 6, 7}


def test_a_loop_goes_even_where_the_trace_breaks_off() -> None:
    found = dropped("keep_one_per_cluster", LINES, [(0, 8, OPEN, 0)], loops=((3, 8),), truncated=True)
    assert found == {3, 4, 5, 6, 7}


def test_keep_first_stops_after_the_first_correct_approach_and_keeps_the_conclusion() -> None:
    approaches = [(0, 2, WRONG, 0), (2, 4, CORRECT, 1), (4, 6, CORRECT, 2)]
    assert dropped("keep_first", LINES, approaches, conclusion=6) == {4, 5}
    assert dropped("keep_first", LINES, [(0, 8, WRONG, 0)]) == set()


def test_earliest_correct_prefix_ends_at_the_answer() -> None:
    assert dropped("earliest_correct_prefix", LINES, [(0, 3, CORRECT, 0), (3, 6, CORRECT, 0)]) == {
        3,
        4,
        5,
        6,
        7,
    }


def test_policies_combine_by_union() -> None:
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1), (4, 6, CORRECT, 0)]
    assert dropped("keep_one_per_cluster+keep_first", LINES, approaches, conclusion=6) == {2, 3, 4, 5}


def test_a_typo_names_the_nearest_policy() -> None:
    with pytest.raises(PolicyError, match="did you mean 'keep_first'"):
        parse_policy("keep_frist")
    with pytest.raises(PolicyError, match="unknown policy option"):
        parse_policy("keep_first", {"min_kep": 0.1})
