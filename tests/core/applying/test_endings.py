"""A text that ends on another answer than the kept work, or breaks off without one, loses loops only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.applying.closing import declared_answer
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Enhancement
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CORRECT, annotated

OTHER = "unsure:ends_on_another_answer"
ROAD = ["There are 60 trays with 70 eggs.", "So 60 * 70 = 4,200 eggs in total."]
CHECK = ["Let me check that: 60 * 7 = 420, and 420 * 10 = 4,200. That is correct."]
AGAIN = ["Let me check once more: 4,200 / 70 = 60. Yes, that matches."]


def enhanced(trace: Trace, annotation: Annotation) -> Enhancement:
    return enhance(trace, annotation, parse_policy(DEFAULT_POLICY))


def eggs(*closing: str, again: list[str] = AGAIN, reply: str | None = None) -> Enhancement:
    lines = [*ROAD, *CHECK, *again, *closing]
    checks = [(2, 3, 0, 0), (3, 4, 0, 0)]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], checks, conclusion=4, reference="4,200", kinds=(AFFIRMS, AFFIRMS)
    )
    return enhanced(replace(trace, response=reply), annotation)


@pytest.mark.parametrize("reply", [None, "There are $\\boxed{4200}$ eggs.", "The answer is **4,200** eggs."])
def test_a_text_that_ends_on_the_answer_is_cut(reply: str | None) -> None:
    assert AGAIN[0] not in eggs("So there are 4,200 eggs.", reply=reply).reasoning


@pytest.mark.parametrize("reply", ["There are $\\boxed{420}$ eggs.", "The final answer is 420."])
def test_a_reply_with_another_answer_keeps_the_way_to_it(reply: str) -> None:
    moved = ["Let me check once more: 60 * 70 = 6 * 70 = 420. So it is 420. That matches."]
    result = eggs("I think that's the answer.", again=moved, reply=reply)
    assert (moved[0] in result.reasoning, result.reason) == (True, OTHER)


def test_a_box_that_cannot_be_compared_with_the_answer_keeps_the_way_to_it() -> None:
    assert AGAIN[0] in eggs("**Final Answer** \\boxed{-\\sqrt{\\dfrac{k - 1}{l}}}").reasoning
    assert AGAIN[0] not in eggs("**Final Answer** \\boxed{4200}").reasoning


def test_closing_words_with_another_answer_keep_the_way_to_it() -> None:
    moved = ["Let me check once more: 60 * 70 = 6 * 70 = 420. So it is 420. That matches."]
    result = eggs("Therefore, the total number of eggs is 420.", again=moved)
    assert (moved[0] in result.reasoning, result.reason) == (True, OTHER)


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        ("In conclusion, the speed is approximately 0.0415.", True),
        ("In conclusion, the speed is approximately 0.0422.", False),
        ("In conclusion, the speed is approximately 0.042.", False),
    ],
)
def test_a_value_that_the_end_changes_keeps_what_changes_it(end: str, kept: bool) -> None:
    road = ["The speed is 2.5 * 0.01688 = 0.0422."]
    check = ["Let me check that: 2 * 0.01688 = 0.03376, and half of it more is 0.0422. That is correct."]
    again = ["Let me check once more: 0.0422 / 2.5 = 0.01688. Yes, that matches."]
    lines = [*road, *check, *again, end]
    trace, annotation = annotated(
        lines,
        [(0, 1, CORRECT, 0)],
        [(1, 2, 0, 0), (2, 3, 0, 0)],
        conclusion=3,
        reference="0.042",
        kinds=(AFFIRMS, AFFIRMS),
    )
    approach = replace(annotation.approaches[0], answer="0.0422")
    result = enhanced(trace, replace(annotation, approaches=(approach,)))
    assert (again[0] in result.reasoning, result.reason == OTHER) == (kept, kept)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("At p = 42 the demand is 90.", "unsure:answer_not_concluded"),
        ("So the best price in cents is 42.", ""),
        ("The answer is 42.", ""),
    ],
)
def test_a_trace_that_breaks_off_without_a_conclusion_is_not_cut_behind_a_mention(
    found: str, reason: str
) -> None:
    lines = ["We look for the price.", found, "Another way is to draw the costs. At p = 42 they meet.", "So"]
    approaches = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)]
    trace, annotation = annotated(lines, approaches, [], truncated=True)
    result = enhanced(trace, annotation)
    assert (result.reasoning == trace.reasoning, result.reason) == (bool(reason), reason)
    given = enhanced(
        replace(trace, problem="Eggs cost 42 cents. What is the best price in cents?"), annotation
    )
    assert given.reason == ("" if "answer" in found or "best" in found else "unsure:answer_not_concluded")
    replied = enhanced(replace(trace, response="The price is $\\boxed{42}$."), annotation)
    assert "answer_not_concluded" not in replied.reason


def test_a_number_in_a_list_of_the_reply_does_not_hide_another_answer() -> None:
    lines = [*ROAD, *CHECK, *AGAIN, "So there are 420 crates."]
    checks = [(2, 3, 0, 0), (3, 4, 0, 0)]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], checks, conclusion=4, reference="4,200", kinds=(AFFIRMS, AFFIRMS)
    )
    (approach,) = annotation.approaches
    written = replace(annotation, approaches=(replace(approach, answer="60 \\cdot 70"),))
    reply = "Lots of 60, 70 and 4,200 are listed.\n\nThe answer is $\\boxed{420}$."
    assert enhanced(replace(trace, response=reply), written).reason == OTHER


def test_closing_words_that_sum_up_dropped_work_leave_the_outcome() -> None:
    confirms = "Another check: 70 * 60 matches the earlier result."
    result = eggs(f"{confirms} So there are 4,200 eggs.")
    assert AGAIN[0] not in result.reasoning
    assert confirms not in result.reasoning
    assert result.reasoning.rstrip().endswith("So there are 4,200 eggs.")


def test_closing_words_whose_outcome_speaks_of_dropped_work_go_whole() -> None:
    result = eggs("Another check: 70 * 60 matches. So both methods give 4,200 eggs.")
    assert result.reasoning.rstrip().endswith(CHECK[0])


@pytest.mark.parametrize(
    "tail",
    [
        "So since 4,200 is no prime, there are 4,200 eggs.",
        "So, 60 * 7 = 420, then 420 * 10 = 4,200, which gives 4,200 eggs.",
        "1. Start with 60 trays.\n2. Each of them holds 70.\n3. So there are 4,200 eggs.",
    ],
)
def test_the_last_step_of_a_dropped_check_is_no_closing_word(tail: str) -> None:
    lines = [
        *ROAD,
        *CHECK,
        "Just to be sure, let me go through the steps again.",
        tail,
        "I think that's right.",
    ]
    trace, annotation = annotated(
        lines, [(0, 2, CORRECT, 0)], [(2, 3, 0, 0), (3, 6, 0, 0)], reference="4,200", kinds=(AFFIRMS, AFFIRMS)
    )
    result = enhanced(trace, annotation)
    assert CHECK[0] in result.reasoning
    assert (tail in result.reasoning) is (lines[3] in result.reasoning)


@pytest.mark.parametrize(
    "closing",
    [
        "Another point: each tray is full. So there are 4,200 eggs.",
        "For the trays, that is 60 times. So there are 4,200 eggs.",
        "The trays give 60 * 70 = 4,200 once more. So there are 4,200 eggs.",
    ],
)
def test_closing_words_that_go_on_with_a_dropped_look_leave_the_outcome(closing: str) -> None:
    ends = ["Let me check: 60 * 7 = 420, and 420 * 10 = 4,200. That is correct, so there are 4,200 eggs."]
    lines = [*ROAD, *ends, *AGAIN, closing]
    trace, annotation = annotated(
        lines,
        [(0, 2, CORRECT, 0)],
        [(2, 3, 0, 0), (3, 4, 0, 0)],
        conclusion=4,
        reference="4,200",
        kinds=(AFFIRMS, AFFIRMS),
    )
    assert enhanced(trace, annotation).reasoning.split("\n\n")[3:] == ["So there are 4,200 eggs.", ""]


def test_first_words_that_answer_a_dropped_look_are_taken_off_the_outcome() -> None:
    lines = [
        "The band is blue and the dot is red.",
        "So option G is the correct answer.",
        "Let me check the band: it is blue. So G is the correct answer.",
        "Let me check the dot: it is red. So G is the correct answer.",
        "Another point: the line is green. So yes, G is the correct answer.",
    ]
    trace, annotation = annotated(
        lines,
        [(0, 2, CORRECT, 0)],
        [(2, 3, 0, 0), (3, 4, 0, 0)],
        conclusion=4,
        reference="G",
        kinds=(AFFIRMS, AFFIRMS),
    )
    result = enhanced(trace, annotation)
    assert result.reasoning.rstrip().split("\n\n") == [*lines[:3], "So G is the correct answer."]


def test_having_covered_everything_goes_where_what_covered_it_went() -> None:
    result = eggs("I think I've covered all the bases here.", "So there are 4,200 eggs.").reasoning
    assert "bases" not in result
    assert result.rstrip().endswith("So there are 4,200 eggs.")


def test_confirmed_enough_goes_where_the_confirmations_went() -> None:
    result = eggs("I think I've confirmed it sufficiently. So there are 4,200 eggs.").reasoning
    assert "sufficiently" not in result
    assert result.rstrip().endswith("So there are 4,200 eggs.")


@pytest.mark.parametrize(
    "lead",
    [
        "So, sticking with the first method, ",
        "Therefore, after those smaller examples, ",
        "So, going back to the original problem, ",
    ],
)
def test_first_words_that_speak_of_dropped_work_are_taken_off_the_outcome(lead: str) -> None:
    result = eggs(f"{lead}I am confident that there are 4,200 eggs.").reasoning
    assert AGAIN[0] not in result
    assert result.rstrip().endswith(f"{CHECK[0]}\n\nI am confident that there are 4,200 eggs.")


def test_verified_multiple_ways_is_taken_off_the_outcome() -> None:
    result = eggs("I think we've verified this multiple ways now, so the number of eggs is 4,200.").reasoning
    assert AGAIN[0] not in result
    assert result.rstrip().endswith("So the number of eggs is 4,200.")


def test_an_outcome_that_only_says_that_it_was_verified_stays() -> None:
    said = "So, after all this thinking and verifying, there are 4,200 eggs."
    assert eggs(said).reasoning.rstrip().endswith(said)


def test_a_factorial_ends_no_sentence() -> None:
    text = "So the value of 9! / (6!3!) is indeed 84. It is 4! So we stop."
    assert [text[slice(*span)].strip() for span in sentences(text)] == [
        "So the value of 9! / (6!3!) is indeed 84.",
        "It is 4!",
        "So we stop.",
    ]


def test_let_us_think_announces_what_follows() -> None:
    again = ["Let me check once more: maybe the share of eggs may change. But let's think."]
    assert is_open(again[0])


@pytest.mark.parametrize(
    "last",
    [
        "Final Answer: \\boxed{4200}",
        "**Final Answer**\nThere are \\boxed{4200} eggs.",
        "Answer: 4,200 eggs",
        "**Final Answer**\n\\[\n\\boxed{4200}\n\\]",
    ],
)
def test_a_check_that_goes_at_the_end_leaves_the_line_that_declares_the_answer(last: str) -> None:
    result = enhanced(*ending_in_a_check(f"{AGAIN[0]} I think that is it.\n{last}"))
    assert AGAIN[0] not in result.reasoning
    assert result.reasoning.rstrip() == "\n\n".join([*ROAD, *CHECK, last])
    assert result.script[-1].reason.startswith("redundant")


def test_a_last_segment_that_only_declares_the_answer_is_kept_as_it_is() -> None:
    result = enhanced(*ending_in_a_check(*AGAIN, "Final Answer: \\boxed{4200}"))
    assert AGAIN[0] not in result.reasoning
    assert [(edit.op.value, edit.start, edit.stop) for edit in result.script][-1] == ("keep", 4, 5)


def test_a_line_that_speaks_of_dropped_work_declares_nothing() -> None:
    trace, annotation = ending_in_a_check(f"{AGAIN[0]}\nSo both methods agree, hence \\boxed{{4200}}")
    assert declared_answer(trace, annotation, {3}) == {}


def ending_in_a_check(*last: str) -> tuple[Trace, Annotation]:
    """A trace without a conclusion, whose second check is its end."""
    lines = [*ROAD, *CHECK, *last]
    return annotated(
        lines,
        [(0, 2, CORRECT, 0)],
        [(2, 3, 0, 0), (3, len(lines), 0, 0)],
        reference="4,200",
        kinds=(AFFIRMS, AFFIRMS),
    )
