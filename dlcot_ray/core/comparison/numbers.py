"""Comparison of closed numbers: exact values, roundings and percentages.

In: two squeezed answers (`notation.py`). Out: an outcome, or None where one of them is no closed number.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from dlcot_ray.core.comparison.outcome import Outcome
from dlcot_ray.core.evidence.expression import approximate, evaluate

SURE_DIGITS = 6
"""A decimal that agrees with an exact value to so many significant digits is that value."""

_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{1,2}|\d{4,})|-?0,\d+")
_MIXED = re.compile(r"(-?)(\d+) ?(?:&|(?=\\frac))(.+)")
_SCIENTIFIC = re.compile(r"[-+]?\d+(?:\.\d+)?e[-+]?\d{1,3}", re.IGNORECASE)
_DECIMALS = re.compile(r"-?\d+\.(\d+)")


@lru_cache(maxsize=65536)
def as_rational(squeezed: str) -> Fraction | None:
    """The exact value of an answer that is one closed number, else None; percent signs are dropped."""
    body = squeezed.removesuffix("%")
    if _DECIMAL_COMMA.fullmatch(body):
        body = body.replace(",", ".")
    if _SCIENTIFIC.fullmatch(body):
        return Fraction(body)
    if mixed := _MIXED.fullmatch(body):
        part = evaluate(mixed[3])
        if part is None or len(mixed[2]) > 60:
            return None
        whole = int(mixed[2]) + Fraction(part.number)
        return -whole if mixed[1] else whole
    value = evaluate(body.removeprefix("+"))
    return None if value is None or value.percent else Fraction(value.number)


@lru_cache(maxsize=16384)
def is_number(squeezed: str) -> bool:
    """Whether a squeezed answer is one closed number, rational or not."""
    return as_rational(squeezed) is not None or approximate(squeezed) is not None


def compare_numbers(a: str, b: str) -> Outcome | None:
    """Compare two squeezed answers as numbers, with percentages and roundings."""
    va, vb = as_rational(a), as_rational(b)
    if va is None or vb is None:
        return _compare_reals(a, b)
    if "," in a + b and va != vb:
        # "1,23" is a decimal or a list of two.
        return None
    if a.endswith("%") != b.endswith("%"):
        return _compare_percentage(va, vb) if a.endswith("%") else _compare_percentage(vb, va)
    return compare_values(va, vb, places_of(a), places_of(b))


def compare_values(va: Fraction, vb: Fraction, places_a: int | None, places_b: int | None) -> Outcome:
    """Compare exact values; `places` are the decimal places that each was written with (None: not a decimal)."""
    if va == vb:
        return Outcome.EQUAL
    if places_a is None and places_b is None:
        return Outcome.DIFFERENT
    gap = abs(va - vb)
    if gap >= max(Fraction(1, 100), abs(vb) / 200):
        return Outcome.DIFFERENT
    sure = _rounds_to(va, vb, places_b) or _rounds_to(vb, va, places_a)
    return Outcome.EQUAL if sure else Outcome.UNKNOWN


def places_of(squeezed: str) -> int | None:
    """Decimal places of an answer that is written as one decimal, 0 for other texts with a point, else None."""
    if match := _DECIMALS.fullmatch(squeezed.removesuffix("%")):
        return len(match[1])
    return 0 if "." in squeezed else None


def _rounds_to(exact: Fraction, decimal: Fraction, places: int | None) -> bool:
    """Whether `decimal` is `exact`, rounded or cut to `places`, with enough digits to leave no doubt."""
    if not places:
        return False
    scale = 10**places
    scaled = decimal * scale
    if len(str(abs(int(scaled)))) < SURE_DIGITS or scaled.denominator != 1:
        return False
    cut = int(abs(exact) * scale) == abs(scaled) and (exact >= 0) == (decimal >= 0)
    return abs(exact - decimal) * scale <= Fraction(1, 2) or (cut and exact.denominator > scale)


def _compare_percentage(percent: Fraction, bare: Fraction) -> Outcome:
    """50 % is 1/2, and 50 where a percentage is asked; below 1 the bare number is a share: 0.5 % is not 0.5."""
    if percent == bare * 100:
        return Outcome.EQUAL
    if percent == bare:
        if abs(bare) == 1:
            return Outcome.UNKNOWN
        return Outcome.EQUAL if abs(bare) > 1 else Outcome.DIFFERENT
    near = min(abs(percent - bare), abs(percent - bare * 100)) < max(abs(percent) / 200, Fraction(1, 100))
    return Outcome.UNKNOWN if near else Outcome.DIFFERENT


def _compare_reals(a: str, b: str) -> Outcome | None:
    ra, rb = approximate(a), approximate(b)
    if ra is None or rb is None:
        return None
    gap = abs(ra - rb) / max(1.0, abs(ra), abs(rb))
    places_a, places_b = places_of(a), places_of(b)
    if places_a is None and places_b is None:
        if abs(ra - rb) <= 1e-12 * max(abs(ra), abs(rb)):
            return Outcome.EQUAL
        return Outcome.DIFFERENT if gap > 1e-7 else None
    if gap > 1e-2:
        return Outcome.DIFFERENT
    exact_a, exact_b = Fraction(ra), Fraction(rb)
    decimal_a, decimal_b = as_rational(a), as_rational(b)
    if decimal_b is not None and decimal_a is None and _rounds_to(exact_a, decimal_b, places_b):
        return Outcome.EQUAL
    if decimal_a is not None and decimal_b is None and _rounds_to(exact_b, decimal_a, places_a):
        return Outcome.EQUAL
    return Outcome.UNKNOWN
