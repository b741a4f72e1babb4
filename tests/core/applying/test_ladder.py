"""The ladder cuts less in whole items, and redundancy goes before a conclusion does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.applying.ladder import CLOSES
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from tests.support.annotations import AFFIRMS, CORRECT, OPEN, annotated

ROAD = ["We multiply 6 by 7.", "The answer is 42."]
CHECK = ["Check: 42 / 7 = 6, so it is 42."]
END = ["The answer is **42**."]


def gone(result: Enhancement) -> list[tuple[int, int]]:
    return [(edit.start, edit.stop) for edit in result.script if edit.op is EditOp.DROP]


def test_the_first_item_is_given_back_and_the_rest_goes() -> None:
    lines = [
        "Let us set up two counts.",
        "The first count gives 318.",
        "Let us set up two counts again.",
        "The second count gives 276.",
        "With 276 from the count, 276 - 234 = 42.",
        "The answer is 42.",
        *CHECK,
        "Again: 42 / 6 = 7, so it is 42.",
        *END,
    ]
    approaches = [(0, 2, OPEN, 0), (2, 4, OPEN, 0), (4, 6, CORRECT, 1)]
    trace, annotation = annotated(
        lines, approaches, [(6, 7, 2, 0), (7, 8, 2, 1)], kinds=(AFFIRMS, AFFIRMS), conclusion=8
    )
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY))
    assert gone(result) == [(7, 8)]
    assert result.reason.startswith("fallback:")
    assert result.script[1].reason == "redundant: check of approach 2, another check stays (segment 6)"


def test_what_stays_behind_the_answer_stands_in_a_row() -> None:
    lines = [
        *ROAD,
        *CHECK,
        "Look at it by columns: 7 + 7 + 7 + 7 + 7 + 7 = 42.",
        "By symmetry, 21 * 2 = 42.",
        "Again: 42 / 6 = 7, so it is 42.",
        *END,
    ]
    checks = [(number, number + 1, 0, number - 2) for number in range(2, 6)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS,) * 4, conclusion=6)
    policy = parse_policy(DEFAULT_POLICY)
    assert gone(enhance(trace, annotation, policy)) == [(3, 6)]
    # The reply speaks of the third check, so the second, which stands before it, stays too.
    spoken = replace(trace, response="It is 42. We verified it by symmetry.")
    result = enhance(spoken, annotation, policy)
    assert gone(result) == [(5, 6)]
    assert result.reason == "fallback:reply_supported"


@pytest.mark.parametrize(
    ("check", "goes"),
    [
        ("Let me check the first method: 42 / 7 = 6, so it is 42.", [(4, 5)]),
        ("Let me check it: 42 / 7 = 6, so it is 42.", [(2, 3), (4, 5)]),
    ],
)
def test_a_check_that_speaks_of_one_of_two_methods_keeps_both(
    check: str, goes: list[tuple[int, int]]
) -> None:
    lines = [*ROAD, "Take 40 and 2, that is 42.", check, "Again: 42 / 6 = 7, so it is 42.", *END]
    approaches = [(0, 2, CORRECT, 0), (2, 3, CORRECT, 1)]
    checks = [(3, 4, 0, 0), (4, 5, 0, 1)]
    trace, annotation = annotated(lines, approaches, checks, kinds=(AFFIRMS, AFFIRMS), conclusion=5)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == goes


def test_a_closing_formula_keeps_the_words_that_lead_to_it() -> None:
    lines = [
        *ROAD,
        *CHECK,
        "Again: 42 / 6 = 7, so it is 42.",
        "So, in conclusion, the number is constant, with",
        "n = 42.",
    ]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS), conclusion=4)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(3, 4)]


def test_reasons_are_true_of_the_text_that_comes_out() -> None:
    lines = [*ROAD, "Add 40 and 2.", "The answer is 42.", *CHECK, "Yes, 7 * 6 = 42.", *END]
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)]
    trace, annotation = annotated(
        lines, approaches, [(4, 5, 0, 0), (5, 6, 1, 1)], kinds=(AFFIRMS, AFFIRMS), conclusion=6
    )
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY))
    assert gone(result) == [(2, 4), (5, 6)]
    assert [edit.reason for edit in result.script if edit.op is EditOp.DROP] == [
        "after the solution: approach 1 (correct)",
        "redundant: check of approach 1, another check stays (segment 4)",
    ]


def test_a_check_that_ends_on_the_answer_affirms_it_in_whatever_words() -> None:
    lines = [*ROAD, "Plug it in: 7 * 6 = 42.", "And once more, 6 * 7 = 42.", *END]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY))
    assert gone(result) == [(3, 4)]


def test_sentences_that_sum_up_what_is_dropped_go_too() -> None:
    lines = [
        *ROAD,
        *CHECK,
        "Again: 42.",
        "All checks agree, multiple ways lead there.",
        "**Final Answer**",
        *END,
    ]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS), conclusion=4)
    result = enhance(trace, annotation, parse_policy(DEFAULT_POLICY))
    assert gone(result) == [(3, 4), (4, 5)]
    assert result.script[2].reason == CLOSES
    whole = enhance(
        trace, replace(annotation, verifications=annotation.verifications[:1]), parse_policy("clean_local")
    )
    assert whole.status is Status.UNCHANGED


def test_the_outcome_before_an_empty_last_word_belongs_to_the_closing_words() -> None:
    lines = [*ROAD, *CHECK, "Once more.", "So the result is 42.", "I think that is it."]
    checks = [(2, 3, 0, 0), (3, 5, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS), conclusion=5)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(3, 4)]


def test_an_unlocated_answer_is_not_cut_on() -> None:
    trace, annotation = annotated(
        [*ROAD, *CHECK, "Again.", *END], [(0, 2, CORRECT, 0)], [(2, 4, 0, 0)], conclusion=4, loops=()
    )
    vague = replace(
        annotation,
        approaches=(replace(annotation.approaches[0], answer_segment=None),),
        first_correct_segment=None,
    )
    result = enhance(trace, vague, parse_policy("keep_first"))
    assert (result.status, result.reason) == (Status.UNCHANGED, "unsure:answer_not_located")


def test_a_loop_inside_one_segment_goes_behind_its_first_pass() -> None:
    cycle = "I should look at the sum of the digits once more. "
    lines = ["We begin. " + cycle * 30 + "Then I stop.", "The answer is 42."]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)])
    result = enhance(trace, annotation, parse_policy("clean_local"))
    assert result.reasoning == "We begin. " + cycle + "Then I stop.\n\nThe answer is 42.\n\n"
    (edit,) = [edit for edit in result.script if edit.op is EditOp.REPLACE]
    assert (edit.start, edit.stop, edit.reason) == (0, 1, "repetition loop")
    assert enhance(trace, annotation, parse_policy("keep_first")).status is Status.UNCHANGED


def test_sentences_that_plan_the_reply_go_behind_the_final_answer() -> None:
    lines = [*ROAD, *CHECK, "Again: 42.", *END, "We should give the steps.", "Let's write the answer."]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1)]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS), conclusion=4)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(3, 4), (5, 7)]


def test_a_solution_that_settles_a_doubt_at_the_end_of_the_trunk_stays_as_the_check() -> None:
    doubt = "The answer is 42. Wait, is that right? Maybe I made a mistake."
    lines = [ROAD[0], doubt, "Count the pairs: 40 + 2 = 42.", "Hmm, 42 / 7 = 6, so it is 42.", *END]
    approaches = [(0, 2, CORRECT, 0), (2, 3, CORRECT, 1)]
    trace, annotation = annotated(lines, approaches, [(3, 4, 0, 0)], kinds=(AFFIRMS,), conclusion=4)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(3, 4)]
    sure = [ROAD[0], "The answer is 42.", *lines[2:]]
    trace, annotation = annotated(sure, approaches, [(3, 4, 0, 0)], kinds=(AFFIRMS,), conclusion=4)
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(2, 3)]


def test_an_announcement_stays_only_with_the_check_that_it_announces() -> None:
    lines = [*ROAD, "Wait, let me look at that again.", *CHECK, "And again, 6 * 7 = 42.", *END]
    checks = [(2, 3, 0, 0), (3, 4, 0, 1), (4, 5, 0, 2)]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], checks, kinds=(AFFIRMS, AFFIRMS, AFFIRMS), conclusion=5
    )
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [(4, 5)]
