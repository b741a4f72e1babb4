"""Alarms stand only where a trace asserts a false equation; every kind of false alarm stays silent."""

from __future__ import annotations

import pytest

from dlcot_ray.core.annotation import ErrorSpan
from dlcot_ray.core.arithmetic.alarms import find_errors
from dlcot_ray.core.segments import split_segments
from tests.support.growth import MOST, growth


def alarms(text: str) -> tuple[ErrorSpan, ...]:
    offsets = split_segments(text)
    return find_errors(text, offsets, 0, len(offsets) - 1)


def quotes(text: str) -> list[str]:
    return [text[error.char_start : error.char_stop] for error in alarms(text)]


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("We pay 6*14 = 82 coins in all.", "6*14 = 82"),
        ("The rows give\n\n\\[\n4 \\times 19 = 72\n\\]\n\nso we go on.", "4 \\times 19 = 72"),
        ("The share is \\frac{3}{36} = \\frac{1}{9}, which is small.", "\\frac{3}{36} = \\frac{1}{9}"),
        ("So 3/36 = 1/9 of them.", "3/36 = 1/9"),
        ("Adding up: 9 + 14 + 8 = 33.\n\nThen we halve it.", "9 + 14 + 8 = 33"),
        ("The total is $18 + 7 = 24$ (all boxes).", "18 + 7 = 24"),
        ("- 5*7 = 36\n- 6*7 = 42", "5*7 = 36"),
        ("The difference is 31 - 48 = 17 points.", None),
        ("He owes 31 - 48 + 5 = 12 coins, as the account says.", "31 - 48 + 5 = 12"),
        ("15 - 4 = 12. Wait, 15 - 4 = 11, so we have 11.", "15 - 4 = 12"),
        ("So 12 times 17 is 214, as planned.", "12 times 17 is 214"),
        ("Now 20% of 60 is 15 coins.", "20% of 60 is 15"),
        ("We need 120 + 30 + 20 = 180 in the end.", None),
    ],
)
def test_a_false_equation_is_quoted_whole(text: str, quote: str | None) -> None:
    assert quotes(text) == ([] if quote is None else [quote])


def test_the_same_false_claim_is_quoted_at_each_of_its_places() -> None:
    text = "First 7*8 = 54.\n\nLater on 7*8 = 54 again.\n\nSo 3/36 = 1/9, then 3/36 = 1/9."
    found = alarms(text)
    assert [text[e.char_start : e.char_stop] for e in found] == ["7*8 = 54"] * 2 + ["3/36 = 1/9"] * 2
    assert len({error.char_start for error in found}) == 4


@pytest.mark.parametrize(
    "text",
    [
        # put up and refuted
        "**Testing \\(x = 2\\):**\n\\[\n5^2 + 6 = 12^2\n\\]\n\\[\n25 + 6 = 144\n\\]\n\\[\n31 \\neq 144\n\\]",
        "Let's try the pair.\n\\[\n5 + 9 = 20\n\\]\n\nThis is not possible, so we go on.",
        "Put d = 4:\n\\[ 130 + 4 = 24 \\quad \\text{(not possible)} \\]",
        "The sides must satisfy the rule.\n\\[ 6^2 = 3^2 + 4.5^2 \\]\n\\[ 36 = 9 + 20.25 \\]\nThis is not correct.",
        "They say\n\\[ 20 + 31 + \\frac{9}{2} = 40 \\]\n\\[ 20 + 31 + 4.5 = 55.5 \\]",
        "If it held, we would have:\n\n12 + 5 = 20",
        "Suppose the two counts agree:\n\\[ 3 \\cdot 8 = 30 \\]",
        "So 4*9 = 35? No.",
        "2y + 3z = 40. With y = 8 and z = 9:\n2*8 + 3*9 = 40",
        # cut before a function, a variable or an operator
        "so 90-96 = -80 cos of the angle",
        "thus 4 + 3 = 12 (x - 1)",
        "which is 5*3 = 2 sin t",
        "and 4*5 = 6 ab here",
        "the form 2/7 = 5<sup>0</sup> * 2/7",
        "15*2 = 3 more than 27",
        "we find ⌊9/2⌋ + 3 = 7",
        "area - 3*4 = 10 remains",
        "10 – 3*2 = 4",
        "14 + 6 = 5*6 – 10",
        "x² - 3*4 = 10",
        "1 + 2 + … + 9 - 2*3 = 39",
        "1 - 2 + ... - 10 * 3 = 5",
        "The sum is 40 +\n30 + 20 = 90",
        "In short, 40 + 30 = 90\n+ 20, as one sees",
        "|3-8| + 2 = 7",
        # chains of inequalities, approximations, rounding
        "so n > 8.6/0.69 = 13, as n is whole",
        "2.3 * 3.1 = 7.2",
        "0.023 * 1200 * 0.87 = 24.5",
        "330^4 = 11,859,000,000",
        "7/3 = 2.3333",
        "1,000,000/3 = 333,333",
        "(2.5 * 4 * 3) / 40 = 30 = 0.75",
        "0.2 * 1.01 = 20.2 percent or so",
        # lists, labels, bullets, ranges
        "- 3 + 9 = 12",
        "2 - 3*4 = 12 is the second line",
        "-3+8 = 11",
        "Option 3 - 2*5 = 10",
        "pages 10-19 = 10 pages",
        "(1) + (2) = 9",
        # running equals signs
        "7*3 = 21 + 4 = 25",
        "7*3 = 21 - 1 = 20 / 4 = 5",
        "120 - 20 + 1 = 90 - 20 + 1 = 101",
        # other arithmetic, named anywhere
        "All sums are taken mod 9 from here on.\n\nFirst we add.\n\n" + "We go on.\n\n" * 14 + "7 + 8 = 6",
        "Write the numbers in base 7.\n\n" + "We go on.\n\n" * 60 + "And 25 + 13 = 41",
        "At 9 the clock turns: 9 + 6 = 3",
        "The angle is 300° + 90 = 30",
        "It takes 50 + 25 = 1 hour 15 minutes",
        # lost notation
        "8 - 2 / (1 + 2) = 2",
        "32 + 42 = 25",
        "21/2 + 11/2 = 4",
        "1 + 2 = 12",
        "5^3 = 6",
        "1, 234 + 5 = 1239",
        "0.8 - 1.1 = 0.3",
        "He needs $90+($90*(10/100) = $99 in all",
        "as .7 + . 72 + .74 = 2.16 in sum",
        "Total: 2 + 1.5 + 3 = 6.5/10",
    ],
)
def test_what_is_not_asserted_in_plain_arithmetic_stays_silent(text: str) -> None:
    assert quotes(text) == []


@pytest.mark.parametrize(
    ("behind", "corrected"),
    [
        ("Wait, 12*17 is 204, not 214. So we take 204.", True),
        ("Hmm, that's wrong: it should be 204.", True),
        ("\n\nLet me do it again.\n\n12*17 = 204, fine.", True),
        ("\n\n\\(12 \\times 17 = 204\\), fine.", True),
        ("We see that 12 times 17 is less. Oops, 12 times 17 is 204.", True),
        ("Wait, is the other side longer? We look at it.", False),
        ("Hmm, let me think about the area. It is 30.", False),
        ("\n\nNo, the boxes are red.", False),
        ("Actually we do not need it.", False),
    ],
)
def test_corrected_means_that_the_trace_returns_and_corrects(behind: str, corrected: bool) -> None:
    (error,) = alarms(f"So 12*17 = 214. {behind}")[:1]
    assert error.corrected is corrected
    assert error.message == "12*17 = 214 (is 204)"


def test_long_texts_of_claims_take_linear_time() -> None:
    chain = "1 + 1 = 3 = " * 4000
    assert len(chain) > 40000
    assert alarms(chain + "3") == ()
    assert len(alarms("So 7*8 = 54 here.\n\n" * 2000)) == 2000


def test_a_long_line_of_false_equations_is_read_in_linear_time() -> None:
    def step(flood: str) -> None:
        equations = "".join(f"{i}+2={i + 3}, " for i in range(len(flood) // 10))
        alarms(f"We add these numbers, and that is it: {equations}")

    assert growth(step, lambda length: "x" * length, 2500, quick=0.0).exponent < MOST
