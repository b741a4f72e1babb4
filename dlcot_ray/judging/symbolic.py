"""Comparison of two formulas by a CAS, inside the helper process (`equivalence.py`).

In: two formulas. Out: an `Outcome`. math-verify reads them. Where both have a value at a point, values
decide: two formulas that differ at a point are different, two that agree at many points to 30 digits are
equal. Sets, relations and tuples are compared by math-verify. What neither finds equal, and no value tells
apart, stays unknown. Only the helper imports this module, because it imports sympy.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import sympy
from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse, verify

from dlcot_ray.core.comparison.outcome import Outcome

DIGITS = 30
"""Working precision of values."""

_CONFIGS = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
_LAST_LETTER = re.compile(r"(?<=[\w})])\s+([A-Za-z])$")
_POSITIVE = ("0.731", "1.377", "2.193", "0.291", "3.517")
_OTHERS = ("-0.613", "-1.841", "-2.377")
_EQUAL_GAP = sympy.Float("1e-18")
_CONSTANTS = {"i": sympy.I, "e": sympy.E, "\\pi": sympy.pi}


def compare_formulas(answer: str, reference: str) -> Outcome:
    """Compare two formulas; may run without end, so a caller limits its time. Raises what the CAS raises."""
    left, right = read(answer), read(reference)
    if not left or not right:
        return Outcome.UNKNOWN
    found = _compare_found(left[0], right[0])
    if found is not None:
        return found
    # "x in [0, 1]" and "0 <= x <= 1" are one answer, whichever of the two is the reference.
    equal = verify(right, left, allow_set_relation_comp=True, timeout_seconds=None, raise_on_error=False)
    if equal:
        return Outcome.EQUAL
    return Outcome.DIFFERENT if _different_sets(left[0], right[0]) else Outcome.UNKNOWN


@lru_cache(maxsize=256)
def read(text: str) -> list[Any]:
    """What math-verify finds in a text: parsed forms first, the text last."""
    # math-verify takes a letter behind white space for a unit (t, m, g) and drops it.
    text = _LAST_LETTER.sub(r"{\1}", text)
    wrapped = text if "$" in text or "\\boxed" in text else f"${text}$"
    found: list[Any] = parse(wrapped, extraction_config=_CONFIGS, parsing_timeout=None, raise_on_error=False)
    return found or parse(text, extraction_config=_CONFIGS, parsing_timeout=None, raise_on_error=False)


def _compare_found(left: Any, right: Any) -> Outcome | None:
    """Compare the values of two formulas, or the right sides of two equations for one name."""
    named = [x for x in (left, right) if isinstance(x, sympy.Equality)]
    if len(named) == 2 and named[0].lhs != named[1].lhs:
        return None
    a, b = _expression(left), _expression(right)
    if a is None or b is None or a.is_Matrix != b.is_Matrix:
        return None
    return _compare_values(a, b)


def _expression(found: Any) -> Any | None:
    """A formula with a value at a point; None for sets, relations and texts."""
    if isinstance(found, sympy.Equality) and isinstance(found.lhs, sympy.Symbol):
        found = found.rhs
    if isinstance(found, sympy.MatrixExpr):
        found = found.doit()
    if isinstance(found, sympy.MatrixBase):
        return found.as_immutable()
    return found if isinstance(found, sympy.Expr) and not isinstance(found, sympy.MatrixExpr) else None


def _compare_values(a: Any, b: Any) -> Outcome | None:
    """Compare at points of both signs and at whole numbers; None where values do not tell."""
    a, b = _with_constants(a), _with_constants(b)
    if a.is_Matrix:
        return _compare_matrices(a, b)
    a, b = _without_constant(a, b), _without_constant(b, a)
    symbols = sorted(a.free_symbols | b.free_symbols, key=str)
    if not symbols:
        return _compare_closed(a, b)
    if (a.free_symbols == set()) != (b.free_symbols == set()) and sympy.simplify(a - b) != 0:
        return Outcome.DIFFERENT
    positive = [_same_at(a, b, symbols, _POSITIVE, shift) for shift in range(5)]
    if False in positive:
        whole = [_same_at(a, b, symbols, ("2", "5", "3", "7"), shift) for shift in range(4)]
        return Outcome.DIFFERENT if False in whole else None
    if positive.count(True) < 3:
        return None
    others = [_same_at(a, b, symbols, _OTHERS, shift) for shift in range(3)]
    return Outcome.UNKNOWN if False in others else Outcome.EQUAL


def _compare_closed(a: Any, b: Any) -> Outcome | None:
    va, vb = sympy.N(a, DIGITS), sympy.N(b, DIGITS)
    if not (va.is_number and vb.is_number) or not (va.is_finite and vb.is_finite):
        return None
    same = _near(va, vb)
    if a.has(sympy.Float) or b.has(sympy.Float):
        # A rounded decimal: only math-verify's six digits, or a clear gap, decide.
        gap, size = abs(va - vb), max(abs(va), abs(vb))
        if same or gap > size / 50:
            return Outcome.EQUAL if same else Outcome.DIFFERENT
        return None if gap < size / 10**6 else Outcome.UNKNOWN
    return Outcome.EQUAL if same else Outcome.DIFFERENT


def _compare_matrices(a: Any, b: Any) -> Outcome | None:
    if a.shape != b.shape:
        return None
    found = [_compare_values(x, y) for x, y in zip(a, b, strict=True)]
    if Outcome.DIFFERENT in found:
        return Outcome.DIFFERENT
    return Outcome.EQUAL if set(found) == {Outcome.EQUAL} else None


def _same_at(a: Any, b: Any, symbols: list[Any], points: tuple[str, ...], shift: int) -> bool | None:
    """Whether both have the same finite value where the k-th symbol is the (k + shift)-th point."""
    at = {
        s: sympy.Rational(points[(k + shift) % len(points)]) + k // len(points) for k, s in enumerate(symbols)
    }
    va, vb = sympy.N(a.subs(at), DIGITS), sympy.N(b.subs(at), DIGITS)
    if not (va.is_number and vb.is_number) or not (va.is_finite and vb.is_finite):
        return None
    if bool(va.is_real) != bool(vb.is_real) and not _uses_i(a, b):
        return False
    if not va.is_real and not _uses_i(a, b):
        # Outside the real domain of both.
        return None
    return bool(_near(va, vb))


def _uses_i(a: Any, b: Any) -> bool:
    return bool(a.has(sympy.I) or b.has(sympy.I))


def _near(va: Any, vb: Any) -> bool:
    """Relative, so that 1/2006! is not 1/2004!."""
    size = max(abs(va), abs(vb))
    return bool(size == 0 or abs(va - vb) <= size * _EQUAL_GAP or (size < 1 and abs(va - vb) == 0))


def _with_constants(expression: Any) -> Any:
    named = {s: _CONSTANTS[s.name] for s in expression.free_symbols if s.name in _CONSTANTS}
    return expression.subs(named) if named else expression


def _without_constant(expression: Any, other: Any) -> Any:
    """Drop a constant of integration that only one side writes: ``x^2 + C`` is ``x^2``."""
    loose = [s for s in expression.free_symbols - other.free_symbols if s.name in ("c", "C")]
    if len(loose) != 1 or len(expression.free_symbols) < 2:
        return expression
    rest = expression - loose[0]
    return rest if loose[0] not in sympy.expand(rest).free_symbols else expression


def _different_sets(a: Any, b: Any) -> bool:
    """Whether two inequalities or intervals hold different numbers; false where that is not certain."""
    first, second = _as_set(a), _as_set(b)
    if first is None or second is None or first.atoms(sympy.Float) or second.atoms(sympy.Float):
        return False
    return first.symmetric_difference(second).is_empty is False


def _as_set(found: Any) -> Any | None:
    """A set of real numbers without parameters; None for lists, which could also be points."""
    if isinstance(found, sympy.core.relational.Relational) and not isinstance(found, sympy.Equality):
        found = found.as_set() if len(found.free_symbols) == 1 else None
    return found if isinstance(found, (sympy.Interval, sympy.Union)) and not found.free_symbols else None
