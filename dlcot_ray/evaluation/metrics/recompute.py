"""Is ``left = right`` false? A second computation, independent of the judge's own evaluator.

In: a claim as text. Out: True, False, or None where it cannot be computed. People miss wrong arithmetic, so
an alarm that they do not share may still be right. Plain arithmetic is parsed by Python's `ast` and computed
in exact fractions; anything else in a claim leaves it undecided, and undecided claims are not counted.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})
_WORDS = ((r"\times", "*"), (r"\cdot", "*"), (r"\div", "/"), ("^", "**"), ("$", ""))
_GROUPED = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_OPERATORS: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST = 300
_HIGHEST_POWER = 64


def is_false(claim: str) -> bool | None:
    """Whether two sides of a claim differ by more than rounding; None where either cannot be computed.

    A side with decimals may be rounded in its last digit, a quotient to the next whole number.
    """
    left, equals, right = claim.partition("=")
    if not equals or "=" in right:
        return None
    one, other = _value(left), _value(right)
    if one is None or other is None:
        return None
    decimals = max((len(m) for side in (left, right) for m in re.findall(r"\.(\d+)", side)), default=0)
    rounded = decimals or (("/" in left or "÷" in left) and "/" not in right and other.denominator == 1)
    return abs(one - other) > (Fraction(1, 10**decimals) if rounded else 0)


def is_whole(text: str, start: int, stop: int) -> bool:
    """Whether the claim at `[start, stop)` of a text is no part of a longer expression on its line."""
    before, after = text[:start].rpartition("\n")[2].rstrip(" $"), text[stop:].partition("\n")[0].lstrip(" $")
    return not before.endswith(tuple("+*/×·÷^(")) and not after.startswith(tuple("+*/×·÷^"))


def _value(text: str) -> Fraction | None:
    plain = _GROUPED.sub("", text).translate(_SIGNS)
    for written, meant in _WORDS:
        plain = plain.replace(written, meant)
    if len(plain) > _LONGEST:
        return None
    try:
        return _computed(ast.parse(plain.strip(), mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError, RecursionError, OverflowError):
        return None


def _computed(node: ast.AST) -> Fraction:
    """The value of a parsed expression.

    Raises:
        ValueError: it is more than numbers and the four operations, signs and small powers.
    """
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return Fraction(str(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        value = _computed(node.operand)
        return -value if isinstance(node.op, ast.USub) else value
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_computed(node.left), _computed(node.right))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        power = _computed(node.right)
        if power.denominator == 1 and 0 <= power <= _HIGHEST_POWER:
            return _computed(node.left) ** int(power)
    raise ValueError
