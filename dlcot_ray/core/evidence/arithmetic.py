"""Numeric claims in a text, re-evaluated exactly.

A false alarm would damage a good trace, so a claim only counts as false when both sides are closed
numeric expressions that were read completely, with nothing attached to either side. Much that is wrong
is therefore not seen (anything with a variable, a unit or a rounding); that is the trade.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ArithmeticClaim:
    """``left = right`` at code points `[start, stop)`; `holds` is None where it cannot be decided."""

    start: int
    stop: int
    left: str
    right: str
    holds: bool | None
    expected: str


_NUM = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_SIDE = rf"[-−]?[ ]?\(*[ ]?[-−]?{_NUM}(?:[ ]?\)*[ ]?(?:\*\*|[-+*/^×·÷−])[ ]?\(*[ ]?[-−]?{_NUM})*[ ]?\)*"
_CHAIN = re.compile(rf"(?<![\w.,$\\}}\]^_/*×·÷=<>|!%√-]){_SIDE}(?:[ ]?=[ ]?{_SIDE})+")
_BEFORE = re.compile(
    r"(?:[-+*/^×·÷−=<>≈≡%√!|(\[{_,]|\b[a-zA-Z]|[)\]}]|\bmod|\bbase|\blog|\bif|\bsuppose|\bis)\s*$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:[*/^×·÷−%!√°_\\({\[=≈≡<>?']|\+|-(?!\s[a-z])|\.{2,}|…|\.\d|,\d|:\d|mod\b|base\b|r(?:em)?\.?\s?\d|[a-zA-Zα-ωπ]\b|[a-z]\()|[\w)]"
)
_HEDGE = re.compile(
    r"\b(?:if|suppose|assume|would be|instead of|not|isn't|wrong|mod(?:ulo)?|base|remainder|approximately|about|let's say|≠|try)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(rf"{_NUM}|\*\*|[-+*/^()×·÷−]")
_EQUALITY = re.compile(r"[\d)][ ]?=[ ]?[-−(]?[ ]?[\d(]")
"""What every closed claim holds; most texts with an equals sign do not, and are passed over cheaply."""

_MAX_DIGITS = 40


def find_claims(text: str) -> tuple[ArithmeticClaim, ...]:
    """Every closed numeric claim of a text, each neighbouring pair of a chain ``a = b = c`` on its own."""
    claims = []
    if not _EQUALITY.search(text):
        return ()
    for match in _CHAIN.finditer(text):
        sides = match.group().split("=")
        attached = bool(_AFTER.match(text, match.end())) or bool(
            _BEFORE.search(text, max(0, match.start() - 24), match.start())
        )
        line = text.rfind("\n", 0, match.start()) + 1
        hedged = bool(_HEDGE.search(text, max(line, match.start() - 60), match.start()))
        at = match.start()
        for left, right in itertools.pairwise(sides):
            stop = at + len(left) + 1 + len(right)
            if not _trivial(left, right):
                claims.append(_claim(at, stop, left.strip(), right.strip(), attached or hedged))
            at += len(left) + 1
    return tuple(claims)


def _trivial(left: str, right: str) -> bool:
    return not any(op in left.strip().lstrip("-−") + right.strip().lstrip("-−") for op in "+-*/^×·÷−")


def _claim(start: int, stop: int, left: str, right: str, attached: bool) -> ArithmeticClaim:
    a, b = evaluate(left), evaluate(right)
    holds: bool | None
    if a is None or b is None:
        holds = None
    elif a == b:
        holds = True
    elif attached or _rounded(a, b, left, right):
        holds = None
    else:
        holds = False
    return ArithmeticClaim(start, stop, left, right, holds, "" if a is None else str(a))


def _rounded(a: Fraction, b: Fraction, left: str, right: str) -> bool:
    """Decimals, and integer division, are often rounded: within 1 % they are no error."""
    inexact = "." in left + right or "/" in left or "÷" in left
    return inexact and abs(a - b) <= max(abs(a), abs(b)) / 100 + Fraction(1, 100)


def evaluate(expression: str) -> Fraction | None:
    """The exact value of a closed expression of numbers and ``+ - * / ^ ( )``, else None."""
    tokens = [t.replace(",", "") for t in _TOKEN.findall(expression)]
    if sum(map(len, tokens)) > 200:
        return None
    try:
        value, at = _sum(tokens, 0, 0)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return value if at == len(tokens) else None


def _sum(tokens: list[str], at: int, depth: int) -> tuple[Fraction, int]:
    value, at = _product(tokens, at, depth)
    while at < len(tokens) and tokens[at] in "+-−":
        right, after = _product(tokens, at + 1, depth)
        value, at = (value + right if tokens[at] == "+" else value - right), after
    return value, at


def _product(tokens: list[str], at: int, depth: int) -> tuple[Fraction, int]:
    value, at = _power(tokens, at, depth)
    while at < len(tokens) and tokens[at] in ("*", "/", "×", "·", "÷"):
        right, after = _power(tokens, at + 1, depth)
        value, at = (value / right if tokens[at] in "/÷" else value * right), after
    return value, at


def _power(tokens: list[str], at: int, depth: int) -> tuple[Fraction, int]:
    if tokens[at] in "-−":
        value, at = _power(tokens, at + 1, depth + 1)
        return -value, at
    value, at = _atom(tokens, at, depth)
    if at < len(tokens) and tokens[at] in ("^", "**"):
        exponent, at = _power(tokens, at + 1, depth + 1)
        digits = len(str(value.numerator)) + len(str(value.denominator))
        if exponent.denominator != 1 or abs(exponent) * digits > _MAX_DIGITS * 8:
            raise ValueError("exponent out of bounds")
        value = value ** int(exponent)
    return value, at


def _atom(tokens: list[str], at: int, depth: int) -> tuple[Fraction, int]:
    if depth > 30:
        raise ValueError("nested too deep")
    if tokens[at] == "(":
        value, at = _sum(tokens, at + 1, depth + 1)
        if tokens[at] != ")":
            raise ValueError("unbalanced")
        return value, at + 1
    if len(tokens[at]) > _MAX_DIGITS:
        raise ValueError("number out of bounds")
    return Fraction(tokens[at]), at + 1
