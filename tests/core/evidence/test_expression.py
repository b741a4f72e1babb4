"""Closed expressions are valued exactly in every notation; everything else has no value, at no cost."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.evidence.expression import approximate, evaluate, evaluate_prefix


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12*17", 204),
        ("14 × 13", 182),
        ("7 - -7 * 4", 35),
        ("(-9 - 5 - 0)", -14),
        ("2^10", 1024),
        ("2^{10}", 1024),
        ("2**10", 1024),
        ("3²", 9),
        ("2^-2", Fraction(1, 4)),
        ("\\frac{1}{2}+\\frac{1}{3}", Fraction(5, 6)),
        ("\\dfrac12", Fraction(1, 2)),
        ("2½", Fraction(5, 2)),
        ("5!", 120),
        ("C(14, 6)", 3003),
        ("\\binom{14}{6}", 3003),
        ("√16", 4),
        ("\\sqrt{\\frac{9}{4}}", Fraction(3, 2)),
        ("1,000,000", 10**6),
        ("1{,}000", 1000),
        ("25%", Fraction(1, 4)),
        ("3.5*2", 7),
        ("2(3+4)", 14),
        ("\\left(3+4\\right)\\cdot 2", 14),
        ("$5 + $3", 8),
    ],
)
def test_values(text: str, value: int | Fraction) -> None:
    found = evaluate(text)
    assert found is not None
    assert found.number == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "3x",
        "3 4",
        "2 (3)",
        "1 +",
        "(1",
        "1)",
        "5/0",
        "√2",
        "9^9^9",
        "9^{999999}",
        "1,2",
        "3.4.5",
        "200!",
        "a+1",
    ],
)
def test_open_broken_and_unbounded_expressions_have_no_value(text: str) -> None:
    assert evaluate(text) is None


@pytest.mark.parametrize("text", ["-3^2", "6/2*3", "1\\frac{1}{2}", "5!"])
def test_ambiguous_notation_is_marked(text: str) -> None:
    found = evaluate(text)
    assert found is not None
    assert found.ambiguous


@pytest.mark.parametrize(
    "text", ["(" * 5000, "-" * 5000 + "1", "9" * 5000, "1+" * 5000, "\\sqrt{" * 500, "9^" * 999]
)
def test_hostile_expressions_are_refused(text: str) -> None:
    assert evaluate(text) is None
    assert approximate(text) is None


def test_a_prefix_ends_before_the_foreign_text() -> None:
    found = evaluate_prefix("12 \\times 3 . and x")
    assert found is not None
    value, end = found
    assert (value.number, end) == (36, len("12 \\times 3"))


@given(st.integers(-999, 999), st.integers(-999, 999), st.integers(1, 999), st.sampled_from("+-*/"))
def test_arithmetic_is_exact(a: int, b: int, c: int, sign: str) -> None:
    found = evaluate(f"({a} {sign} {c}) - {b}")
    exact = {"+": Fraction(a + c), "-": Fraction(a - c), "*": Fraction(a * c), "/": Fraction(a, c)}[sign] - b
    assert found is not None
    assert found.number == exact


@given(st.text(alphabet="0123456789+-*/^(){}[]!%,. \\frac√π²½", max_size=60))
def test_no_text_raises(text: str) -> None:
    evaluate(text)
    approximate(text)


def test_irrational_values_are_approximated() -> None:
    assert approximate("4√5") == pytest.approx(4 * math.sqrt(5))
    assert approximate("\\frac{\\sqrt{2}}{2}") == pytest.approx(math.sqrt(0.5))
    assert approximate("2π") == pytest.approx(2 * math.pi)
