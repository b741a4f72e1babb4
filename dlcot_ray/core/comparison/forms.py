"""Comparison of words, clock times, ratios, dates and numbers in a base.

In: two readings. Out: an outcome, or None where neither answer has the form.
"""

from __future__ import annotations

import re

from dlcot_ray.core.comparison.answer import Reading
from dlcot_ray.core.comparison.numbers import as_rational, is_number
from dlcot_ray.core.comparison.outcome import Outcome
from dlcot_ray.core.comparison.readings import based_number, clock_of, date_of, meaning_of, opposed

_RATIO = re.compile(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")
_HALF = re.compile(r"\d\s?[ap]\.?\s?m\b|noon|midnight", re.IGNORECASE)


def compare_meanings(a: Reading, b: Reading) -> Outcome | None:
    """Words and signs that stand for a set or a truth value."""
    left, right = meaning_of(a.plain), meaning_of(b.plain)
    if left and right:
        if left == right:
            return Outcome.EQUAL
        return Outcome.DIFFERENT if opposed(left, right) else Outcome.UNKNOWN
    if not left and not right:
        return None
    other, word = (b, a) if left else (a, b)
    if is_number(other.squeezed):
        return Outcome.DIFFERENT
    return None if "\\" in word.plain and "\\" in other.plain else Outcome.UNKNOWN


def compare_clocks(a: Reading, b: Reading) -> Outcome | None:
    """Times of day. Without morning or afternoon the time is open; two times without both may be a ratio."""
    left, right = clock_of(a.plain), clock_of(b.plain)
    if left is None or right is None:
        half = _has_half(a.plain) or _has_half(b.plain)
        return Outcome.UNKNOWN if (left or right) and half else None
    ratio = _ratio(a.squeezed)
    if ratio and ratio == _ratio(b.squeezed):
        # 9:15 and 18:30 are one ratio, but not one time.
        return Outcome.EQUAL if left == right else Outcome.UNKNOWN
    if left.half and right.half:
        return Outcome.EQUAL if left.seconds == right.seconds else Outcome.DIFFERENT
    if left.half or right.half:
        same = (left.seconds - right.seconds) % 43200 == 0
        return Outcome.UNKNOWN if same else Outcome.DIFFERENT
    return Outcome.EQUAL if left.seconds == right.seconds else Outcome.DIFFERENT


def _has_half(text: str) -> bool:
    return _HALF.search(text) is not None


def _ratio(squeezed: str) -> float | None:
    match = _RATIO.fullmatch(squeezed)
    return float(match[1]) / float(match[2]) if match and float(match[2]) else None


def compare_ratios(a: Reading, b: Reading) -> Outcome | None:
    """``3:2`` against ``6:4`` or ``3/2``; the other way round is another ratio."""
    left, right = _ratio(a.squeezed), _ratio(b.squeezed)
    if left is not None and right is not None:
        return Outcome.EQUAL if abs(left - right) <= 1e-12 * abs(left) else Outcome.DIFFERENT
    if left is None and right is None:
        return None
    ratio, other = (left, as_rational(b.squeezed)) if right is None else (right, as_rational(a.squeezed))
    if other is None or ratio is None:
        return None
    return Outcome.EQUAL if abs(ratio - float(other)) <= 1e-12 * abs(ratio) else Outcome.UNKNOWN


def compare_dates(a: Reading, b: Reading) -> Outcome | None:
    """Days of the year. A missing year leaves the comparison open."""
    left, right = date_of(a.plain), date_of(b.plain)
    if left is None or right is None:
        return Outcome.UNKNOWN if left or right else None
    if (left.month, left.day) != (right.month, right.day):
        return Outcome.DIFFERENT
    if left.year == right.year:
        return Outcome.EQUAL
    return Outcome.DIFFERENT if left.year and right.year else Outcome.UNKNOWN


def compare_bases(a: Reading, b: Reading) -> Outcome | None:
    """A number without a base is decimal. The same digits without the base may only omit it: unknown."""
    left, right = based_number(a.value), based_number(b.value)
    if left is not None and right is not None:
        return Outcome.EQUAL if left[0] == right[0] else Outcome.DIFFERENT
    if left is None and right is None:
        return None
    based, written, other = (left, a, b) if left is not None else (right, b, a)
    value = as_rational(other.squeezed)
    if based is None or value is None:
        return Outcome.UNKNOWN
    if value == based[0]:
        return Outcome.EQUAL
    return Outcome.UNKNOWN if written.squeezed.lstrip("(").startswith(other.squeezed) else Outcome.DIFFERENT
