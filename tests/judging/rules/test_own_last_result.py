"""A range of segments is labelled by its own last result; open tasks have no reference."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dlcot_ray.core.annotation import Label, ReferenceKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.answering.reference import find_reference
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.labels import label_range, read_answers

WORK = "We set up the table and go through it line by line."


@pytest.fixture(scope="module")
def checker() -> Iterator[AnswerChecker]:
    checker = AnswerChecker()
    yield checker
    checker.close()


def label(checker: AnswerChecker, *segments: str, truth: str, problem: str, stop: int | None = None) -> Label:
    answers = read_answers([s + "\n\n" for s in segments], truth, checker, problem)
    return label_range(answers, 0, stop or len(segments), ReferenceKind.GROUND_TRUTH)[0]


BOATS = "How many red boats are in the harbour?"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("Therefore, there are 12 red boats in the harbour.", Label.CORRECT),
        ("Therefore, there are 13 red boats in the harbour.", Label.INCORRECT),
        ("Therefore, there are seven red boats in the harbour.", Label.INCORRECT),
        ("The solution of the first line is x = 3.", Label.INCOMPLETE),
        ("The answer we want is 40 - x.", Label.INCOMPLETE),
        ("This seems hard.", Label.INCOMPLETE),
    ],
)
def test_the_last_result_decides(checker: AnswerChecker, ending: str, expected: Label) -> None:
    segments = (WORK, ending, *[WORK] * 4)
    assert label(checker, *segments, truth="12", problem=BOATS, stop=2) is expected


def test_a_value_that_the_trace_ends_on_is_a_wrong_result_earlier(checker: AnswerChecker) -> None:
    segments = (WORK, "So it is 80.", WORK, WORK, WORK, "The answer is 80.")
    assert label(checker, *segments, truth="480", problem="Find the bound.", stop=2) is Label.INCORRECT


def test_a_size_named_beside_the_right_number_is_no_other_answer(checker: AnswerChecker) -> None:
    segments = (
        WORK,
        "So the total number of red boats is 20 - 8 = 12.",
        "That fits, and 12 is indeed the number of red boats of size 3.",
    )
    assert label(checker, *segments, truth="12", problem=BOATS) is Label.CORRECT


def test_an_intermediate_solution_decides_nothing(checker: AnswerChecker) -> None:
    segments = (
        "The solution is x = 3.",
        "Is that right?",
        "So 3 * 14 = 42 pairs.",
        "The answer is \\boxed{42}.",
    )
    assert label(checker, *segments, truth="42", problem="Find the number of pairs.") is Label.CORRECT


def test_another_member_of_the_family_is_not_the_answer(checker: AnswerChecker) -> None:
    problem = "A row is given. What is $a_{50}$?"
    segments = ("We see that $a_3 = -1$.", "Wait, is that right?", WORK, WORK)
    assert label(checker, *segments, truth="-1", problem=problem) is Label.INCOMPLETE


@pytest.mark.parametrize("truth", ["proof", "N/A", "notfound", "None", "-"])
def test_a_placeholder_is_no_reference(truth: str) -> None:
    assert find_reference(Trace("t", "Prove it.", "So 3.", truth)) == (None, ReferenceKind.NONE)


def test_only_closed_tasks_take_their_reference_from_words() -> None:
    code = "```python\nreturn 0\n```\n\nFor an empty row the answer is 0."
    sure = "The answer is \\boxed{42}."
    assert find_reference(Trace("t", "Find the sum.", WORK, None, code))[0] is None
    assert find_reference(Trace("t", "Explain why it floats.", WORK, None, sure))[0] is None
    assert find_reference(Trace("t", "Find the sum.", WORK, None, sure)) == ("42", ReferenceKind.RESPONSE)
    assert find_reference(Trace("t", "Find the sum.", sure)) == ("42", ReferenceKind.TRACE)
    assert find_reference(Trace("t", "Find the sum.", WORK, None, " 42\n")) == ("42", ReferenceKind.RESPONSE)
    assert find_reference(Trace("t", "Find the sum.", WORK, None, "See above."))[0] is None


@pytest.mark.parametrize(
    "problem",
    [
        "A die is rolled.\n1. What is the chance of a six?\n2. What is the chance of an even number?",
        "A box holds 4 red balls. (a) How many pairs are there? (b) Find the chance of two red ones.",
        "How many apples are left? How many pears are left?",
    ],
)
def test_the_answer_to_one_of_several_questions_is_no_reference(problem: str) -> None:
    said = "The first is 3. The answer is \\boxed{42}."
    assert find_reference(Trace("t", problem, said, None, said)) == (None, ReferenceKind.NONE)
    assert find_reference(Trace("t", problem, said, "42", said)) == ("42", ReferenceKind.GROUND_TRUTH)


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("Write $\\cos x + \\sin x$ halved in the form $A \\cos(x - c)$.", Label.INCOMPLETE),
        ("What is half of the sum?", Label.CORRECT),
    ],
)
def test_where_another_form_is_asked_an_equal_expression_is_no_answer_yet(
    checker: AnswerChecker, task: str, expected: Label
) -> None:
    sums = "So the half is $\\boxed{\\frac{\\cos x + \\sin x}{2}}$."
    truth = "\\frac{\\sqrt{2}}{2}\\cos(x-\\pi/4)"
    assert label(checker, sums, truth=truth, problem=task) is expected


def test_a_reference_that_is_an_equation_is_found_as_written(checker: AnswerChecker) -> None:
    truth = "\\frac{dh}{dt}=kh-a"
    task = "Write a model of the number of hares h at time t."
    right = "So the model is:\n\n\\[ \\frac{dh}{dt} = kh - a \\]"
    assert label(checker, right, truth=truth, problem=task) is Label.CORRECT
    assert label(checker, "So dh/dt is k times h.", truth=truth, problem=task) is Label.INCOMPLETE


def test_the_expression_of_the_task_is_no_result_though_it_has_a_value(checker: AnswerChecker) -> None:
    task = "Compute $\\dbinom{7}{2}$."
    asks = "So I have to find \\(\\dbinom{7}{2}\\)."
    assert label(checker, asks, truth="21", problem=task) is Label.INCOMPLETE
    assert label(checker, asks, "So \\(\\dbinom{7}{2} = 21\\).", truth="21", problem=task) is Label.CORRECT
