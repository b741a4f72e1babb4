"""Alarms stay silent in other languages, at glosses, grouped thousands, rounded terms and running sums."""

from __future__ import annotations

import pytest

from dlcot_ray.core.annotation import ErrorSpan
from dlcot_ray.core.arithmetic.alarms import find_errors
from dlcot_ray.core.segments import split_segments

ENGLISH = " That is what the shop has to pay for all of these boxes, and we go on from there."


def alarms(text: str) -> tuple[ErrorSpan, ...]:
    offsets = split_segments(text)
    return find_errors(text, offsets, 0, len(offsets) - 1)


@pytest.mark.parametrize(
    "text",
    [
        "Мы платим 7*13 = 81 рубль, и это число больше нуля, но меньше ста.",
        "Wir zahlen sieben Mal dreizehn, also 7*13 = 81 Euro, und das ist mehr als genug auch ohne Rabatt.",
        "Nous achetons sept paquets de treize pommes chacun, donc 7*13 = 81 pommes pour toute la classe.",
        "我们买七箱苹果，所以 7*13 = 81 个。",
        "Wir zahlen sieben Mal dreizehn, und das ist mehr als genug auch ohne Rabatt.\n\n"
        + "5 + 4 = 9\n" * 99
        + "7*13 = 81",
    ],
)
def test_other_languages_are_silent(text: str) -> None:
    assert not alarms(text)


@pytest.mark.parametrize(
    "text",
    [
        "The seven boxes of apples cost 7*13 = 81 coins in that shop, which is all of the money.",
        "7*13 = 81",
        "We begin with the boxes." + "\n\n5 + 4 = 9" * 90 + "\n\n7*13 = 81",
    ],
)
def test_english_and_wordless_text_is_read(text: str) -> None:
    assert [error.message for error in alarms(text)] == ["7*13 = 81 (is 91)"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Wheels: 4 in the shed + 6 on the cars (3*2) = 10 wheels.", 0),
        ("Wheels: 4 in the shed and on the cars (3*2) = 10 wheels.", 1),
        ("Then 3(0.716) - 2(0.4925) - 1.1 = 2.15 - 0.99 - 1.1, so we go on.", 0),
        ("Then 3(0.716) - 2(0.4925) - 1.1 = 2.25 - 0.99 - 1.1, so we go on.", 1),
        ("Then 36,000+5,400 = 41,000 +1,310, so we go on.", 0),
        ("Then 31*2 + 7 = 64 + 7, so we go on.", 1),
        ("Then 14.512 - 3.208 = (14.000 - 3.000) + (500 - 200) + (12 - 8), so we go on.", 0),
        ("Out of 8.000 we take 5.310 + 420 = 5.720, so we go on.", 0),
        ("Then 5.310 + 420 = 5.730, so we go on.", 0),
        ("Then 5.310 + 4.200 = 7.510, so we go on.", 1),
    ],
)
def test_notation_around_a_claim(text: str, count: int) -> None:
    assert len(alarms(text + ENGLISH)) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The line with both numbers:\n\\[\n31 - 4 = 2(4 + 31) \\\\\n27 = 70\n\\]\nSo we look again.", 0),
        ("The line with both numbers: 31 - 4 = 2(4 + 31), so 27 = 2*35. Not true.", 0),
        ("The line with both numbers: 31 - 4 = 2(4 + 31); 30 - 3 = 70. Wrong.", 0),
        ("The line with both numbers: 31 - 4 = 26, so 26 = 2*13. No doubt.", 1),
        ("The price is 3*40,000 = 150,000? Wait.", 0),
    ],
)
def test_refuted_behind_a_line_break_or_a_second_equation(text: str, count: int) -> None:
    assert len(alarms(text + ENGLISH)) == count


@pytest.mark.parametrize(
    ("behind", "corrected"),
    [
        (" Wait, no, 9 + 6 = 15.", True),
        (" Wait, no, 7 + 8 = 15.", True),
        (" Wait, no, 5 + 10 = 15.", False),
        (" Wait, no, 9 + 7 = 16.", False),
        (" Then 9 + 6 = 15.", False),
    ],
)
def test_a_claim_replaced_at_once_is_corrected(behind: str, corrected: bool) -> None:
    (error,) = alarms(f"The sum is 9 + 8 = 15.{behind}{ENGLISH}")
    assert error.corrected is corrected


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We know that 2√5 squared is 20, so the side is fine.", 0),
        ("Note that √7 times 7 is 18 or so, and that is enough.", 0),
        ("Since 5 times 40 is 200, we see that 6 times 40 is 40 more than that.", 0),
        ("The numbers 12, 36, 60 divided by 12 is 1, 3, 5 in turn.", 0),
        ("We know that 5 squared is 20, so the side is fine.", 1),
        ("Since that is so, 6 times 40 is 40 in the end.", 1),
    ],
)
def test_worded_claims_are_whole(text: str, count: int) -> None:
    assert len(alarms(text)) == count
