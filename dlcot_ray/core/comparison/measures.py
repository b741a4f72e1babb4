"""Comparison of values with units.

In: two measures (`units.py`), or a measure and a plain value. Out: an outcome, or the two values that a CAS has
to compare. A missing unit is taken as the one that the problem asks for.
"""

from __future__ import annotations

import math

from dlcot_ray.core.comparison.notation import squeeze
from dlcot_ray.core.comparison.numbers import as_rational, compare_numbers
from dlcot_ray.core.comparison.outcome import Outcome
from dlcot_ray.core.comparison.units import PLAIN_UNIT, Measure, Unit, scale_of
from dlcot_ray.core.evidence.expression import approximate

_RATIOS = frozenset(
    (
        60,
        3600,
        24,
        1440,
        86400,
        7,
        168,
        12,
        52,
        365,
        30,
        100,
        1000,
        10,
        3,
        36,
        16,
        1760,
        5280,
        144,
        10_000,
        10**6,
        9,
    )
)
"""Factors between common units. A bare value that is off by one of them may be in another unit."""

Found = Outcome | tuple[str, str]


def compare_measures(a: Measure, b: Measure) -> Found:
    """Compare two answers with units."""
    one_each = len(a.parts) == len(b.parts) == 1
    if one_each and a.unit.factors == b.unit.factors:
        return _compare_same_unit(a, b)
    if not a.unit.factors or not b.unit.factors:
        # A noun and a unit ("5 pieces", "5 cm"): the values can refute, not confirm.
        found = _compare_values(a.value, b.value) if one_each else Outcome.UNKNOWN
        return Outcome.DIFFERENT if found is Outcome.DIFFERENT else Outcome.UNKNOWN
    return _compare_converted(a, b)


def _compare_same_unit(a: Measure, b: Measure) -> Found:
    found = _compare_values(a.value, b.value)
    if a.unit.noun == b.unit.noun or not a.unit.noun or not b.unit.noun:
        return found
    return Outcome.DIFFERENT if found is Outcome.DIFFERENT else Outcome.UNKNOWN


def _compare_converted(a: Measure, b: Measure) -> Found:
    total_a, total_b = _total(a), _total(b)
    if total_a is None or total_b is None:
        return _compare_open(a, b)
    (kind_a, base_a, exact_a), (kind_b, base_b, exact_b) = total_a, total_b
    if kind_a != kind_b:
        plain = any(name == PLAIN_UNIT for name, _ in (*a.unit.factors, *b.unit.factors))
        return Outcome.UNKNOWN if plain else Outcome.DIFFERENT
    if math.isclose(base_a, base_b, rel_tol=1e-9, abs_tol=1e-12):
        return Outcome.EQUAL
    close = math.isclose(base_a, base_b, rel_tol=1e-2)
    # Conversion factors such as 365.25 days and rounded values leave a doubt that exact ones do not.
    return Outcome.UNKNOWN if close and not (exact_a and exact_b and _same_kind(a, b)) else Outcome.DIFFERENT


def _same_kind(a: Measure, b: Measure) -> bool:
    return all(
        name not in ("year", "month") for m in (a, b) for _, unit in m.parts for name, _ in unit.factors
    )


def _compare_open(a: Measure, b: Measure) -> Outcome:
    """Values with variables in different units: only the same value of two sizes is certain."""
    if len(a.parts) > 1 or len(b.parts) > 1 or squeeze(a.value) != squeeze(b.value):
        return Outcome.UNKNOWN
    scale_a, scale_b = scale_of(a.unit.factors), scale_of(b.unit.factors)
    if scale_a is None or scale_b is None or scale_a == scale_b:
        return Outcome.UNKNOWN
    return Outcome.DIFFERENT


def _total(measure: Measure) -> tuple[str, float, bool] | None:
    """Dimension and value in base units, and whether all values are written exactly."""
    total, kind, exact = 0.0, "", True
    for value, unit in measure.parts:
        number, scale = value_of(value), scale_of(unit.factors)
        if number is None or scale is None or (kind and kind != scale[0]):
            return None
        kind = scale[0]
        total += number * scale[1] + scale[2]
        exact &= "." not in value
    return kind, total, exact


def value_of(text: str) -> float | None:
    """The value of a closed expression as a float, else None."""
    squeezed = squeeze(text)
    exact = as_rational(squeezed)
    try:
        return float(exact) if exact is not None and "%" not in text else approximate(squeezed)
    except OverflowError:
        return None


def _compare_values(a: str, b: str) -> Found:
    sa, sb = squeeze(a), squeeze(b)
    if sa == sb:
        return Outcome.EQUAL
    return compare_numbers(sa, sb) or (a, b)


def compare_with_bare(measure: Measure, bare: str) -> Found:
    """Compare an answer with a unit and one without."""
    if len(measure.parts) > 1:
        return _compare_sum_with_bare(measure, bare)
    found = _compare_values(measure.value, bare)
    if found is Outcome.EQUAL or isinstance(found, tuple):
        return found
    if _is_angle(measure.unit) and (radians := _radians(measure, bare)) is not None:
        return radians
    return Outcome.UNKNOWN if measure.unit.factors and _off_by_unit(measure.value, bare) else found


def _compare_sum_with_bare(measure: Measure, bare: str) -> Outcome:
    """``2 hours 30 minutes`` against 150 or 2.5: any of its units may be the one that is asked."""
    total, value = _total(measure), value_of(bare)
    if total is None or value is None:
        return Outcome.UNKNOWN
    scales = [scale_of(unit.factors) for _, unit in measure.parts]
    fits = any(s is not None and math.isclose(value * s[1], total[1], rel_tol=1e-9) for s in scales)
    return Outcome.EQUAL if fits else Outcome.UNKNOWN


def _is_angle(unit: Unit) -> bool:
    return unit.factors == (("degree", 1),)


def _radians(measure: Measure, bare: str) -> Outcome | None:
    """30° is \\pi/6: a bare value in which \\pi stands is in radians."""
    degrees, value = value_of(measure.value), value_of(bare)
    if degrees is None or value is None or "pi" not in bare:
        return None
    same = math.isclose(degrees * math.pi / 180, value, rel_tol=1e-12)
    return Outcome.EQUAL if same else Outcome.DIFFERENT


def _off_by_unit(value: str, bare: str) -> bool:
    x, y = as_rational(squeeze(value)), as_rational(squeeze(bare))
    if not x or not y:
        return False
    ratio = max(abs(x / y), abs(y / x))
    return x * y > 0 and ratio.denominator == 1 and ratio.numerator in _RATIOS
