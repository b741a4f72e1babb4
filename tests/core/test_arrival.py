"""Correct approaches end where the work does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, ReferenceKind, SectionKind
from dlcot_ray.core.arrival import settle
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.policies.standing import is_unsolved
from dlcot_ray.core.stating.stated import ends_on, states
from tests.support.annotations import AFFIRMS, CHECK, CORRECT, OPEN, WRONG, annotated


def settled(*args: object, **kwargs: object) -> tuple[Annotation, Annotation]:
    """An annotation whose judge did not locate the right answer, before and after."""
    trace, annotation = annotated(*args, **kwargs)  # type: ignore[arg-type]
    annotation = replace(annotation, first_correct_segment=None)
    return annotation, settle(trace, annotation)


def test_an_approach_that_ends_on_the_answer_is_unchanged() -> None:
    lines = ["We multiply.", "So 6 * 7 = 42.", "Let me check.", "42 / 7 = 6.", "**42**"]
    before, after = settled(lines, [(0, 2, CORRECT, 0)], [(2, 4, 0, 0)], conclusion=4)
    assert after is before


def test_an_approach_with_a_coincidental_answer_is_completed_from_the_checks() -> None:
    lines = [
        "Then 5 * bc = 42.",
        "bc = 36.",
        "Wait, bc = 36.",
        "So the answer is 42.",
        "Is it? Yes.",
        "**42**",
    ]
    before, after = settled(lines, [(0, 2, CORRECT, 0)], [(2, 5, 0, 0)], conclusion=5, kinds=(AFFIRMS,))
    assert before.approaches[0].stop == 2
    assert (after.approaches[0].stop, after.approaches[0].answer_segment) == (4, 3)
    assert after.approaches[0].completed_segments == 2
    (check,) = after.verifications
    assert (check.start, check.stop, check.kind) == (4, 5, CHECK)


def test_an_approach_in_which_the_judge_located_the_answer_takes_over_nothing() -> None:
    lines = ["Then the sum is forty-two.", "bc = 36.", "Check: bc = 36.", "So the answer is 42.", "**42**"]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], [(2, 4, 0, 0)], conclusion=4)
    assert settle(trace, annotation) is annotation


def test_an_approach_without_the_answer_is_incomplete_if_a_later_one_reaches_it() -> None:
    lines = ["Then 5 * bc = 42.", "bc = 36.", "Start over.", "So the answer is 42."]
    _, after = settled(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 1)])
    assert [approach.label for approach in after.approaches] == [OPEN, CORRECT]
    assert after.approaches[0].stop == 2


def test_if_no_approach_and_no_check_reaches_the_answer_the_checks_stay_checks() -> None:
    lines = ["Then 5 * bc = 42.", "bc = 36.", "Wait.", "Hmm, bc = 36.", "I am done."]
    before, after = settled(lines, [(0, 2, CORRECT, 0)], [(2, 4, 0, 0)], conclusion=4)
    assert after.approaches[0].stop == 2
    assert after.verifications == before.verifications


def test_the_answer_segment_moves_from_a_coincidence_to_the_arrival() -> None:
    lines = ["Then 5 * bc = 42, bc = 36.", "Hence a = 3.", "So the answer is 42."]
    before, after = settled(lines, [(0, 3, CORRECT, 0)])
    shifted = settle(
        annotated(lines, [(0, 3, CORRECT, 0)])[0],
        before,
    )
    assert after == shifted
    assert after.approaches[0].answer_segment == 2


def test_last_words_that_state_the_answer_become_the_conclusion() -> None:
    lines = ["So it is 42.", "Check: 42 / 7 = 6.", "That fits.", "So the answer is 42.", "Done."]
    _, after = settled(lines, [(0, 1, CORRECT, 0)], [(1, 5, 0, 0)])
    assert (after.sections[-1].kind, after.sections[-1].start) == (SectionKind.CONCLUSION, 3)
    assert after.verifications[0].stop == 3


def test_last_words_that_refer_back_are_no_conclusion() -> None:
    lines = ["So it is 42.", "Check: 42 / 7 = 6.", "Both methods agree that the answer is 42."]
    before, after = settled(lines, [(0, 1, CORRECT, 0)], [(1, 3, 0, 0)])
    assert after is before


def test_without_a_reference_nothing_is_settled() -> None:
    before, after = settled(["Hm.", "42."], [(0, 1, CORRECT, 0)], reference=None, kind=ReferenceKind.NONE)
    assert after is before


@pytest.mark.parametrize(
    ("text", "answer", "arrives"),
    [
        ("So the answer is 42.", "42", True),
        ("Then 6 * 7 = 42. Next 42 / 7 = 6.", "42", False),
        ("So the answer is 42. Then 42 / 7 = 6, which is correct.", "42", True),
        ("5bc = 180, so bc = 36.", "180", False),
        ("We set x = 1.", "1", False),
        ("So the answer is 1.", "1", True),
        ("We can see that a_3 = -1.", "-1", False),
        ("Therefore, the total is 5 sets * 6 = 30.", "5", False),
        ("Nothing is stated here.", "42", False),
        ("So 84 / 2 reduces to 42?", "42", False),
        ("So the answer is $\\frac{42}{4}$.", "21/2", True),
    ],
)
def test_a_text_ends_on_what_it_states_last(text: str, answer: str, arrives: bool) -> None:
    assert ends_on(text, (answer,)) is arrives


def test_a_text_states_an_answer_anywhere() -> None:
    assert states("So 6 * 7 = 42, and then 43.", ("42",))
    assert not states("So 43.", ("42",))


def test_an_answer_that_the_end_denies_does_not_count() -> None:
    lines = ["So 6 * 7 = 42.", "Again.", "42 is not enough. Therefore, the answer is 43."]
    _, after = settled(lines, [(0, 2, CORRECT, 0)], conclusion=2)
    assert is_unsolved(after)


WRONG_END = ["Each angle would be 42 degrees.", "That contradicts it.", "So it is 124.", "\\boxed{124}"]


def test_an_answer_in_passing_does_not_count_if_the_trace_concludes_another() -> None:
    _, after = settled(WRONG_END, [(0, 2, CORRECT, 0), (2, 3, WRONG, 1)], conclusion=3)
    assert [approach.label for approach in after.approaches] == [OPEN, WRONG]
    assert is_unsolved(after)


def test_a_trace_that_concludes_another_answer_is_not_cut_even_if_one_was_given_outright() -> None:
    lines = ["So the answer is 42.", *WRONG_END[1:]]
    trace, annotation = annotated(lines, [(0, 1, CORRECT, 0), (1, 3, WRONG, 1)], conclusion=3)
    assert settle(trace, annotation).approaches[0].label is CORRECT
    result = enhance(trace, annotation, parse_policy("keep_first"))
    assert (result.reasoning, result.reason) == (trace.reasoning, "unsure:ends_on_another_answer")


def test_text_after_the_final_answer_does_not_deny_it() -> None:
    lines = ["We get 9/4.", "So m + n = 42.", "Therefore, the answer is 9/4, and m + n = 42."]
    _, after = settled(lines, [(0, 2, CORRECT, 0)], conclusion=2)
    assert after.approaches[0].label is CORRECT
