"""What stands around a numeric claim: attachments, hypotheses, and other readings of its signs.

In: a text and the place of a claim. Out: whether one of them explains the claim. Each function answers one
question that saves `arithmetic.py` from a false alarm. They run only for claims that would otherwise be
called false, so they may look at much text.
"""

from __future__ import annotations

import re
from fractions import Fraction

from dlcot_ray.core.evidence.expression import Value, evaluate

_OPERATOR_WORDS = re.compile(
    r"times|plus|minus|over|by|of|mod|modulo|twice|half|double|triple|root|squared|cubed|log|ln|sin|cos|tan|sec|csc|cot|"
    r"exp|max|min|gcd|lcm|floor|ceil|det|base|choose|sum|product|per|than|divided|multiplied|and|or|to|between|from|"
    r"sqrt|frac|pm|mp|degrees?|rows?|columns?|steps?|cases?|days?|levels?|index|indices|positions?|numbers?|equations?|lines?|bits?|digits?",
    re.IGNORECASE,
)
_AFTER_WORDS = re.compile(
    r"mod|modulo|base|remainder|times|plus|minus|divided|over|squared|cubed|factorial|percent|million|billion|thousand|"
    r"hundred|dozen|choose|multiplied|rem|approx|approximately|roughly|[b-zB-Z]",
    re.IGNORECASE,
)
_ATTACHED_AFTER = re.compile(
    r"[A-Za-z\d_|≡≠°′'^²³]|\s*[≡≠|_^]|\s*\\(?!text|mathrm|quad|qquad|Rightarrow|implies|checkmark|end|\\|newline|[)\]])"
    r"|\s+[a-zA-Zα-ω](?![\w'])|:\s?-?\d|\s*(?:…|\.\.)"
)
_WORD_AFTER = re.compile(r"[\s$*)\]}]*(?:\\text\{\s*|\\mathrm\{\s*|\()?([A-Za-z]+)")
_MIXED_UNITS = re.compile(r"[ $]*[A-Za-z]+,? (?:and )?\$?\d")
"""``= 1 hour 15 minutes``"""
_WORD_BEFORE = re.compile(r"(\\?)([A-Za-z]+)[:,]?$")
_HEDGE_BEFORE = re.compile(
    r"\b(?:if|suppos\w+|assum\w+|imagine|pretend|say|would|could|might|were|claim\w*|wrong\w*|incorrect\w*|mistake\w*|"
    r"instead|not|never|cannot|versus|vs|contradict\w*|impossible|try|guess|test|need|want|require\w*|should|must|"
    r"such that|so that|whether|unless|hypothe\w+|does|did|could|can|maybe|perhaps|check if|see if|approximat\w+|about|roughly|around|"
    r"nearest|round\w*|estimate\w*|operation|define\w*|digits?|concatenat\w+|like|"
    r"puzzle\w*|riddle\w*|patterns?|often|common(?:ly)?)\b|n't\b|[≠?⊕★◊]",
    re.IGNORECASE,
)
_HEDGE_AFTER = re.compile(
    r"(?:[\s$*)\]}.,;:—–-]|\\[\])])*(?:(?:which|that|this|but|so|and|it)(?:'s|\b)\W*){0,3}(?:(?:is|was|are|would be|seems|looks)\W+)?(?:also\W+)?"
    r"(?:no\b|not\b(?! (?:zero|0|an?|prime|divisible)\b)|isn't|doesn't|don't|does not|do not|didn't|can't|cannot|false|wrong|incorrect|impossible|invalid|"
    r"a contradiction|contradict|fails?\b|too (?:big|small|high|low|large|much|many)|≠|✗|✘|❌|off by|carry|borrow|write|"
    r"approx|roughly|about|round|\(?mod)|[^.\n?!]{0,120}\?",
    re.IGNORECASE,
)
_OTHER_ARITHMETIC = re.compile(
    r"\b(?:mod|modulo|modular|congruen\w+|base[- ]?(?:\d|two|three|four|five|six|seven|eight|nine|ten|twelve|b\b)|GF ?\(|[ZF]_\{?\d|Z ?/ ?\d|boolean|binary|octal|hex\w*|remainder|rem ?\d*|carry|borrow\w*|clock|"
    r"xor|XOR|matrix|vectors?|cryptarithm\w*|concatenat\w+)|≡|= ?\?|\\mathbb\{?[ZF]\}?[_/]|\\pmod|\\equiv|[a-z] ?\* ?[a-z] ?=",
    re.IGNORECASE,
)
_CALCULATES = re.compile(r"[*×·+^]|\\times|\\cdot| - ")
_STATEMENT_BEFORE = re.compile(
    r"(?:^|[.,:;(\n]\s*|\b(?:so|and|since|because|then|now|therefore|thus|yes|but)\s)\$?$", re.IGNORECASE
)
_STATEMENT_AFTER = re.compile(r"\$?(?:[.,;:)](?:\s|$)|\s*$|\s(?:and|so|which|plus)\b)")
_RANGE = re.compile(r"[({\[$]*\d+[)$]*\s?-\s?[($]*\d+[)}\]$]*")
_RANGE_TO = re.compile(r"[({\[$]*\d+-(?=\d)")
_MIXED_FACTOR = re.compile(r"[*×·⋅]\s?[\d,]+ \+ \d+/\d+[\s$]*$")
_QUOTIENT = re.compile(r"[$\s]*\([^()]*\)\s?/")
_UNBRACKETED = re.compile(r"^[^()]*[-+][^()]*/[^()]*$")
_TEN_TO = re.compile(r"10(?:\^|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])")
_LEADING_ZERO = re.compile(r"(?<![\d.,])0\d")
_OPEN_ROOT = re.compile(r"\^\d+/\d|(?:√|\\?sqrt)\s?\d+\s?[-+*/^]")
_LABELS = re.compile(r"(?:\d\s?[*×·]?\s?)?[(\[]\d{1,2}[)\]]\s?[-+]\s?(?:\d\s?[*×·]?\s?)?[(\[]?\d{1,2}[)\]]?")
_CALENDAR = re.compile(r"\b(?:(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day|o'clock|[ap]\.?m)\b")
_POWER = re.compile(r"\^|\*\*|[²³⁴⁵⁶⁷⁸⁹⁰¹⁻]")
_PURE_POWER = re.compile(r"[\s$(]*\d+[\s)]*(?:(?:\^|\*\*)[\s{(]*-?\d+[\s)}]*|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)[\s$]*")
_MODULUS = re.compile(
    r"(?:\bmod(?:ulo|ulus)?|\\[bp]?mod)[\s{(is]*(\d{1,6})|\b(?:unit'?s?'?|ones?'?|last|final)[- ](two|three)?[- ]?digit",
    re.IGNORECASE,
)
_ABSURD = re.compile(
    r"\b(?:equation|this|that|which|it)(?:'s| is) (?:not (?:possible|true)|impossible|false|absurd|a contradiction)|\bcontradict",
    re.IGNORECASE,
)
_ABSURDITY = re.compile(
    r"(?<![-+*/^=×·.,\w(){}])(?<![-+*/^=×·.,)}]\s)(\d{1,9})\s?=\s?(\d{1,9})(?![\d.,]*\d|\s?[-+*/^×·\\%(a-zA-Z])"
)
"""``7 = 10``: the evaluated form of an equation that is being tested."""
_LAST = {"two": 100, "three": 1000}
_BROKEN_OFF = re.compile(r",(?:  |\s\(?wait\b|\s\d*\s?-?something)", re.IGNORECASE)
_REFUTED = re.compile(
    r"(?:[\s$]|\\[\])])*(?!=)[^\n=]{0,8}(?:\\implies|\\[Rr]ightarrow|⟹|⇒|=>|→)[^\n]{0,200}?(?:≠|\\neq?(?![a-z]))"
    r"|(?:[\s$.,;:]|\\[\])])*(?!=)[^.\n=]{0,60}\b(?:not a solution|no solution|(?:doesn't|does not|don't|do not) (?:work|hold|satisfy|match|equal))"
)
_SCALE = 100
"""From this ratio on, the two sides do not count as a miscalculation: they may be cents and dollars, numbers in
thousands, cut digits, or a residue of a large power."""
_PLAIN_BITS = 64
"""Largest number that people usually calculate with."""
_THOUSANDS = re.compile(r"\d,\d{3}(?!\d)")
_BINARY = re.compile(r"(?<=[\d)}\s])[-+*/×·÷−^]|\\(?:cdot|times)(?![a-z])")
_SIGN = {"×": "*", "·": "*", "\\times": "*", "\\cdot": "*", "÷": "/"}
_SIGNS = re.compile(r"[×·÷]|\\times|\\cdot")
_FACTORS = re.compile(r"(?P<first>[\d.,]+)(?P<sign>[-+*/^])(?P<last>[\d.,{}]+)")
_CONVERSIONS = frozenset({7, 12, 16, 24, 25, 30, 36, 52, 60, 100, 365, 1000, 1440, 3600, 5280})


def free_before(text: str, run_start: int, first: int) -> bool:
    """Whether the text before an expression is not part of it."""
    if run_start == 0 or text[run_start - 1] == "\n":
        return True
    char = text[run_start - 1]
    gap = first > run_start
    if not char.isalnum():
        return char not in "_|^\\~@#±∓∑∏∫∠△°'≡)]}"
    if not gap or char.isdigit():
        return False
    word = _WORD_BEFORE.search(text, max(0, run_start - 24), run_start)
    if word is None or len(word[2]) == 1:
        return False
    if word[1]:
        return word[2] in ("quad", "qquad", "implies", "Rightarrow", "to", "therefore")
    return not operator_word(word[2])


def operator_word(word: str) -> bool:
    """Whether a word before a number works on it or labels it, such as ``times``, ``of``, ``step``."""
    return _OPERATOR_WORDS.fullmatch(word) is not None


def free_after(text: str, at: int, stop: int) -> bool:
    """Whether the text after an expression is not part of it; it ends at `stop`, its white space at `at`."""
    # A word after a space is usually the counted thing ("= 58 apples"); other cases are tested below.
    if _ATTACHED_AFTER.match(text, stop if text[at : at + 1].isalpha() else at):
        return False
    if _MIXED_UNITS.match(text, stop):
        return False
    word = _WORD_AFTER.match(text, stop)
    return word is None or _AFTER_WORDS.fullmatch(word[1]) is None


def plain_statement(text: str, start: int, stop: int, end: int) -> bool:
    """``3*4 is 12`` is a claim only as a plain statement; "the value at x = 1/2 is 5" is none.

    The left side is ``text[start:stop]``, the right side ends at `end`.
    """
    return (
        _CALCULATES.search(text, start, stop) is not None
        and _STATEMENT_BEFORE.search(text[max(0, start - 16) : start]) is not None
        and _STATEMENT_AFTER.match(text[end : end + 8]) is not None
    )


def other_reading(left: str, right: str, a: Value, b: Value) -> bool:
    """Whether the signs mean something else than one equation between the two sides.

    ``5*3 = 15 + 2 = 17`` and ``204 + 25*12 = 300 + 8`` run on; ``61+109+39 = 61+109 = 170`` and ``12*108 = 12*100 = 1200`` work on a part;
    ``10-19 = 10 numbers`` is a range; ``103/8 = 12*8 = 96 rem 7`` divides with a remainder; in
    ``24*6+1,169 = 24*7+1`` the comma separates; ``448+31 = 111011111`` changes the base; ``1-2^3-1 = 7`` is a
    range up to 7; ``9/2 = 0`` is whole division or a bit; ``13*1,538 + 6/13`` has a mixed number; in ``(98+28)/(21-14) = 98+28 / 7`` brackets went, in
    ``4.1×10^-15 * 3×10^8 = 4.1*3`` powers of ten wait for the end of the chain; ``7^4 = 1`` lists last digits or
    residues; ``5^2 + 12^2 = 13`` leaves out a root, ``√16+9`` and ``27^2/3`` do not say how far root or exponent reach;
    ``(1) + (2)`` adds equations; ``0110`` is binary; where one side is a hundred times the other, units, thousands or digits were left out; between powers as large as in ``6^41 = 6^-1`` stands a modulus that was named before.
    """
    if _RANGE.fullmatch(left) and a.number <= 0 < b.number:
        return True
    if (span := _RANGE_TO.match(left)) and (end := evaluate(left[span.end() :])) and end.number == b.number:
        return True
    last, head = evaluate(re.split(r"[-+]", left)[-1]), evaluate(re.split(r"[-+]", right)[0])
    if last and head and last.operators and last.number == head.number:
        return True
    if _MIXED_FACTOR.search(left) or (_QUOTIENT.match(left) and _UNBRACKETED.search(right)):
        return True
    if _ratio(a, b) >= _SCALE or (_TEN_TO.search(left) and b.operators and _is_power_of_ten(a, b)):
        return True
    if _POWER.search(left) and (_maybe_residue(left, a, b) or b.number * b.number == a.number):
        return True
    if _OPEN_ROOT.search(left) or _LABELS.fullmatch(left):
        return True
    if "0" in left + right and _LEADING_ZERO.search(left + " " + right):
        return True
    if "^" in left and "^" in right and max(_bits(a), _bits(b)) > _PLAIN_BITS:
        return True
    if "," in left + right and _THOUSANDS.search(left + " " + right):
        first, last = evaluate(left.rsplit(",", 1)[-1]), evaluate(right.split(",", 1)[0])
        if (first or a).number == (last or b).number:
            return True
    if not b.operators:
        if a.division and not b.number:
            return True
        return isinstance(a.number, int) and right in (f"{a.number:b}", f"{a.number:o}")
    for side, other in ((right, a), (left, b)):
        heads = (evaluate(side[: operator.start()]) for operator in _BINARY.finditer(side))
        if any(head is not None and head.number == other.number for head in heads):
            return True
    flat_left, flat_right = (re.sub(r"[\s()$]|\\left|\\right", "", side) for side in (left, right))
    flat_left, flat_right = (_SIGNS.sub(lambda m: _SIGN[m[0]], side) for side in (flat_left, flat_right))
    if flat_left.startswith(flat_right):
        return True
    factors = _FACTORS.fullmatch(flat_left), _FACTORS.fullmatch(flat_right)
    if factors[0] and factors[1]:
        if factors[0]["sign"] == "/" and factors[0]["last"] == factors[1]["last"]:
            return True
        return factors[0]["sign"] == factors[1]["sign"] and factors[0]["first"] == factors[1]["first"]
    return False


def _ratio(a: Value, b: Value) -> Fraction:
    """The larger absolute value divided by the smaller one; 0 if one of them is 0."""
    if not a.number or not b.number:
        return Fraction(0)
    ratio = abs(Fraction(a.number) / Fraction(b.number))
    return max(ratio, 1 / ratio)


def _is_power_of_ten(a: Value, b: Value) -> bool:
    ratio = _ratio(a, b)
    return ratio.denominator == 1 and str(ratio.numerator).strip("0") == "1"


def _maybe_residue(left: str, a: Value, b: Value) -> bool:
    """Whether powers are listed by their last digits or residues, as in ``7^4 = 1``, or ``3^-1 = 5``."""
    if b.number.denominator != 1 or b.number < 0:
        return False
    if a.number.denominator != 1:
        return _PURE_POWER.fullmatch(left) is not None
    if b.number % 10 and b.number * 2 < a.number and (a.number - b.number) % 10 == 0:
        return True
    return b.number * 10 < a.number and b.number < 10**6 and _PURE_POWER.fullmatch(left) is not None


def denied(after: str) -> bool:
    """Whether the text after a claim denies it, as in "..., which is not true"."""
    return _HEDGE_AFTER.match(after) is not None


def residue_of(before: str, left: str, right: str) -> bool:
    """Whether two different sides are equal modulo a number (or in the last digit) that `before` mentions."""
    a, b = evaluate(left), evaluate(right)
    if a is None or b is None or a.number.denominator != 1 or b.number.denominator != 1:
        return False
    moduli = (int(named[1] or _LAST.get((named[2] or "").lower(), 10)) for named in _MODULUS.finditer(before))
    return any(m > 1 and 0 <= b.number < m * m and (a.number - b.number) % m == 0 for m in moduli)


def _bits(value: Value) -> int:
    return max(value.number.numerator.bit_length(), value.number.denominator.bit_length())


def hedged(text: str, start: int, stop: int, a: Value, b: Value) -> bool:
    """Whether the claim at `[start, stop)` is a question, a supposition, denied, a conversion, or modular."""
    near = max(0, start - 120)
    sentence = max(near, *(text.rfind(mark, near, start) + 1 for mark in (". ", "\n", "! ", "? ")))
    if _HEDGE_BEFORE.search(text, sentence, start) or _HEDGE_AFTER.match(text, stop):
        return True
    if _REFUTED.match(text, stop) or _ABSURD.search(text, stop, stop + 120):
        return True
    if any(sides[1] != sides[2] for sides in _ABSURDITY.finditer(text, stop, stop + 80)):
        return True
    if _OTHER_ARITHMETIC.search(text, max(0, start - 400), min(len(text), stop + 120)):
        return True
    if not a.number or not b.number:
        return False
    gap = a.number - b.number
    if (gap % 7 == 0 or gap % 12 == 0) and _CALENDAR.search(text, near, stop + 40):
        return True
    counted = _WORD_AFTER.match(text, stop) is not None
    if counted and a.division and -1 < gap < 1 and gap.denominator != 1 and b.number.denominator == 1:
        # The whole part of a quotient: ``17/5 = 3 full boxes``.
        return True
    ratio = _ratio(a, b)
    if ratio >= 10 and _BROKEN_OFF.match(text, stop):
        return True
    return ratio in _CONVERSIONS and counted
