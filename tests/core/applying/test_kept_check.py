"""Which check stays: a whole one that is long enough, with all that it examines, and of what text is kept."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dlcot_ray.core.annotation import Label
from dlcot_ray.core.applying.looks import is_settled, leads_further
from dlcot_ray.core.applying.repeating import with_repeats_as_checks
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, DOUBTS, annotated

ROAD = ["We multiply 6 by 7.", "The answer is 42."]
END = "The answer is **42**."
WHOLE = "Let me check by division: 42 / 7 = 6, so that is right."
AGAIN = "Once more, 7 * 6 = 42, so it works."


def gone(result: Enhancement) -> list[int]:
    return [i for edit in result.script if edit.op is EditOp.DROP for i in range(edit.start, edit.stop)]


def made(
    lines: Sequence[str],
    approaches: Sequence[tuple[int, int, Label, int]],
    checks: Sequence[tuple[int, int, int | None, int]],
    *,
    kinds: Sequence[object] = (),
    conclusion: int | None = None,
    loops: tuple[tuple[int, int], ...] = (),
) -> Enhancement:
    """The output of the default policy; checks affirm unless `kinds` says otherwise."""
    trace, annotation = annotated(
        list(lines),
        approaches,
        checks,
        kinds=tuple(kinds) or (AFFIRMS,) * len(checks),  # type: ignore[arg-type]
        conclusion=len(lines) - 1 if conclusion is None else conclusion,
        loops=loops,
    )
    return enhance(trace, annotation, parse_policy(DEFAULT_POLICY))


@pytest.mark.parametrize(
    "next_one",
    [
        "Now, let's check the columns: 7 columns of 6 give 7 * 6 = 42. Correct.",
        "Similarly, the other side: 42 / 6 = 7. Correct.",
        "But we have another condition: 42 must be even, and 42 / 2 = 21. That holds.",
        "But we need to take the absolute value: |42| = 42. So that is right.",
        "Another example: 2 rows of 3 are 2 * 3 = 6. It works.",
        "Alternatively, if x = -6, then 7 * 6 = 42 again. Correct.",
    ],
)
def test_the_next_thing_that_is_examined_stays_with_the_check(next_one: str) -> None:
    result = made(
        [*ROAD, WHOLE, next_one, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


def test_another_look_at_the_whole_is_no_next_thing() -> None:
    assert leads_further("Next, the rows of the second box.")
    assert not leads_further("Let me go over it once more.")
    assert not leads_further("Now I am sure.")


def test_a_short_remark_stays_with_the_check_that_follows() -> None:
    remark = "In other words it is 42/1, and that simplifies to 42 = 84/2."
    result = made(
        [*ROAD, remark, WHOLE, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


@pytest.mark.parametrize("words", ["The rule should work here.", "That would match.", "It might hold."])
def test_an_expectation_is_no_verdict(words: str) -> None:
    assert not is_settled(words)
    assert is_settled("The rule works here.")


@pytest.mark.parametrize(
    "words",
    [
        "It must satisfy the condition that the shape is valid.",
        "That is valid only if x > 0.",
        "It has to satisfy both.",
    ],
)
def test_a_requirement_is_no_verdict(words: str) -> None:
    assert not is_settled(words)
    assert is_settled("So the shape is valid.")


def test_a_check_behind_a_second_solution_stays_where_no_other_affirms() -> None:
    second = ["Alternatively, 40 + 2 is 42.", "So the answer is 42."]
    lines = [*ROAD, *second, WHOLE, END]
    result = made(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)], [(4, 5, 1, 0)])
    assert gone(result) == [2, 3]


@pytest.mark.parametrize(
    ("check", "goes"),
    [
        ("Let me make sure that I have not miscounted: 7 * 6 = 42, correct.", False),
        ("Another way to check is to count them: 6, 12, 18, 24, 30, 36, 42. Right, 42.", False),
        ("Let me verify that addition again: 40 + 2 = 42, correct.", True),
        ("Alternatively, one could count in steps of 6: 6, 12, 18, 24, 30, 36, 42. Right, 42.", True),
        ("Let me check it by another method: 7 * 6 = 42, correct.", True),
        ("But the task says that there are 6 rows: 7 * 6 = 42, correct.", True),
    ],
)
def test_a_check_behind_a_second_solution_that_speaks_of_it_goes_with_it(check: str, goes: bool) -> None:
    second = ["Alternatively, 40 + 2 is 42.", "So the answer is 42."]
    lines = [*ROAD, *second, check, END]
    result = made(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)], [(4, 5, 1, 0)])
    assert gone(result) == ([2, 3, 4] if goes else [2, 3])


def test_a_check_that_uses_the_second_solution_goes_with_it() -> None:
    second = [
        "Alternatively, let z be the half: z = 21.5 - 0.5 = 21.0.",
        "Twice that is 42, the answer is 42.",
    ]
    check = "Let me check the half: 21.0 * 2 = 42, so that is right."
    result = made([*ROAD, *second, check, END], [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)], [(4, 5, 1, 0)])
    assert not {2, 3} & set(gone(result)) or 4 in gone(result)


def test_a_second_run_that_settles_a_look_is_the_body_of_that_check() -> None:
    lines = [
        *ROAD,
        "Wait, is that right?",
        "Let me list them again. 6 + 6 + 6 + 6 + 6 + 6 + 6 = 42.",
        "Yes, the answer is 42.",
        AGAIN,
        END,
    ]
    approaches = [(0, 2, CORRECT, 0), (3, 5, CORRECT, 0)]
    trace, annotation = annotated(
        lines, approaches, [(2, 3, 0, 0), (5, 6, 1, 1)], kinds=(CHECK, AFFIRMS), conclusion=6
    )
    repeated = with_repeats_as_checks(trace, annotation)
    assert [(a.start, a.stop) for a in repeated.approaches] == [(0, 2)]
    assert [(v.start, v.stop, v.approach) for v in repeated.verifications] == [(2, 5, 0), (5, 6, 0)]
    assert gone(enhance(trace, annotation, parse_policy(DEFAULT_POLICY))) == [5]


def test_a_second_run_behind_a_settled_look_or_of_another_method_stays_an_approach() -> None:
    run = ["6 + 6 + 6 + 6 + 6 + 6 + 6 = 42.", "The answer is 42."]
    for look, cluster in ((WHOLE, 0), ("Wait, is that right?", 1)):
        trace, annotation = annotated(
            [*ROAD, look, *run, END],
            [(0, 2, CORRECT, 0), (3, 5, CORRECT, cluster)],
            [(2, 3, 0, 0)],
            kinds=(AFFIRMS,),
            conclusion=5,
        )
        assert with_repeats_as_checks(trace, annotation) is annotation


def test_a_check_that_rules_out_other_values_and_ends_on_the_answer_affirms_it() -> None:
    rules_out = (
        "Is there a smaller one? Let me check 36: it cannot be split into rows of 7, since 36 / 7 is no whole "
        "number. And 42 / 7 = 6, so 42 works, and the answer is 42."
    )
    result = made(
        [*ROAD, rules_out, AGAIN, END],
        [(0, 2, CORRECT, 0)],
        [(2, 3, 0, 0), (3, 4, 0, 1)],
        kinds=(DOUBTS, AFFIRMS),
    )
    assert gone(result) == [3]


def test_what_a_colon_announces_belongs_to_the_check() -> None:
    check = "Let me check the product again. It comes to:"
    lines = [*ROAD, check, "\\[ 6 * 7 = 42 \\]", "I think that is the answer."]
    assert gone(made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0)], conclusion=3)) == []


@pytest.mark.parametrize(
    "tail",
    [
        "But given that, it seems best to say 42.",
        "So 1/n is about 0.0238 → n ≈ 1/0.0238 ≈ 42.",
        "So the numerical verification also suggests 42.",
    ],
)
def test_closing_words_that_argue_with_dropped_text_go_with_it(tail: str) -> None:
    lines = [*ROAD, WHOLE, "Once more in numbers: 42.0 / 7 = 6.0, so it works.", tail, END]
    assert gone(made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)) == [3, 4]


def test_either_way_is_taken_off_a_closing_sentence_that_can_stand_alone() -> None:
    lines = [
        *ROAD,
        WHOLE,
        AGAIN,
        "I looked at it as rows and as columns. Either way, the number of pears is 42, no less.",
    ]
    result = made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)])
    assert "either way" not in result.reasoning.lower()
    assert 3 in gone(result)


def test_a_text_may_end_in_an_assurance_behind_the_answer() -> None:
    check = [
        "Let me check by division: 42 / 7 = 6. So the answer is 42.",
        "I think that's the correct answer.",
    ]
    lines = [
        *ROAD,
        *check,
        "Just to make sure, 7 * 6 = 42. Yes, it all fits.",
        "Let me also see 3 * 14: it fits, rows by columns.",
    ]
    result = made(lines, [(0, 2, CORRECT, 0)], [(2, 4, 0, 0), (4, 6, 0, 1)], conclusion=6)
    assert gone(result) == [4, 5]


def test_loops_go_though_the_trace_breaks_off_on_another_number() -> None:
    turn = ["But the other way I get 24.", "That differs from 42.", "Let me think about the 5 shelves."]
    lines = [*ROAD, *turn, *turn, turn[0]]
    result = made(lines, [(0, 2, CORRECT, 0)], [(2, 9, 0, 0)], conclusion=9, loops=((5, 9),))
    assert gone(result) == [5, 6, 7, 8]
    assert all(edit.reason == "repetition loop" for edit in result.script if edit.op is EditOp.DROP)


def test_a_way_that_sets_out_to_work_something_new_keeps_what_it_leads_to() -> None:
    road = [*ROAD, "To see it directly, the product is large. Let's consider the properties of the factors."]
    second = ["Since 42 = 2 * 21 and 21 = 3 * 7, the answer is 42."]
    lines = [*road, *second, END]
    assert gone(made(lines, [(0, 3, CORRECT, 0), (3, 4, CORRECT, 1)], [])) == []


def test_a_look_that_examines_a_remark_stays_with_the_remark() -> None:
    remark = "But earlier I counted a row of zero pears, and that case is in the 42 already. So that is fine."
    this = "Wait, let's verify this. The row of zero gives 0 * 7 = 0, and 42 + 0 = 42, so it holds."
    result = made(
        [*ROAD, remark, this, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


def test_a_check_goes_on_with_also_check() -> None:
    also = "Also, check the other side: 42 / 6 = 7. So everything checks out."
    result = made(
        [*ROAD, WHOLE, also, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


def test_musing_is_no_examination() -> None:
    musing = (
        "Alternatively, maybe we could draw the rows one below the other, which would be long. Perhaps there is a "
        "shorter drawing with only half of the rows in it, though that might hide a row. It seems right."
    )
    result = made(
        [*ROAD, musing, WHOLE, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert 3 not in gone(result)
    assert 4 in gone(result)


def test_an_expression_that_is_still_to_be_worked_out_is_open() -> None:
    stops = "Let me check the parts. 6 rows, correct. 7 pears, correct. Multiplying them together: 6 * 7 * 1."
    goes_on = "Wait, I can take 6 * 7 first, which is 42. Yes, the same result."
    result = made(
        [*ROAD, stops, goes_on, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


def test_the_outcome_stays_though_it_is_put_as_an_argument() -> None:
    check = "Let me check with 5 rows: 5 * 7 = 35, which is correct and less than 42."
    lines = [*ROAD, check, AGAIN, "Given that, I think the answer is 42."]
    assert gone(made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)])) == [3]


def test_a_colon_before_the_final_answer_stays_and_a_reason_for_it_goes() -> None:
    lines = [*ROAD, WHOLE, AGAIN, "I checked it, so it checks out. So, the final answer is:", "**42**"]
    assert gone(made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)) == [3]
    reason = "Thus, since both possibilities lead there, the answer is 42."
    lines = [*ROAD, WHOLE, AGAIN, reason, END]
    assert gone(made(lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)) == [3, 4]


def test_a_check_that_comes_to_another_number_goes_on_until_it_is_settled() -> None:
    other = "Let me count the rows again: 6 + 6 = 12, so that works. So the number of pears is 12."
    settles = "No, these are two rows only. With 7 columns it is 6 * 7 = 42, so that is right."
    lines = [*ROAD, other, settles, AGAIN, END]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)], kinds=(AFFIRMS,) * 3, conclusion=5
    )
    asked = Trace("t", "What is the number of pears in the rows?", trace.reasoning, "42")
    assert gone(enhance(asked, annotation, parse_policy(DEFAULT_POLICY))) == [4]


def test_maybe_right_is_no_verdict() -> None:
    assert not is_settled("Wait, maybe 43 is correct.")
    assert is_settled("So 43 is correct.")


@pytest.mark.parametrize(
    ("stops", "goes_on"),
    [
        (
            "Let me check: 6 * 7 = 42, correct. But the question is, does that hold with the new box.",
            "Wait, the box is the same, so 42 is right.",
        ),
        (
            "Is 42 > 36? Yes, that's true.",
            "Let me check 5 rows, too: 5 * 7 = 35, which is too few. So 42 is right.",
        ),
    ],
)
def test_a_question_without_its_sign_and_an_answer_to_the_last_figures_are_no_check(
    stops: str, goes_on: str
) -> None:
    result = made(
        [*ROAD, stops, goes_on, AGAIN, END], [(0, 2, CORRECT, 0)], [(i, i + 1, 0, i) for i in (2, 3, 4)]
    )
    assert gone(result) == [4]


def test_regardless_of_the_approach_is_taken_off() -> None:
    second = ["Alternatively, 40 + 2 is 42.", "So the answer is 42."]
    lines = [*ROAD, *second, "So, regardless of the approach, the answer is 42."]
    result = made(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)], [])
    assert "regardless" not in result.reasoning


def test_two_ways_that_are_announced_stay_together() -> None:
    lines = ["Let me try both methods. First, 6 * 7 = 42, so it is 42."]
    lines += ["Now by adding: 7 + 7 + 7 + 7 + 7 + 7 = 42. Both agree.", AGAIN, END]
    result = made(lines, [(0, 1, CORRECT, 0), (1, 2, CORRECT, 1)], [(2, 3, 1, 0)])
    assert 1 not in gone(result)
    plain = made(
        [lines[0].replace("Let me try both methods. ", ""), *lines[1:]],
        [(0, 1, CORRECT, 0), (1, 2, CORRECT, 1)],
        [(2, 3, 1, 0)],
    )
    assert 1 in gone(plain)


def test_what_still_has_to_be_ruled_out_stays() -> None:
    lines = ["6 * 7 = 42, so 42 or 24. However, we need to determine whether one of them is impossible."]
    lines += ["Let me see: 24 is no multiple of 7, so the answer is 42.", AGAIN, END]
    assert 1 not in gone(made(lines, [(0, 1, CORRECT, 0)], [(1, 2, 0, 0), (2, 3, 0, 0)]))


def test_both_cases_of_which_one_is_dropped_come_off() -> None:
    lines = [
        *ROAD,
        WHOLE,
        "In centimetres: 60 * 70 = 4,200 mm, which are 42 again.",
        "So, in both cases, I get 42.",
    ]
    result = made([*lines, END], [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 4, 0, 1)], conclusion=4)
    assert "In centimetres" not in result.reasoning
    assert "both cases" not in result.reasoning
