"""Answers are found in all their forms; arithmetic is re-evaluated exactly; loops and truncation are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.core.arithmetic.suppositions import holds_in, number_systems
from dlcot_ray.core.evidence.answers import find_answers, last_answer
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.evidence.loops import find_loops, inner_loops, is_truncated, without_loop


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("So \\boxed{\\frac{1}{4}}.", "\\frac{1}{4}"),
        ("Hence the answer is 3003.", "3003"),
        ("**Final Answer**: $x = 5$", "x = 5"),
        ("which means **42**", "42"),
        ("7 * 6 = 42.", "42"),
        ("The correct answer is (C) because it fits.", "C"),
        ("Therefore the value is 4√5.", "4√5"),
    ],
)
def test_answers_are_found_as_written(text: str, answer: str) -> None:
    found = last_answer(text)
    assert found is not None
    assert answer in found.text
    assert text[found.start : found.stop] == found.text


@given(st.text(alphabet="ab 0123456789=*{}\\boxed$.\n()is therefore", max_size=200))
def test_spans_quote_the_text(text: str) -> None:
    for answer in find_answers(text):
        assert text[answer.start : answer.stop] == answer.text


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ("\\frac{1}{2}", "0.5", True),
        ("1,000", "1000", True),
        ("90^\\circ", "90°", True),
        ("\\dfrac{3}{4}", "3/4", True),
        ("2½", "5/2", True),
        ("7", "8", False),
        ("C", "(C)", True),
        ("x+1", "1+x", None),
        ("The three parts are 4, 5 and 3, so the sum of them all is \\boxed{12}", "12", True),
        ("First, the row holds four, then the next one holds eight, and so the sum is 12", "12", None),
    ],
)
def test_quick_equivalence_gives_only_certain_results(a: str, b: str, equal: bool | None) -> None:
    assert quick_equivalent(a, b) is equal


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("So 12*17 = 204.", True),
        ("So 12*17 = 214.", False),
        ("We get 14 × 13 = 182, fine", True),
        ("2^10 = 1000.", False),
        ("1/2 + 1/3 = 5/6", True),
        ("1,000 + 24 = 1,024", True),
        ("$41 \\times 5310 = 217,\\!710$", True),
        ("7^3 = 353", False),
        ("so there are 16-16/2 = 12 girls playing soccer.", False),
        ("Ahito ran 52 - 8 - 28 = 5 miles.", False),
        ("9,300 / 250 = 36 days", False),
        ("Total: \\( 6 + 6 + 3 = 14 \\) solutions.", False),
        ("- 6 + 6 + 7 = 18", False),
        ("40 * 30 = 120, not zero.", False),
        ("C(6, 5) = 15", False),
        ("5 + 3*2 = 16, so x = 3", False),
    ],
)
def test_closed_claims_are_decided(text: str, holds: bool) -> None:
    assert [claim.holds for claim in find_claims(text)] == [holds]


@pytest.mark.parametrize(
    "text",
    [
        "x + 2 + 3 = 6",
        "if 2 + 2 = 5 then",
        "10 + 5 = 3 mod 12",
        "10/3 = 3.33",
        "3 + 4 = 7x",
        "2 + 3 = 1, base 4",
        "bit 3=1, bits 2-0=0",
        "3.086^3 ≈ 3^3",
        "17*12=204 +25*12 = 300 +8*0=0",
        "531,846 - 27,003 = 531,846 - 27,000 = 504,846",
        "1/(9.50 × 10^-8) = 1.097 × 10^7 (1/1^2 - 1/5^2)",
        "5,209^2 = 27, 130-something",
        "So, 13 × 1,538 + 6/13 = 20,000",
        "n=(14*7 +28)/(21 -14)=98 +28 /7",
        "4.136 × 10⁻¹⁵ * 3 × 10⁸ = 4.136 * 3 = 12.408 × 10⁻⁷ eV",
        "For numbers 1-7 (1-2^3-1=7):",
        "so 6^{41}=6^{-1}, and 8^{41}=8^{-1}",
        "f = 1.327 × 10^20 / 8.98 × 10^20 ≈ 0.1476",
        "7^1=7\n7^2=9\n7^3=3\n7^4=1",
        "so 3^{20} = (3^4)^5 = 1^5",
        "Work with hundreds: 3^5 * 3^3 = 43 * 27",
        "the inverse is 3^{-1} = 5",
        "The risk is 0.25 + 2 ≈ 2.25%",
        "7,000,000 - 2,000,000 + 3,000,000 = (7 - 2) + 3",
        "After the discount of a euro: 700 - 100 = $6",
        "6,100 * 31 = 189,  then we add",
        "5,310 * 41 = 217, wait",
        "$41 \\times 5310 = 217,\\!710$",
        "the bit is 5 /2=0",
        "- 5^2 + 2*5^2 = 25",
        "Set c = 2: $(2 + 3)(2 + 1) = 12 \\implies 15 \\neq 12$",
        "\\(4 - 1 + 2 = 6\\), which is not true",
        "4 + 3 = 9\nThis equation is not possible.",
        "In this puzzle 5 + 3 = 28",
        "2 + 4 = 18\n5 + 3 = 40\n6 + 2 = ?",
        "Plugging it in: 3*2 + 1 = 10 → 7 = 10, no",
        "in GF(2), 1 + 1 = 0",
        "In base five, 12 + 3 = 20",
        "People often write (3+4)^2 = 3^2 + 4^2",
        "8^2/3 = 4",
        "√25+24 = 7",
        "the hypotenuse: 6^2 + 8^2 = 10",
        "Adding the two, (1) + (2) = 14",
        "0110 + 0011 = 1001",
        "6 days on: 4 + 6 = 3, a Wednesday",
        "the forces 6 + 8 = 10 (as vectors)",
        "That takes 45 + 30 = 1 hour and 15 minutes",
        "They are 36 + 11 = 3 feet 11 inches long",
        "She fills 17 / 5 = 3 whole boxes",
        "1210 - 640 - 540 = 3 x",
        "It lasts 2 * 60 = 2 hours",
        "15 + 15 = 1 month",
    ],
)
def test_open_or_hedged_claims_are_not_false(text: str) -> None:
    assert not any(claim.holds is False for claim in find_claims(text) if "base" not in text)


@pytest.mark.parametrize(
    ("before", "left", "right", "same"),
    [
        ("We work modulo 49.", "6*9", "5", True),
        ("all mod 12 from here", "5*7", "11", True),
        ("Only the last two digits matter.", "75*9", "75", True),
        ("Only the last two digits matter.", "75*9", "65", False),
        ("all mod 12 from here", "5*7", "10", False),
        ("all mod 12 from here", "7", "25*7", False),
        ("Nothing of that kind.", "5*7", "11", False),
    ],
)
def test_an_earlier_modulus_makes_the_sides_equal(before: str, left: str, right: str, same: bool) -> None:
    assert holds_in(number_systems(before), left, right) is same


def test_a_repeated_cycle_is_a_loop_from_its_second_round() -> None:
    cycle = ["We try the next value of n and look again. ", "It does not work, so on to the next one. "]
    assert find_loops(["Start. ", *cycle * 4, "End."]) == ((3, 9),)
    assert find_loops([*cycle * 2, "End."]) == ()


def test_only_whole_rounds_are_a_loop_unless_the_text_breaks_off_in_one() -> None:
    cycle = ["We try the next value of n and look again. ", "It does not work, so on to the next one. "]
    assert find_loops([*cycle * 4, cycle[0], "It works for n = 5."]) == ((2, 8),)
    assert find_loops([*cycle * 4, cycle[0]]) == ((2, 9),)


def test_a_loop_inside_one_segment_is_found_from_its_second_round() -> None:
    cycle = "so we look at the next value of n and it fails, "
    text = f"First, {cycle * 9}so we look at n = 5."
    assert without_loop(text) == f"First, {cycle}so we look at n = 5."
    assert without_loop(text.replace("value", "number", 1)) == (
        f"First, {cycle.replace('value', 'number')}{cycle}so we look at n = 5."
    )
    assert without_loop(f"First, {cycle * 9}so we look") == f"First, {cycle}"
    broken = "Then \\frac{a}" + "{b}\\frac{a}" * 60
    assert without_loop(broken) == "Then \\frac{a}{b}\\frac{a}"


def test_rows_of_figures_and_honest_repetition_are_no_inner_loop() -> None:
    assert inner_loops("The row is " + "1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2 " * 1) == ()
    assert inner_loops("We add " + "3 + " * 39 + "3 and get 120.") == ()
    assert inner_loops("".join(f"Step {n}: we try n = {n} and it does not work. " for n in range(99))) == ()
    assert inner_loops("It is even, so we go on. " * 5) == ()


def test_truncation_needs_a_broken_end_and_no_response() -> None:
    assert is_truncated("and then we multiply by", None)
    assert not is_truncated("So it is 42.", None)
    assert not is_truncated("and then we multiply by", "42")


@pytest.mark.parametrize(
    ("text", "truncated"),
    [
        ("Hence we get\n\n$$x = 3 + 4 = 7$$\n\nSo the answer is \\boxed{7}.", False),
        ("First $$a = 1$$ and then\n$$b = 2$$", False),
        ("First $$a = 1$$ and then $$b = 2", True),
        ("\\[ a = 1 \\] so we are done.", False),
        ("\\[ a = 1 \\] and now \\[ b = 2", True),
        ("\\begin{align} a &= 1 \\end{align}", False),
        ("\\begin{align} a &= 1 \\\\ b &= 2", True),
        ("```python\nprint(1)\n```", False),
        ("```python\nprint(1)", True),
        ("The answer is:", True),
    ],
)
def test_only_an_open_end_is_a_truncation(text: str, truncated: bool) -> None:
    assert is_truncated(text, None) is truncated
