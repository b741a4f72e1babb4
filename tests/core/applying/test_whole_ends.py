"""A check that stays has its outcome; closing words keep their list and lose what speaks of dropped work."""

from __future__ import annotations

import pytest

from dlcot_ray.core.applying.looks import is_settled, leads_further
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.applying.settling import settling
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.seams.loose_ends import loose_before
from tests.core.applying.test_kept_check import AGAIN, END, ROAD, gone, made
from tests.support.annotations import AFFIRMS, CORRECT, annotated

ROWS = [(0, 2, CORRECT, 0)]
OPENING = "Wait, let me see if 8 boxes could do as well."
SETTING = "With 8 boxes, the work of a day would be 8 * 6 pens."
BODY = "8 * 6 is 48, which is more than there are. So 7 boxes it is, and 7 * 6 = 42."


def kept_with(lines: list[str], checks: list[tuple[int, int]]) -> range | None:
    """The segments that stay with the first check because it lacks an outcome."""
    trace, annotation = annotated(
        lines,
        ROWS,
        [(start, stop, 0, number) for number, (start, stop) in enumerate(checks)],
        kinds=(AFFIRMS,) * len(checks),
        conclusion=len(lines) - 1,
    )
    return settling(trace, annotation)


def test_an_opening_without_an_outcome_keeps_what_follows_up_to_the_outcome() -> None:
    lines = [*ROAD, OPENING, SETTING, BODY, AGAIN, END]
    assert kept_with(lines, [(2, 4), (4, 5), (5, 6)]) == range(2, 5)


def test_a_look_at_what_was_just_said_belongs_to_the_check() -> None:
    lines = [
        *ROAD,
        "Let me try with 1 row: 1 * 42 = 42.",
        "Let me check if this is true: yes, it is.",
        AGAIN,
        END,
    ]
    assert kept_with(lines, [(2, 3), (3, 4), (4, 5)]) == range(2, 4)


def test_where_no_outcome_follows_all_of_it_stays() -> None:
    lines = [*ROAD, OPENING, SETTING, "A box weighs 3 pounds.", "A pen costs 2 dollars.", END]
    assert kept_with(lines, [(2, 4), (4, 5), (5, 6)]) == range(2, 6)


@pytest.mark.parametrize(
    "end",
    [
        "48 pens are too many, so 42 stays.",
        "The rows agree, which is right.",
        "So there are forty-two of them.",
        "Twice 21 pens are 42.",
    ],
)
def test_a_verdict_the_answer_or_a_conclusion_before_the_next_look_is_an_outcome(end: str) -> None:
    lines = [*ROAD, OPENING, f"8 boxes have 48 pens. {end}", "Wait, let me count the rows.", END]
    assert kept_with(lines, [(2, 4), (4, 5)]) is None


@pytest.mark.parametrize("words", ["Second condition: 42 is even.", "The other equation: 2x = 84."])
def test_the_next_condition_belongs_to_the_check(words: str) -> None:
    assert leads_further(words)
    lines = [
        *ROAD,
        "Let me check. First condition: 42 / 7 = 6, yes, it holds.",
        f"{words} It holds.",
        AGAIN,
        END,
    ]
    assert gone(made(lines, ROWS, [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2)])) == [4]


@pytest.mark.parametrize(
    "words",
    ["This is their work.", "It is good to know the rule.", "They are all the same or all different."],
)
def test_nouns_and_advice_are_no_verdict(words: str) -> None:
    assert not is_settled(words)
    assert is_settled("The rule works, and that is good.")


def test_to_think_of_whether_is_no_verdict() -> None:
    assert is_open("Thinking of whether 42 is the correct answer.")
    assert not is_open("So 42 is the correct answer.")


def test_a_check_that_ends_in_a_loop_does_not_take_the_place_of_a_whole_one() -> None:
    whole = "Let me double-check with division: 42 / 7 = 6, which is right."
    loop = "Alternatively, I could think about the rows, 6 + 6."
    lines = [*ROAD, whole, loop, *[loop] * 8]
    trace, annotation = annotated(
        lines, ROWS, [(2, 3, 0, 0), (3, 12, 0, 1)], kinds=(AFFIRMS,) * 2, loops=((4, 12),), truncated=True
    )
    dropped = gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY)))
    assert 2 not in dropped
    assert set(range(4, 12)) <= set(dropped)


def test_an_entry_of_a_list_does_not_stay_without_those_before_it() -> None:
    recap = ["To recap:", "1. There are 6 rows.", "2. A row has 7 pens."]
    lines = [*ROAD, "Let me check: 42 / 7 = 6. Right.", AGAIN, *recap, "3. So the answer is **42**."]
    dropped = gone(made(lines, ROWS, [(2, 3, 0, 0), (3, 4, 0, 1), (4, 7, 0, 2)]))
    assert dropped == [3]


def test_closing_words_that_speak_of_things_in_dropped_work_go() -> None:
    lines = [*ROAD, "Let me check: 42 / 7 = 6. Right.", "Do rows and columns overlap? No, 7 * 6 = 42."]
    lines += ["Therefore, they never overlap, so the total is 42.", "So I think the answer is **42**."]
    assert gone(made(lines, ROWS, [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)) == [3, 4]


def test_closing_words_that_answer_dropped_work_go_though_they_state_no_answer() -> None:
    lines = [
        *ROAD,
        "Let me check: 42 / 7 = 6. So the total is 42.",
        "Is there another way to count? 7 * 6 = 42.",
    ]
    lines += ["So, no. Hence the count seems unique.", "Thus, the final answer."]
    assert gone(made(lines, ROWS, [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)) == [3, 4]


def test_a_result_that_is_only_half_believed_is_no_end() -> None:
    text = "The remainder is 42. But I recall that the count is often higher, but maybe this is correct."
    found = loose_before(text)
    assert found is not None
    assert text[slice(*found[1])].startswith("But I recall")
    assert loose_before("The remainder is 42, and this is correct.") is None
