"""The check that stays is a whole examination; doubts stay only with what settles them; tails go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.applying.examinations import is_whole
from dlcot_ray.core.applying.looks import leaves_conflict
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from tests.support.annotations import AFFIRMS, CORRECT, annotated

ROAD = ["We multiply 6 by 7.", "The answer is 42."]
END = "The answer is **42**."
WHOLE = "Let me check by division: 42 / 7 = 6, so that is right."
AGAIN = "Once more, 7 * 6 = 42, so it works."


def gone(result: Enhancement) -> list[int]:
    return [i for edit in result.script if edit.op is EditOp.DROP for i in range(edit.start, edit.stop)]


def checked(*checks: str, end: str = END, road: list[str] = ROAD) -> list[int]:
    """The dropped segments of a trace whose checks have one segment each."""
    lines = [*road, *checks, end]
    spans = [(i, i + 1, 0, i) for i in range(2, 2 + len(checks))]
    kinds = (AFFIRMS,) * len(checks)
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], spans, kinds=kinds, conclusion=len(lines) - 1)
    return gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY)))


@pytest.mark.parametrize(
    "stub",
    [
        "Wait, so the answer is 42. Is that right?",
        "Let me verify that. First, 42 / 6 = 7. Let me compare it with the other division.",
        "But I should check whether the order matters. The order is 6 and 7, and that gives 42.",
        "So whichever way we turn it, it is 42. So, probably the answer is 42.",
        "Since 6 + 6 = 12, the steps fit. But perhaps I should look at it once more.",
    ],
)
def test_a_stub_stays_together_with_what_follows_up_to_the_verdict(stub: str) -> None:
    assert checked(stub, WHOLE, AGAIN) == [4]


@pytest.mark.parametrize(
    "empty",
    [
        "Hold on, but the task asks for a whole number. In this case it should be 42.",
        "Earlier I multiplied and got 42, which seems correct.",
        "We already have that 6 * 7 = 42, so everything checks out.",
    ],
)
def test_a_look_that_examines_nothing_goes_and_the_first_whole_one_stays(empty: str) -> None:
    assert checked(empty, WHOLE, AGAIN) == [2, 4]


def in_one_check(*lines: str) -> list[int]:
    """The dropped segments of a trace whose check has several segments."""
    text = [*ROAD, *lines, END]
    stop = len(text) - 1
    trace, annotation = annotated(
        text, [(0, 2, CORRECT, 0)], [(2, stop, 0, 0)], kinds=(AFFIRMS,), conclusion=stop
    )
    return gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY)))


def test_a_check_that_holds_several_looks_is_split_behind_the_first_verdict() -> None:
    looks = ["Let me check that.", "42 / 7 = 6.", "So that is correct.", "Alternatively, we add.", AGAIN]
    assert in_one_check(*looks) == [5, 6]


def test_a_check_is_not_split_before_its_verdict_nor_inside_a_list() -> None:
    assert (
        in_one_check("Let me check that.", "42 / 7 = 6.", "Wait, I should also look at 42 / 6.", AGAIN) == []
    )
    listed = ["Let me make sure of it:", "- 42 / 7 = 6, confirmed.", "- To be sure, 42 / 6 = 7, confirmed."]
    assert in_one_check(*listed) == []


def test_a_check_in_which_something_went_wrong_is_not_whole() -> None:
    wrong = "Let me add: 6 + 7 = 13, and 13 * 3 = 39. I must have messed up my steps."
    assert checked(wrong, WHOLE, AGAIN) == [4]


def test_the_first_whole_examination_stays_alone() -> None:
    assert checked(WHOLE, AGAIN, "And 42 - 42 = 0, which fits.") == [3, 4]


@pytest.mark.parametrize(
    "text", ["Is that all?", "We look at:", "But I need to check if 6 is allowed.", "Wait."]
)
def test_a_question_an_announcement_or_a_doubt_is_open(text: str) -> None:
    assert is_open("The sum is 42. " + text)


def test_a_verdict_closes_a_check() -> None:
    assert not is_open("So no.")
    assert is_whole("Wait, but 6 * 7 = 42, which matches.", ("42",))
    assert not is_whole("Good, so 42.", ("42",))


def test_the_tail_of_a_dropped_method_goes_with_it() -> None:
    tail = ["Then x = 84 / 2 = 42.", "Again, that is what we had.", "So the answer is 42."]
    lines = [*ROAD, WHOLE, "Alternatively, halve 84.", "Half of 84 is 42.", *tail]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0), (3, 5, CORRECT, 1)], [(2, 3, 0, 0)], kinds=(AFFIRMS,), conclusion=5
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [3, 4, 5, 6]


def test_a_sum_of_both_methods_goes_with_the_second() -> None:
    check = "Let me check: 42 / 7 = 6, that is right, so the answer is 42."
    lines = [
        *ROAD,
        check,
        "Alternatively, halve 84.",
        "Half of 84 is 42.",
        "Both methods show that the answer is 42.",
    ]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0), (3, 5, CORRECT, 1)], [(2, 3, 0, 0)], kinds=(AFFIRMS,), conclusion=5
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [3, 4, 5]


def test_a_doubt_at_the_end_of_the_trunk_keeps_what_settles_it() -> None:
    lines = [
        ROAD[0],
        "The answer is 42, but I need to check if a pair is counted twice.",
        "Let us list the pairs: 6 rows of 7.",
        "No pair is counted twice, so the answer is 42.",
        AGAIN,
        END,
    ]
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)]
    trace, annotation = annotated(lines, approaches, [(4, 5, 1, 0)], kinds=(AFFIRMS,), conclusion=5)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [4]


def test_a_further_question_of_the_task_is_not_dropped() -> None:
    lines = [*ROAD, WHOLE, "**Subproblem 2:** How many are left?", "Nothing is left, 42 - 42 = 0.", END]
    checks = [(2, 3, 0, 0), (3, 5, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS), conclusion=5)
    assert not {3, 4}.intersection(gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))))


def test_a_check_in_which_the_answer_first_stands_needs_a_verdict() -> None:
    lines = ["We set 6 by 7.", "That is to be worked out.", "Then 40 + 2 = 42.", WHOLE, AGAIN, END]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2)]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS, AFFIRMS), conclusion=5
    )
    annotation = replace(annotation, first_correct_segment=2)
    assert not {2, 3}.intersection(gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))))


def test_nothing_is_cut_behind_a_check_that_ends_open() -> None:
    lines = [*ROAD, "Wait, no, because 6 pairs could be counted twice, but maybe not.", *ROAD, END]
    approaches = [(0, 2, CORRECT, 0), (3, 5, CORRECT, 0)]
    trace, annotation = annotated(lines, approaches, [(2, 3, 0, 0)], kinds=(AFFIRMS,), conclusion=5)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == []


def test_an_open_check_keeps_what_settles_it_and_no_more() -> None:
    lines = [
        *ROAD,
        "That would be 42, but let me check if that makes sense.",
        "The sides of the field are 6 and 7.",
        "Its area is 6 * 7 = 42, so the answer is 42.",
        AGAIN,
        END,
    ]
    approaches = [(0, 2, CORRECT, 0), (3, 5, CORRECT, 1)]
    trace, annotation = annotated(
        lines, approaches, [(2, 3, 0, 0), (5, 6, 1, 1)], kinds=(AFFIRMS, AFFIRMS), conclusion=6
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [5]


def test_a_look_that_finds_two_results_at_odds_stays_with_the_check_before_it() -> None:
    conflict = (
        "Wait, but earlier we multiplied and got 36, but now it is 42. Since 6 * 7 = 42, that is right."
    )
    assert checked(WHOLE, conflict, AGAIN) == [4]


def test_the_step_from_the_last_value_to_what_is_asked_stays() -> None:
    lines = [
        "The task asks for the remainder by 1000.",
        "Adding 561 and 594 we have 61 + 94 = 155, in total 1155.",
        "Let me add again: 561 + 594 = 1155, which matches.",
        "Now 1155 - 1000 = 155, so the answer is 155.",
        "And once more 1155 - 1000 = 155, so it is 155.",
        "So the answer should be 155.",
    ]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2)]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS,) * 3, conclusion=5, reference="155"
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [4]


def test_the_verdict_of_a_dropped_look_goes_though_the_conclusion_states_no_answer() -> None:
    tail = ["Therefore the units fit.", "I think this is the right result."]
    lines = [*ROAD, "We check 42 / 7 = 6, so 42 is right.", "The units are rows and seats.", *tail]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], kinds=(AFFIRMS, AFFIRMS), conclusion=4
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [3, 4]


def test_a_step_of_the_solution_is_not_the_check_that_stays() -> None:
    step = "But the task asks for the area. So now 6 * 7 is 42."
    assert checked(step, WHOLE, AGAIN) == [4]


def test_the_answer_in_another_form_is_not_the_check_that_stays() -> None:
    assert checked("Alternatively, I can write it as 40 + 2 = 42, both are correct.", WHOLE, AGAIN) == [4]


@pytest.mark.parametrize("tail", ["Looks correct.", "Again, the same answer.", "= 42"])
def test_the_end_of_a_dropped_check_goes_with_it(tail: str) -> None:
    lines = [*ROAD, WHOLE, AGAIN, tail, END]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS,) * 2, conclusion=4)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [3, 4]


def test_a_check_that_leaves_a_conflict_stays_with_all_that_follows() -> None:
    conflict = (
        "Let me count: 6 + 6 = 12, and this contradicts the result before. Then 42 / 7 = 6, so it matches."
    )
    assert checked(conflict, AGAIN.replace("Once more,", "According to that,")) == []


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("This contradicts the earlier result. We get 42.", True),
        ("But according to the first method, it is 42.", True),
        ("This contradicts the earlier result. I made a slip in the sum.", False),
        ("There is no contradiction here.", False),
        ("Close, but my two methods are giving slightly different results.", True),
        ("The two counts gave different totals. I see: I forgot the last row.", False),
        ("Both ways give the same result in different forms.", False),
        ("Then x is below zero, which contradicts the given condition. So x = 42.", False),
    ],
)
def test_a_conflict_is_left_until_a_sentence_settles_it(text: str, left: bool) -> None:
    assert leaves_conflict(text) is left


def test_a_way_that_ends_in_a_conflict_stays_with_what_settles_it() -> None:
    conflict = ["A count by sevens gives 49. So this contradicts the product."]
    lines = [*ROAD, *conflict, "Count again: 7, 14, 21, 28, 35, 42. So it is 42.", AGAIN, END]
    checks = [(3, 4, 0, 0), (4, 5, 0, 1)]
    settled = annotated(lines, [(0, 3, CORRECT, 0)], checks, kinds=(AFFIRMS,) * 2, conclusion=5)
    assert gone(enhance(*settled, parse_policy("keep_first"))) == [4]
    plain = annotated(
        [*ROAD, "So it is 42.", *lines[3:]], [(0, 3, CORRECT, 0)], checks, kinds=(AFFIRMS,) * 2, conclusion=5
    )
    assert gone(enhance(*plain, parse_policy("keep_first"))) == [3, 4]
