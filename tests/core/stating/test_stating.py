"""A value is an answer only where it is stated, and where it is one to what the problem asks."""

from __future__ import annotations

import pytest

from dlcot_ray.core.evidence.answers import find_answers
from dlcot_ray.core.stating.facts import is_asked, is_stated, name_of
from dlcot_ray.core.stating.question import read_question
from dlcot_ray.core.stating.spellings import compare_spelling, spellings
from dlcot_ray.core.stating.stated import ends_on


def stated(text: str) -> set[str]:
    return {answer.text for answer in find_answers(text) if is_stated(text, answer)}


@pytest.mark.parametrize(
    ("text", "value", "as_a_fact"),
    [
        ("So the total is 35.", "35", True),
        ("So is the total = 35?", "35", False),
        ("So the total is 34, which is less than 35.", "35", False),
        ("If x = 35, then it fits.", "35", False),
        ("It cannot be 35, it must be 34.", "35", False),
        ("It cannot be 35, it must be 34.", "34", True),
        ("So x = 35 or x = 40.", "35", False),
        ("So only 35 and 40 work.", "35", False),
        ("Therefore, only 35 and 40 satisfy both rules.", "35", False),
        ("So the answer is 35, and 40 is too large.", "35", True),
        ("So k is from 1 to 8.", "8", False),
        ("So \\( k \\) can be from \\( -8 \\) to \\( 8 \\).", "8", False),
        ("So \\( x = 35 \\) or \\( x = 40 \\).", "35", False),
        ("Therefore, 35 is not enough.", "35", False),
        ("In case 1, n = 35.", "35", False),
        ("In this case, the sum is 35.", "35", True),
        ("So for odd exponents the last digit is 7, and for even exponents it's 9.", "9", False),
        ("When n is even, the answer is 35.", "35", False),
        ("But the initial thought was that the answer is 35, so I miss something.", "35", False),
        ("So the even number is 36.", "36", True),
        ("So sin a = sin 35.", "35", False),
        ("The bags **35** are ours.", "35", True),
        ("So the greatest one is -4.", "-4", True),
        ("The answer should be -3/2.", "-3/2", True),
        ("So we get 7 -4.", "-4", False),
        ("n = 4:", "4", False),
        ("So it is 1 divided by 2916.", "1", False),
        ("So it weighs 35.06 g/mol.", "35.06 g", True),
        ("Divide both by 4: 5/54.", "5/54", True),
    ],
)
def test_questions_conditions_and_denials_state_nothing(text: str, value: str, as_a_fact: bool) -> None:
    assert (value in stated(text)) is as_a_fact


@pytest.mark.parametrize(
    "text",
    [
        "So the correct answer is probably F or D or another option.",
        "So, that would correspond to option A or C.",
        "So it must be option D or option E.",
        "So the answer is A, B, or C.",
        "Thus the answer is B or something like it.",
        "Option A in answer (B) is the ketone, so it fits.",
        "So this is closest to option C, if there is a slip.",
    ],
)
def test_one_of_several_options_is_no_answer(text: str) -> None:
    assert not stated(text) & set("ABCDEFGHIJ")


@pytest.mark.parametrize(
    "text",
    [
        "So yes, G is the correct answer.",
        "(G) is definitely the best choice.",
        "G (the red one) is the only correct option.",
    ],
)
def test_an_option_that_is_called_the_answer_is_one(text: str) -> None:
    assert "G" in stated(text)
    assert ends_on(text, ["G"])
    assert not stated(f"If {text[0].lower()}{text[1:]}")
    assert not stated(text.replace(" is ", " is not "))


@pytest.mark.parametrize("letter", "ABCDEFGHI")
def test_all_letters_of_options_are_alike(letter: str) -> None:
    assert letter in stated(f"So the answer is {letter}.")
    assert letter in stated(f"This matches option {letter}.")
    assert not stated(f"Let me look at option {letter} next.")
    assert not stated(f"The answer is {letter} bit odd.")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("**Yes**, it does.", "Yes"),
        ("#### 42", "42"),
        ("<answer>42</answer>", "42"),
        ("The final answer is\n\n$$\n\\frac{7}{9}\n$$", "\\frac{7}{9}"),
        ("That's 8 boats.", "8"),
    ],
)
def test_forms_of_answers_are_read(text: str, answer: str) -> None:
    assert answer in stated(text)


def test_a_question_has_names_words_options_and_given_figures() -> None:
    question = read_question("A box holds 12 pens. Find $m + n$. (A) 3 (B) 24 (C) 5")
    assert question.names == {"m+n"}
    assert (question.options["B"], question.given) == ("24", frozenset({"12"}))
    assert read_question("How many boats sail?").counted == {"boat", "sail"}
    assert read_question("What is the largest such n?").extreme
    assert not read_question("Choose at least two. What is the chance?").extreme


@pytest.mark.parametrize(
    ("problem", "closed"),
    [
        ("What is 6 times 7?", True),
        ("Does the row converge?", True),
        ("Prove that the row converges.", False),
        ("Explain why the sky is blue.", False),
    ],
)
def test_an_open_task_has_no_short_answer(problem: str, closed: bool) -> None:
    assert read_question(problem).closed is closed


def test_a_value_has_the_name_before_its_chain() -> None:
    text = "So m + n = 2 + 5 = 7."
    (last,) = [a for a in find_answers(text) if a.text == "7"]
    assert name_of(text, last) == "m+n"
    assert is_asked(text, last, read_question("Find $m + n$."))
    assert not is_asked(text, last, read_question("Find $p q$."))


@pytest.mark.parametrize(
    ("answer", "reference", "equal"),
    [
        ("B", "(B) 24", True),
        ("24", "(B) 24", True),
        ("24", "B", True),
        ("B", "24", True),
        ("C", "24", False),
        ("25", "B", False),
        ("six", "6", True),
        ("35 \\mod 49", "35", True),
        ("all real numbers less than or equal to 3", "(-\\infty, 3]", True),
        ("2.513 \\times 10^{-7}", "2.51e-7", True),
        ("3.9 x 10^-7", "2.51e-7", False),
    ],
)
def test_options_words_and_roundings_are_spellings(answer: str, reference: str, equal: bool) -> None:
    verdicts = [compare_spelling(answer, x) for x in spellings(reference, {"A": "5", "B": "24", "C": "9"})]
    assert (True in verdicts, False in verdicts) == (equal, not equal) or (equal and True in verdicts)


@pytest.mark.parametrize(
    ("problem", "extreme"),
    [
        ("What is the largest number of boxes that fit?", True),
        ("Find the greatest common divisor of 12 and 18.", True),
        ("If the shortest two dogs stand at the ends, how many orders are there?", False),
        ("How many ways are there to place the largest box?", False),
    ],
)
def test_an_extreme_is_asked_for_only_as_the_quantity_itself(problem: str, extreme: bool) -> None:
    assert read_question(problem).extreme is extreme


@pytest.mark.parametrize(
    ("answer", "accepted", "verdict"),
    [
        ("0.0327", "0.033", True),
        ("13.056", "13.1", True),
        ("13.056 eV", "13.1", True),
        ("13.04", "13.1", None),
        ("0.00333", "0.003", False),
        ("14.2", "13.1", False),
    ],
)
def test_a_reference_may_be_a_rounded_decimal(answer: str, accepted: str, verdict: bool | None) -> None:
    assert compare_spelling(answer, accepted) is verdict
