"""Numeric claims in words: ``12 times 17 is 204``, ``20% of 50 is 10``, ``5 squared is 25``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from dlcot_ray.core.arithmetic.claims import ArithmeticClaim, compare, spell
from dlcot_ray.core.arithmetic.suppositions import hedged
from dlcot_ray.core.arithmetic.surroundings import (
    operator_word,
)
from dlcot_ray.core.evidence.expression import Value, evaluate

_WORD_BEFORE = re.compile(r"[A-Za-z]+$")
_WORDED = re.compile(
    r"(?<![\w.,/*+^=%)$×√-])(?<!\d )\$?(?P<a>\d[\d,]*(?:\.\d+)?)(?P<op> times | plus | minus | divided by | multiplied by "
    r"| squared| cubed|\\?% of | percent of )\$?(?P<b>\d[\d,]*(?:\.\d+)?)?"
    r"\s?(?:is|=|equals|gives|makes)\s\$?(?P<r>\d[\d,]*(?:\.\d+)?)(?![\w%^*/°√]|[,.]\d|,\s\d|(?<=,)\s\d|\s?[-*/^×·+%=−]|\s(?:and|more|less|fewer|point|times|plus|minus|mod|squared|cubed|divided|multiplied|percent|hundred|thousand|million|to the)\b)"
)
_WORD_OPERATORS = {"times": "*", "multiplied by": "*", "plus": "+", "minus": "-", "divided by": "/"}


def worded(text: str) -> Iterator[ArithmeticClaim]:
    """``12 times 17 is 204``, ``20% of 50 is 10``, ``5 squared is 25``."""
    for match in _WORDED.finditer(text):
        operator = match["op"].strip(" \\")
        a, r = evaluate(match["a"].rstrip(",")), evaluate(match["r"].rstrip(","))
        b = evaluate((match["b"] or "1").rstrip(","))
        unary = operator in ("squared", "cubed")
        if a is None or b is None or r is None or unary == (match["b"] is not None):
            continue
        sign = _WORD_OPERATORS.get(operator)
        if unary:
            expected = Fraction(a.number) ** (2 if operator == "squared" else 3)
        elif sign is None:
            expected = Fraction(a.number) * b.number / 100
        else:
            exact = evaluate(f"{match['a']} {sign} {match['b']}")
            if exact is None:
                continue
            expected = Fraction(exact.number)
        start, left_stop = match.start(), match.end("b") if match["b"] else match.end("op")
        written = match["r"].rstrip(",")
        stop = match.start("r") + len(written)
        value = Value(expected, True, max(a.decimals, b.decimals), sign == "/", False, False)
        holds = compare(value, r, False)
        if holds is False:
            before = text[max(0, start - 24) : start].rstrip(" $")
            word = _WORD_BEFORE.search(before)
            if (
                before.endswith(tuple("-+*/^×·÷−<>≤≥"))
                or (word is not None and operator_word(word[0]))
                or hedged(text, start, stop, value, r)
            ):
                holds = None
        yield ArithmeticClaim(start, stop, text[start:left_stop], written, holds, spell(expected, r))
