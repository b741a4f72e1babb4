"""Exact values of closed numeric expressions, in plain, Unicode or LaTeX notation.

A small recursive-descent parser over ``+ - * / ^ ! %``, fractions, roots of perfect squares and binomials.
It reads numbers only: a single letter makes an expression open, and open expressions have no value here.
Everything is bounded (digits, exponents, depth), so that a hostile text costs microseconds; nothing is
ever evaluated as code. A CAS would read far more, at a thousand times the price.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Number = int | Fraction

MAX_CHARS = 240
"""Longer expressions are not read."""

MAX_BITS = 4096
"""Size of any value on the way; 2^1000 is read, 9^9^9 is not."""

MAX_DEPTH = 24
"""Nesting of brackets."""

_NUMBER = r"\d{1,3}(?:(?:,\\!|,|\{,\}|\\,)\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_TOKEN = re.compile(
    rf"(?P<gap>(?:[\s&$]|\\[,;:! $()\[\]]|\\(?:left|right|[bB]ig{{1,2}}[lr]?|displaystyle)(?![a-zA-Z]))+)"
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<super>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
    r"|(?P<vulgar>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])"
    r"|(?P<op>\*\*|\\(?:[dtc]?frac|sqrt|cdot|times|div|[dt]?binom)(?![a-zA-Z])|\\%|sqrt|binom|C(?=\()|\\pi(?![a-zA-Z])|π|pi(?![a-zA-Z])"
    r"|[-+*/^()\[\]{}!%,−×·⋅∗÷√])"
)
_SAME = {
    "−": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "\\cdot": "*", "\\times": "*", "÷": "/", "\\div": "/",
    "**": "^", "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "√": "sqrt", "\\sqrt": "sqrt",
    "\\binom": "binom", "\\dbinom": "binom", "\\tbinom": "binom", "\\%": "%",
    "\\pi": "pi", "π": "pi",
}  # fmt: skip
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_VULGAR = {
    "½": Fraction(1, 2), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5), "⅖": Fraction(2, 5), "⅗": Fraction(3, 5), "⅘": Fraction(4, 5), "⅙": Fraction(1, 6),
    "⅚": Fraction(5, 6), "⅛": Fraction(1, 8), "⅜": Fraction(3, 8), "⅝": Fraction(5, 8), "⅞": Fraction(7, 8),
}  # fmt: skip
_SIMPLE = re.compile(r"[ $]*(\d{1,15})[ $]*(?:([-+*×·/])[ $]*(\d{1,15})[ $]*)?")
"""Most sides of most claims: one or two plain integers, read without a parser."""
_RAISED = re.compile(r"\s*(?:\^|\*\*|[²⁴⁶⁸])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression comes to, and how sure its reading is.

    Attributes:
        number: the exact value; a percentage counts as its hundredth.
        operators: it holds an operation, so it is more than a number written down.
        decimals: most decimal places of a number in it (0: none), a source of rounding.
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


class _Unreadable(ValueError):
    """Not a closed expression within the bounds."""


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
    parser = _Parser(text[:MAX_CHARS])
    try:
        number = parser.sum(0)
        if len(text) > MAX_CHARS and not parser.kind:
            return None
    except (_Unreadable, ZeroDivisionError, OverflowError):
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
        return Value(_quotient(a, b), True, 0, True, False, False) if b else None
    number = a + b if sign == "+" else a - b if sign == "-" else a * b
    return Value(number, True, 0, False, False, False)


@lru_cache(maxsize=16384)
def approximate(expression: str) -> float | None:
    """The value of a closed expression that may hold irrational roots and pi, to double precision, else None."""
    if len(expression) > MAX_CHARS:
        return None
    parser = _Parser(expression, real=True)
    try:
        number = parser.sum(0)
        return None if parser.kind else float(number)
    except (_Unreadable, ZeroDivisionError, OverflowError):
        return None


class _Parser:
    """One pass over the tokens of one expression; a token is read when the one before is consumed."""

    __slots__ = (
        "ambiguous", "at", "decimals", "division", "gap", "kind", "last", "operators", "percent", "real", "text",
        "token",
    )  # fmt: skip

    def __init__(self, text: str, *, real: bool = False) -> None:
        self.text = text
        self.real = real
        self.at = 0
        self.last = 0
        self.operators = self.division = self.percent = self.ambiguous = False
        self.decimals = 0
        self.advance()

    def advance(self) -> None:
        self.last = self.at
        self.gap = False
        match = _TOKEN.match(self.text, self.at)
        if match is not None and match.lastgroup == "gap":
            self.gap = True
            self.at = match.end()
            match = _TOKEN.match(self.text, self.at)
        if match is None:
            self.kind = "" if self.at == len(self.text) else "foreign"
            self.token = ""
            return
        self.kind = match.lastgroup or ""
        self.token = _SAME.get(match.group(), match.group())
        self.at = match.end()

    def end(self) -> int:
        """Where the expression ended, before the token that did not fit and any white space."""
        return self.last

    def sum(self, depth: int) -> Number:
        if depth > MAX_DEPTH:
            raise _Unreadable
        value = self.product(depth)
        while self.token in ("+", "-"):
            plus = self.token == "+"
            self.operators = True
            self.advance()
            term = self.product(depth)
            value = _bounded(value + term if plus else value - term)
        return value

    def product(self, depth: int) -> Number:
        value = self.unary(depth)
        divided = False
        while True:
            if self.token in ("*", "/"):
                times = self.token == "*"
                self.advance()
                factor = self.unary(depth)
                self.ambiguous |= divided
            elif not self.gap and (
                self.token in ("(", "[") or self.token in ("sqrt", "\\frac", "binom", "pi")
            ):
                times = True
                self.ambiguous |= divided or self.token not in ("(", "[")
                factor = self.power(depth)
            else:
                return value
            self.operators = True
            if times:
                value = _bounded(value * factor)
            else:
                divided = self.division = True
                value = _quotient(value, factor)

    def unary(self, depth: int) -> Number:
        if self.token == "-":
            if depth > MAX_DEPTH:
                raise _Unreadable
            self.advance()
            self.ambiguous |= self.kind == "number" and bool(_RAISED.match(self.text, self.at))
            value = self.unary(depth + 1)
            return -value
        return self.power(depth)

    def power(self, depth: int) -> Number:
        value = self.postfix(depth)
        if self.token != "^":
            return value
        self.operators = True
        self.advance()
        if self.token == "-":
            self.advance()
            exponent = -self.atom(depth + 1)
        else:
            exponent = self.atom(depth + 1)
        if self.token == "^":
            raise _Unreadable
        return _power(value, exponent)

    def postfix(self, depth: int) -> Number:
        value = self.atom(depth)
        while True:
            if self.token == "!" and not self.gap:
                if not isinstance(value, int) or not 0 <= value <= 100:
                    raise _Unreadable
                value = math.factorial(value)
                self.ambiguous = self.operators = True
            elif self.token == "%":
                value = _quotient(value, 100)
                self.percent = True
            elif self.kind == "super":
                exponent = self.token.translate(_SUPERSCRIPT)
                if not re.fullmatch(r"-?\d+", exponent):
                    raise _Unreadable
                value = _power(value, int(exponent))
                self.operators = True
            else:
                return value
            self.advance()

    def atom(self, depth: int) -> Number:
        if depth > MAX_DEPTH:
            raise _Unreadable
        kind, token = self.kind, self.token
        if kind == "number":
            self.advance()
            if self.kind == "number" or (self.kind == "vulgar" and self.gap):
                raise _Unreadable
            value = self._number(token)
            if self.kind == "vulgar":
                value = value + _VULGAR[self.token]
                self.advance()
            return value
        if kind == "vulgar":
            self.advance()
            return _VULGAR[token]
        if token in _CLOSING:
            return self.group(depth)
        if token == "\\frac":
            self.advance()
            top = self.argument(depth)
            self.division = self.operators = True
            return _quotient(top, self.argument(depth))
        if token == "sqrt":
            self.advance()
            if self.token == "[":
                raise _Unreadable
            self.operators = True
            return self.root(self.argument(depth) if self.token == "{" else self.atom(depth + 1))
        if token == "pi" and self.real:
            self.advance()
            return Fraction(math.pi)
        if token in ("binom", "C"):
            return self.binomial(depth)
        raise _Unreadable

    def root(self, value: Number) -> Number:
        if value < 0:
            raise _Unreadable
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return _whole(Fraction(top, bottom))
        if not self.real:
            raise _Unreadable
        return Fraction(math.sqrt(value))

    def group(self, depth: int) -> Number:
        closing = _CLOSING[self.token]
        self.advance()
        value = self.sum(depth + 1)
        if self.token != closing:
            raise _Unreadable
        self.advance()
        return value

    def argument(self, depth: int) -> Number:
        """A LaTeX argument: a group in braces, or the next single digit."""
        if self.token == "{":
            return self.group(depth)
        if self.kind == "number" and self.token.isdigit():
            digit, rest = self.token[0], len(self.token) - 1
            self.at -= rest
            self.advance()
            return int(digit)
        raise _Unreadable

    def binomial(self, depth: int) -> Number:
        self.operators = True
        self.advance()
        if self.token == "{":
            n, k = self.group(depth), self.group(depth) if self.token == "{" else None
        elif self.token == "(":
            self.advance()
            n = self.sum(depth + 1)
            if self.token != ",":
                raise _Unreadable
            self.advance()
            k = self.sum(depth + 1)
            if self.token != ")":
                raise _Unreadable
            self.advance()
        else:
            raise _Unreadable
        if not isinstance(n, int) or not isinstance(k, int) or not 0 <= n <= 500 or k < 0:
            raise _Unreadable
        return math.comb(n, k)

    def _number(self, token: str) -> Number:
        digits = token.replace("{,}", "").replace("\\,", "").replace(",\\!", "").replace(",", "")
        if len(digits) > 60:
            raise _Unreadable
        whole, point, decimals = digits.partition(".")
        if not point:
            return int(whole)
        self.decimals = max(self.decimals, len(decimals))
        return _whole(Fraction(int(whole + decimals), 10 ** len(decimals)))


def _whole(value: Number) -> Number:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def _quotient(top: Number, bottom: Number) -> Number:
    return _whole(Fraction(top) / Fraction(bottom))


def _bounded(value: Number) -> Number:
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise _Unreadable
    return _whole(value)


def _power(base: Number, exponent: Number) -> Number:
    if not isinstance(exponent, int):
        raise _Unreadable
    bits = base.numerator.bit_length() + base.denominator.bit_length()
    if abs(exponent) * bits > MAX_BITS:
        raise _Unreadable
    return _whole(Fraction(base) ** exponent)
