"""Exact values of closed numeric expressions, in plain, Unicode or LaTeX notation.

In: an expression as a text writes it. Out: its `Value`, or None where it is not closed (a letter makes it
open) or exceeds a bound of `parser.py`. Nothing is ever evaluated as code. A CAS reads far more, at a
thousand times the cost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from dlcot_ray.core.evidence.parser import MAX_CHARS, Number, Parser, Unreadable, quotient

_SIMPLE = re.compile(r"[ $]*(\d{1,15})[ $]*(?:([-+*×·/])[ $]*(\d{1,15})[ $]*)?")
"""One or two plain integers. Most sides of claims have this form and need no parser."""


@dataclass(frozen=True, slots=True)
class Value:
    """The value of an expression, and facts that tell how certain its reading is.

    Attributes:
        number: the exact value; a percentage counts as its hundredth.
        operators: it contains an operation, so it is more than a single number.
        decimals: largest number of decimal places in it (0: none), a source of rounding.
        division: it divides, another source of rounding.
        percent: it holds a percent sign.
        ambiguous: authors differ about its meaning (``-3^2``, ``6/2*3``, ``1\\frac12``, ``5!``).
    """

    number: Number
    operators: bool
    decimals: int
    division: bool
    percent: bool
    ambiguous: bool


@lru_cache(maxsize=16384)
def evaluate(expression: str) -> Value | None:
    """The value of an expression that is closed from end to end, else None."""
    found = evaluate_prefix(expression)
    return found[0] if found is not None and found[1] == len(expression) else None


@lru_cache(maxsize=16384)
def evaluate_prefix(text: str) -> tuple[Value, int] | None:
    """The value of the longest closed expression that `text` starts with, and where it ends, else None.

    The end is ``len(text)`` if only white space and delimiters follow.
    """
    if (simple := _SIMPLE.fullmatch(text)) is not None:
        value = _simple(int(simple[1]), simple[2], simple[3])
        return None if value is None else (value, len(text))
    parser = Parser(text[:MAX_CHARS])
    try:
        number = parser.sum(0)
        if len(text) > MAX_CHARS and not parser.kind:
            return None
    except (Unreadable, ZeroDivisionError, OverflowError):
        return None
    value = Value(
        number, parser.operators, parser.decimals, parser.division, parser.percent, parser.ambiguous
    )
    return value, parser.end() if parser.kind else len(text)


def _simple(a: int, sign: str | None, second: str | None) -> Value | None:
    if sign is None or second is None:
        return Value(a, False, 0, False, False, False)
    b = int(second)
    if sign == "/":
        return Value(quotient(a, b), True, 0, True, False, False) if b else None
    number = a + b if sign == "+" else a - b if sign == "-" else a * b
    return Value(number, True, 0, False, False, False)


@lru_cache(maxsize=16384)
def approximate(expression: str) -> float | None:
    """The value of a closed expression that may hold irrational roots and pi, to double precision, else None."""
    if len(expression) > MAX_CHARS:
        return None
    parser = Parser(expression, real=True)
    try:
        number = parser.sum(0)
        return None if parser.kind else float(number)
    except (Unreadable, ZeroDivisionError, OverflowError):
        return None
