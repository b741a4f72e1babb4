"""What a numeric claim is, and whether its two sides agree.

In: the values of both sides. Out: True, False, or None where rounding or an ambiguous notation could explain
the difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dlcot_ray.core.evidence.expression import Value
from dlcot_ray.core.evidence.parser import Number

_DIGITS = 4
"""Significant digits of a rounded value, at least."""
_MOST_DECIMALS = 40


@dataclass(frozen=True, slots=True)
class ArithmeticClaim:
    """One numeric claim, at code points `[start, stop)` of the text given.

    Attributes:
        left, right: the two sides as written.
        holds: None where it cannot be decided (something is attached, rounded, asked or supposed).
        expected: the value that should stand there, e.g. ``204`` or ``5/6``; rounded where a decimal does not end.
    """

    start: int
    stop: int
    left: str
    right: str
    holds: bool | None
    expected: str


def compare(left: Value, right: Value, approximate: bool) -> bool | None:
    """Whether two sides are equal; `approximate`: the claim says so (``≈``)."""
    a, b = left.number, right.number
    if a == b:
        return True
    gap = abs(Fraction(a) - b)
    size = max(abs(Fraction(a)), abs(Fraction(b)))
    unit = Fraction(1, 10 ** (right.decimals if left.operators else left.decimals))
    if approximate and (left.percent or right.percent):
        return None
    if approximate and gap > unit / 2 and (left.ambiguous or right.ambiguous):
        return None
    if approximate and left.operators and right.operators and gap * 2 <= size:
        # Rounded factors on both sides: 3.086^3 ≈ 3^3.
        return None
    if approximate:
        return True if gap <= unit / 2 else (None if gap * 20 <= size or gap <= unit else False)
    if left.ambiguous or right.ambiguous or left.percent or right.percent:
        return None
    if left.decimals or right.decimals:
        if gap <= unit / 2:
            return True
        return None if gap <= max(unit, size / 100) else False
    if (left.division or right.division) and gap < 1 and (a.denominator == 1) != (b.denominator == 1):
        return None
    return False


def spell(number: Number, like: Value) -> str:
    """A number as text; as a decimal where the claim used one, rounded if it does not end soon."""
    if isinstance(number, Fraction) and number.denominator != 1 and like.decimals:
        decimals = next((d for d in range(1, 7) if not 10**d % number.denominator), None)
        if decimals is None:
            decimals = max(like.decimals, _DIGITS - len(str(abs(int(number)))), 1)
            while not round(number, decimals) and decimals < _MOST_DECIMALS:
                decimals += _DIGITS
        return f"{float(round(number, decimals)):.{decimals}f}"
    return str(number)
