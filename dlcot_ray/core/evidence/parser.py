"""A recursive-descent parser of closed numeric expressions, in plain, Unicode or LaTeX notation.

In: a text. Out: the exact value of the expression that it begins with, and facts about its notation. It reads
``+ - * / ^ ! %``, fractions, roots of perfect squares and binomials, and numbers only: a letter ends the
expression. Digits, exponents and depth are bounded, so that a hostile text costs microseconds.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction

from dlcot_ray.core.evidence.tokens import VULGAR, next_token

Number = int | Fraction

MAX_CHARS = 240
"""Longer expressions are not read."""

MAX_BITS = 4096
"""Maximum size of any intermediate value; 2^1000 is read, 9^9^9 is not."""

MAX_DEPTH = 24
"""Maximum nesting of brackets."""

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_RAISED = re.compile(r"\s*(?:\^|\*\*|[²⁴⁶⁸])")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Unreadable(ValueError):
    """Not a closed expression within the bounds."""


class Parser:
    """One pass over the tokens of one expression; a token is read when the one before is consumed.

    Each method reads one rule of the grammar and raises `Unreadable` where the text does not fit it. The
    attributes `operators`, `division`, `percent`, `ambiguous` and `decimals` become those of a `Value`.

    Args:
        text: begins with the expression.
        real: irrational roots and pi are read, in double precision.
    """

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
        """Read the next token; `gap` says whether white space or a delimiter stands before it."""
        self.last = self.at
        self.kind, self.token, self.at, self.gap = next_token(self.text, self.at)

    def end(self) -> int:
        """Where the expression ended, before the token that did not fit and any white space."""
        return self.last

    def sum(self, depth: int) -> Number:
        """``product (("+" | "-") product)*``; the entry point, with `depth` 0."""
        if depth > MAX_DEPTH:
            raise Unreadable
        value = self.product(depth)
        while self.token in ("+", "-"):
            plus = self.token == "+"
            self.operators = True
            self.advance()
            term = self.product(depth)
            value = _bounded(value + term if plus else value - term)
        return value

    def product(self, depth: int) -> Number:
        """``unary (("*" | "/") unary)*``; a bracket, root or fraction directly behind a factor multiplies."""
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
                value = quotient(value, factor)

    def unary(self, depth: int) -> Number:
        """``"-" unary | power``."""
        if self.token == "-":
            if depth > MAX_DEPTH:
                raise Unreadable
            self.advance()
            self.ambiguous |= self.kind == "number" and bool(_RAISED.match(self.text, self.at))
            value = self.unary(depth + 1)
            return -value
        return self.power(depth)

    def power(self, depth: int) -> Number:
        """``postfix ("^" ["-"] atom)?``; a tower of powers is not read."""
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
            raise Unreadable
        return _power(value, exponent)

    def postfix(self, depth: int) -> Number:
        """``atom ("!" | "%" | superscript)*``."""
        value = self.atom(depth)
        while True:
            if self.token == "!" and not self.gap:
                if not isinstance(value, int) or not 0 <= value <= 100:
                    raise Unreadable
                value = math.factorial(value)
                self.ambiguous = self.operators = True
                if self.text.startswith("!", self.at):
                    # 3!! is a double factorial, which is not read.
                    raise Unreadable
            elif self.token == "%":
                value = quotient(value, 100)
                self.percent = True
            elif self.kind == "super":
                exponent = self.token.translate(_SUPERSCRIPT)
                if not re.fullmatch(r"-?\d+", exponent):
                    raise Unreadable
                value = _power(value, int(exponent))
                self.operators = True
            else:
                return value
            self.advance()

    def atom(self, depth: int) -> Number:
        """A number, a group in brackets, a fraction, a root, pi or a binomial."""
        if depth > MAX_DEPTH:
            raise Unreadable
        kind, token = self.kind, self.token
        if kind == "number":
            self.advance()
            if self.kind == "number" or (self.kind == "vulgar" and self.gap):
                raise Unreadable
            value = self._number(token)
            if self.kind == "vulgar":
                value = value + VULGAR[self.token]
                self.advance()
            return value
        if kind == "vulgar":
            self.advance()
            return VULGAR[token]
        if token in _CLOSING:
            return self.group(depth)
        if token == "\\frac":
            self.advance()
            top = self.argument(depth)
            self.division = self.operators = True
            return quotient(top, self.argument(depth))
        if token == "sqrt":
            self.advance()
            if self.token == "[":
                raise Unreadable
            self.operators = True
            return self.root(self.argument(depth) if self.token == "{" else self.atom(depth + 1))
        if token == "pi" and self.real:
            self.advance()
            return Fraction(math.pi)
        if token in ("binom", "C"):
            return self.binomial(depth)
        raise Unreadable

    def root(self, value: Number) -> Number:
        """The square root: exact, or in double precision where `real` allows it."""
        if value < 0:
            raise Unreadable
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return _whole(Fraction(top, bottom))
        if not self.real:
            raise Unreadable
        return Fraction(math.sqrt(value))

    def group(self, depth: int) -> Number:
        """A sum in brackets."""
        closing = _CLOSING[self.token]
        self.advance()
        value = self.sum(depth + 1)
        if self.token != closing:
            raise Unreadable
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
        raise Unreadable

    def binomial(self, depth: int) -> Number:
        """``binom{n}{k}`` or ``C(n, k)``, for n up to 500."""
        self.operators = True
        self.advance()
        if self.token == "{":
            n, k = self.group(depth), self.group(depth) if self.token == "{" else None
        elif self.token == "(":
            self.advance()
            n = self.sum(depth + 1)
            if self.token != ",":
                raise Unreadable
            self.advance()
            k = self.sum(depth + 1)
            if self.token != ")":
                raise Unreadable
            self.advance()
        else:
            raise Unreadable
        if not isinstance(n, int) or not isinstance(k, int) or not 0 <= n <= 500 or k < 0:
            raise Unreadable
        return math.comb(n, k)

    def _number(self, token: str) -> Number:
        digits = token.replace("{,}", "").replace("\\,", "").replace(",\\!", "").replace(",", "")
        if len(digits) > 60:
            raise Unreadable
        whole, point, decimals = digits.partition(".")
        if not point:
            return int(whole)
        self.decimals = max(self.decimals, len(decimals))
        return _whole(Fraction(int(whole + decimals), 10 ** len(decimals)))


def _whole(value: Number) -> Number:
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def quotient(top: Number, bottom: Number) -> Number:
    """The exact quotient, as an int where it is whole. Raises ZeroDivisionError."""
    return _whole(Fraction(top) / Fraction(bottom))


def _bounded(value: Number) -> Number:
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise Unreadable
    return _whole(value)


def _power(base: Number, exponent: Number) -> Number:
    if not isinstance(exponent, int):
        raise Unreadable
    bits = base.numerator.bit_length() + base.denominator.bit_length()
    if abs(exponent) * bits > MAX_BITS:
        raise Unreadable
    return _whole(Fraction(base) ** exponent)
