"""Other readings of a claim's signs and digits, under which it is true or says something else.

In: the two sides as written, and their values. Out: whether another reading explains the difference. Each
function answers for one kind. They run only for claims that would otherwise be called false.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from dlcot_ray.core.arithmetic.terms import other_terms
from dlcot_ray.core.evidence.expression import Value, evaluate

_RANGE = re.compile(r"[({\[$]*\d+[)$]*\s?-\s?[($]*\d+[)}\]$]*")
_RANGE_TO = re.compile(r"[({\[$]*\d+-(?=\d)")
_MIXED_FACTOR = re.compile(r"[*×·⋅]\s?[\d,]+ \+ \d+/\d+[\s$]*$")
_TEN_TO = re.compile(r"10(?:\^|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])")
_LEADING_ZERO = re.compile(r"(?<![\d.,])0\d")
_OPEN_ROOT = re.compile(r"\^\d+/\d|(?:√|\\?sqrt)\s?\d+\s?[-+*/^]")
_LABELS = re.compile(r"(?:\d\s?[*×·]?\s?)?[(\[]\d{1,2}[)\]]\s?[-+]\s?(?:\d\s?[*×·]?\s?)?[(\[]?\d{1,2}[)\]]?")
_MEASURED = re.compile(r"[($\s]*\d*\.\d+\s?[-−]\s?\d*\.\d+[)$\s]*")
_SCORE = re.compile(r"[\s$]*([\d.]+)\s?/\s?\d+[\s$]*")
_LABEL = re.compile(r"[(\s$]*\d{1,2}\)?\s*[-–:.]\s+")
_POWER = re.compile(r"\^|\*\*|[²³⁴⁵⁶⁷⁸⁹⁰¹⁻]")
_PURE_POWER = re.compile(r"[\s$(]*\d+[\s)]*(?:(?:\^|\*\*)[\s{(]*-?\d+[\s)}]*|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)[\s$]*")
_SCALE = 99
"""From this ratio on, the two sides do not count as a miscalculation: they may be cents and dollars, numbers in
thousands, cut digits, percentages, or a residue of a large power."""
_PLAIN_BITS = 64
"""Largest number that people usually calculate with."""
_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
_GROUPED = re.compile(r"(?:[^\d.]|(?<![\d.])\d{1,3}(?:\.\d{3})*(?![\d.]))*")
"""Text whose points could all separate thousands."""
_BINARY = re.compile(r"(?<=[\d)}\s])[-+*/×·÷−^]|\\(?:cdot|times)(?![a-z])")
_SIGN = {"×": "*", "·": "*", "\\times": "*", "\\cdot": "*", "÷": "/"}
_SIGNS = re.compile(r"[×·÷]|\\times|\\cdot")
_FACTORS = re.compile(r"(?P<first>[\d.,]+)(?P<sign>[-+*/^])(?P<last>[\d.,{}]+)")
_DECIMAL = re.compile(r"(?<![\d.])\d*\.\d+")
_WHOLE = re.compile(r"(?<![\d.,])\d+(?![\d.,]*\d)")
_RAISED = re.compile(r"(?<![\d.,])(\d+)([23])(?![\d.,]*\d)")
_MIXED = re.compile(r"(?<![\d.,])(\d)(\d)/(\d)(?!\d)")
_PROPER = re.compile(r"(?<![\d.,])\d(\d)/(\d)(?!\d)")
_XOR = re.compile(r"\s*(\d{1,9})\s*\^\s*(\d{1,9})\s*")
_SLASHES = 6
"""Division signs of a side that are tried as the line of a fraction."""
_LARGEST_SLACK = Fraction(3, 100)
_QUOTIENT_SLACK = Fraction(1, 500)
"""Relative gap that rounding a quotient to a whole number may leave."""
_MANY_DIGITS = 10**6
"""Share of a sum that rounding one of its long numbers may change, at most."""
_CUT_DIGITS = re.compile(r"\d{4},?000(?![\d.])|\d,\d{3},000(?![\d.])")
_ROUND_DIGITS = 3
"""Zeros that a rounded whole number ends with, and digits before them, at least."""


def other_reading(left: str, right: str, a: Value, b: Value) -> bool:
    """Whether the signs mean something else than one equation between the two sides."""
    return (
        _is_range(left, a, b)
        or _is_difference(left, a, b)
        or _is_score(right, a)
        or _is_label(left, b)
        or _runs_on(left, right, a, b)
        or _is_scaled(left, a, b)
        or _is_residue(left, right, a, b)
        or _is_rounded(left, right, a, b)
        or _lost_notation(left, right, a, b)
        or _other_digits(left, right, a, b)
        or _works_on_a_part(left, right)
        or other_terms(left, right, a, b)
    )


def holds_in_base(left: str, right: str, base: int) -> bool:
    """Whether a claim is true if all its whole numbers are written in `base`."""
    if "." in left + right:
        return False
    try:
        sides = [_WHOLE.sub(lambda m: str(int(m[0], base)), side) for side in (left, right)]
    except ValueError:
        return False
    one, other = evaluate(sides[0]), evaluate(sides[1])
    return one is not None and other is not None and one.number == other.number


def _is_range(left: str, a: Value, b: Value) -> bool:
    """``10-19 = 10 numbers``, and ``1-2^3-1 = 7`` as a range up to 7."""
    if _RANGE.fullmatch(left) and a.number <= 0 < b.number:
        return True
    span = _RANGE_TO.match(left)
    return span is not None and _equals(left[span.end() :], b)


def _is_difference(left: str, a: Value, b: Value) -> bool:
    """``2.1 - 2.4 = 0.3``: the difference of two measured values, without its sign."""
    return a.number == -b.number and _MEASURED.fullmatch(left) is not None


def _is_score(right: str, a: Value) -> bool:
    """``3 + 2.5 = 5.5/10``: points out of ten."""
    score = _SCORE.fullmatch(right)
    return score is not None and _equals(score[1], a)


def _is_label(left: str, b: Value) -> bool:
    """``2 - 3*4 = 12`` as the second of a list, ``-3+5 = 8`` with a bullet, ``(1) + (2)`` as equations."""
    if _LABELS.fullmatch(left):
        return True
    label = _LABEL.match(left)
    if label is not None and _equals(left[label.end() :], b):
        return True
    return left[:1] in "-−" and _equals(left[1:].lstrip(), b)


def _runs_on(left: str, right: str, a: Value, b: Value) -> bool:
    """``5*3 = 15 + 2 = 17`` and ``204 + 25*12 = 300 + 8``: one side begins or ends with the other."""
    last, head = evaluate(re.split(r"[-+]", left)[-1]), evaluate(re.split(r"[-+]", right)[0])
    if last and head and last.operators and last.number == head.number:
        return True
    if _MIXED_FACTOR.search(left):
        return True
    if not b.operators:
        return False
    for side, other in ((right, a), (left, b)):
        heads = (evaluate(side[: operator.start()]) for operator in _BINARY.finditer(side))
        if any(head is not None and head.number == other.number for head in heads):
            return True
    return False


def _is_scaled(left: str, a: Value, b: Value) -> bool:
    """Units, thousands or digits were left out, or powers of ten wait for the end of the chain."""
    ratio = ratio_of(a, b)
    if ratio >= _SCALE:
        return True
    return bool(_TEN_TO.search(left)) and b.operators and _is_power_of_ten(ratio)


def _is_residue(left: str, right: str, a: Value, b: Value) -> bool:
    """``7^4 = 1`` lists last digits or residues, ``5^2 + 12^2 = 13`` leaves out a root.

    Between powers as large as in ``6^41 = 6^-1`` stands a modulus that was named before.
    """
    if not _POWER.search(left):
        return False
    if b.number * b.number == a.number or _OPEN_ROOT.search(left):
        return True
    if "^" in left and "^" in right and max(_bits(a), _bits(b)) > _PLAIN_BITS:
        return True
    if b.number.denominator != 1 or b.number < 0:
        return False
    pure = _PURE_POWER.fullmatch(left) is not None
    if a.number.denominator != 1:
        return pure
    if b.number % 10 and b.number * 2 < a.number and (a.number - b.number) % 10 == 0:
        return True
    return b.number * 10 < a.number and b.number < 10**6 and pure


def _is_rounded(left: str, right: str, a: Value, b: Value) -> bool:
    """The numbers may be rounded ones: factors with few decimals, round results, whole quotients."""
    gap, size = abs(Fraction(a.number) - b.number), abs(Fraction(a.number))
    if not size:
        return False
    if b.operators and _CUT_DIGITS.search(right) and gap * _MANY_DIGITS <= size:
        return True
    slack = _slack(left) + (_slack(right) if b.operators else 0)
    if slack and gap <= size * min(slack, _LARGEST_SLACK):
        return True
    if a.division and not b.operators and b.number.denominator == 1 and gap <= size * _QUOTIENT_SLACK:
        return True
    if b.number.denominator != 1 or not b.number:
        return False
    digits = str(abs(int(b.number)))
    zeros = len(digits) - len(digits.rstrip("0"))
    return zeros >= _ROUND_DIGITS and len(digits) - zeros >= _ROUND_DIGITS and gap * 2 <= 10**zeros


def _slack(side: str) -> Fraction:
    """How much a product can move, as a share, if its decimals are rounded; 0 for a sum."""
    bare = re.sub(r"\^\s*\{?\s*[-−]|[*/×·(]\s*[-−]", "", side).lstrip("-−( $")
    if re.search(r"[+−]|-", bare):
        return Fraction(0)
    share = Fraction(0)
    for number in _DECIMAL.findall(bare):
        value = Fraction(number if number[0] != "." else f"0{number}")
        if value:
            share += Fraction(1, 2 * 10 ** len(number.partition(".")[2])) / value
    return share


def _lost_notation(left: str, right: str, a: Value, b: Value) -> bool:
    """A fraction line, an exponent or the sign of a mixed number was lost when the text was flattened.

    ``8 - 2 / (1 + 2) = 2``, ``32 + 42 = 25`` and ``21/2 + 11/2 = 4``; also ``√16+9``, ``27^2/3``.
    """
    if _OPEN_ROOT.search(left):
        return True
    lefts, rights = set(_fractions(left)), set(_fractions(right))
    if b.number in lefts or a.number in rights or lefts & rights:
        return True
    if "^" not in left and _equals(_RAISED.sub(r"\1^\2", left), b):
        return True
    return _equals(_MIXED.sub(r"(\1+\2/\3)", left), b) and all(m[1] < m[2] for m in _PROPER.finditer(left))


def _fractions(side: str) -> Iterator[Fraction]:
    """Values of a side if one of its slashes divides all that stands before it, or by all that follows."""
    slashes = [m.start() for m in re.finditer(r"[/÷]", side)][:_SLASHES]
    for at in slashes:
        before, after = side[:at], side[at + 1 :]
        for form in (f"({before})/({after})", f"({before})/{after}", f"{before}/({after})"):
            value = evaluate(form.replace("$", ""))
            if value is not None:
                yield Fraction(value.number)


def _other_digits(left: str, right: str, a: Value, b: Value) -> bool:
    """Binary or octal digits, joined digits (``1 + 2 = 12``), exclusive or, and commas that separate."""
    if "." in left and _GROUPED.fullmatch(left + " " + right) and _without_points_holds(left, right):
        return True
    if "0" in left + right and _LEADING_ZERO.search(left + " " + right):
        return True
    if "," in left + right and _THOUSANDS.search(left + " " + right):
        first, last = evaluate(left.rsplit(",", 1)[-1]), evaluate(right.split(",", 1)[0])
        if (first or a).number == (last or b).number:
            return True
    if b.operators:
        return False
    if a.division and not b.number:
        return True
    if (sides := _XOR.fullmatch(left)) and int(sides[1]) ^ int(sides[2]) == b.number:
        return True
    if "".join(_WHOLE.findall(left)) == right.strip(" $"):
        return True
    return isinstance(a.number, int) and right in (f"{a.number:b}", f"{a.number:o}")


def _works_on_a_part(left: str, right: str) -> bool:
    """``61+109+39 = 61+109`` and ``12*108 = 12*100``: the right side is a part of the left one."""
    flat_left, flat_right = (re.sub(r"[\s()$]|\\left|\\right", "", side) for side in (left, right))
    flat_left, flat_right = (_SIGNS.sub(lambda m: _SIGN[m[0]], side) for side in (flat_left, flat_right))
    if not re.search(r"\D", flat_right.strip("-")):
        return False
    if flat_left.startswith(flat_right):
        return True
    factors = _FACTORS.fullmatch(flat_left), _FACTORS.fullmatch(flat_right)
    if not factors[0] or not factors[1]:
        return False
    if factors[0]["sign"] == "/" and factors[0]["last"] == factors[1]["last"]:
        return True
    return factors[0]["sign"] == factors[1]["sign"] and factors[0]["first"] == factors[1]["first"]


def _without_points_holds(left: str, right: str) -> bool:
    """Whether a claim is true if its points separate thousands."""
    a, b = evaluate(left.replace(".", "")), evaluate(right.replace(".", ""))
    return a is not None and b is not None and a.number == b.number


def ratio_of(a: Value, b: Value) -> Fraction:
    """The larger absolute value divided by the smaller one; 0 if one of them is 0."""
    if not a.number or not b.number:
        return Fraction(0)
    ratio = abs(Fraction(a.number) / Fraction(b.number))
    return max(ratio, 1 / ratio)


def _is_power_of_ten(ratio: Fraction) -> bool:
    return ratio.denominator == 1 and str(ratio.numerator).strip("0") == "1"


def _equals(text: str, value: Value) -> bool:
    found = evaluate(text)
    return found is not None and found.number == value.number


def _bits(value: Value) -> int:
    return max(value.number.numerator.bit_length(), value.number.denominator.bit_length())
