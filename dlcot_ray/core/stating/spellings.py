"""The spellings of an answer that only the problem's options or a rounding make equal.

In: an answer, a reference, the options of the problem. Out: spellings of the reference, and a comparison with
one of them. The letter of an option stands for its text and the text for its letter: "B", "(B) 24" and "24"
are one answer where option B is 24. A letter is compared with letters only, so a letter never counts as a
wrong value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from dlcot_ray.core.comparison.answer import read_answer
from dlcot_ray.core.comparison.numbers import as_rational
from dlcot_ray.core.comparison.units import split_measure
from dlcot_ray.core.evidence.equivalence import quick_equivalent

ROUNDED = Fraction(1, 200)
"""Relative difference below which two decimals count as roundings of one quantity."""

_LETTER = re.compile(r"\W{0,40}(?:\\(?:text|textbf|mathrm|mathbf|boxed)\s?\{)?\W{0,40}([A-J])\W{0,40}")
_LETTER_AND_TEXT = re.compile(
    r"\W*(?:\\(?:text|textbf|mathrm|mathbf)\s?\{)?\s?(?:\(([A-J])\)|([A-J])[.):])\s?\}?[\s:~\\]*(?=\S)(.*\w.*)",
    re.DOTALL,
)
_TIMES = re.compile(r"(?<=\d)\s?[x×]\s?(?=10\s?\^)")
_UNIT = re.compile(r"(?:\\[, ]|\s){0,9}\\(?:text|mathrm)\s?\{[^{}]{0,200}\}[\s^\d{}/-]{0,60}$")
_MODULUS = re.compile(r"\s{0,9}(?:\(|\\pmod|\\bmod|\\mod|\bmod(?:ulo)?\b).{1,30}$")
_NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_LIMITS = re.compile(
    r"all real numbers (less|smaller|greater|larger|bigger) than (or equal to )?[\\($\s]*(.+?)[\\)$\s]*",
    re.IGNORECASE,
)
SIGNIFICANT = 2
"""Least number of significant figures of a rounded reference."""

_PLACES = re.compile(r"(?P<value>[-−]?\d+\.(?P<places>\d+))")
_DECIMAL = re.compile(r"\d\.\d|10\s?\^|\de[-+]?\d")


@lru_cache(maxsize=16384)
def letter_of(answer: str) -> str | None:
    """The letter of an option that is given alone, in any brackets or markup."""
    found = _LETTER.fullmatch(answer)
    return found[1] if found else None


def spellings(reference: str, options: Mapping[str, str]) -> tuple[str, ...]:
    """The reference, and the letter or the text of the option that it is."""
    letter, text = letter_of(reference), None
    if letter is None and (both := _LETTER_AND_TEXT.fullmatch(reference)) is not None:
        letter, text = both[1] or both[2], both[3]
    if letter is None:
        named = [name for name, value in options.items() if quick_equivalent(value, reference) is True]
        return (reference, *named[:1])
    text = text or options.get(letter)
    return (letter, text) if text else (letter,)


def compare_spelling(answer: str, accepted: str) -> bool | None:
    """Whether an answer is one spelling of the reference; None where they cannot be compared."""
    both = _LETTER_AND_TEXT.fullmatch(answer)
    letter = both[1] or both[2] if both else letter_of(answer)
    wanted = letter_of(accepted)
    if wanted is not None:
        return None if letter is None else letter == wanted
    if both is not None:
        answer = both[3]
    elif letter is not None:
        return None
    if (word := answer.lower()) in _NUMBERS:
        answer = str(_NUMBERS.index(word))
    elif limits := _LIMITS.fullmatch(answer):
        answer = _interval(*limits.groups())
    if "mod" in answer and "mod" not in accepted:
        answer = _MODULUS.sub("", answer)
    verdict = quick_equivalent(answer, accepted)
    return verdict if verdict is True else _rounded(answer, accepted, verdict)


def _interval(side: str, closed: str | None, bound: str) -> str:
    """Real numbers on one side of a bound, as an interval."""
    low = side.lower() in ("less", "smaller")
    if low:
        return f"(-\\infty, {bound}{']' if closed else ')'}"
    return f"{'[' if closed else '('}{bound}, \\infty)"


def _rounded(answer: str, accepted: str, verdict: bool | None) -> bool | None:
    """Decide decimals of measured quantities by their relative difference."""
    if not _DECIMAL.search(accepted):
        return verdict
    one, other = (as_rational(read_answer(_bare(text)).squeezed) for text in (answer, accepted))
    if one is None or other is None or not other:
        return verdict
    apart = abs(one - other) / abs(other)
    if apart < ROUNDED and ("e" in accepted or "^" in accepted):
        return True
    if apart < 10 * ROUNDED and _rounds_to(answer, accepted):
        return True
    return False if apart > 10 * ROUNDED else verdict


def _bare(text: str) -> str:
    """A value without its unit."""
    plain = plain_power(text)
    measure = split_measure(read_answer(plain).value)
    return plain if measure is None else measure.value


def _rounds_to(answer: str, accepted: str) -> bool:
    """Whether a decimal, rounded to the places of a shorter one of two figures or more, is that one."""
    exact, rounded = (_PLACES.fullmatch(_bare(text).strip("$ ")) for text in (answer, accepted))
    if exact is None or rounded is None:
        return False
    places = len(rounded["places"])
    if len(exact["places"]) <= places or len(rounded["value"].strip("-−0.").replace(".", "")) < SIGNIFICANT:
        return False
    apart = Decimal(exact["value"].replace("−", "-")) - Decimal(rounded["value"].replace("−", "-"))
    return abs(apart) * 2 <= Decimal(1).scaleb(-places)


@lru_cache(maxsize=16384)
def plain_power(answer: str) -> str:
    """A value in figures, without its unit in markup, and with a sign of multiplication that can be read."""
    if (word := answer.lower()) in _NUMBERS:
        return str(_NUMBERS.index(word))
    return _TIMES.sub(r"\\times ", _UNIT.sub("", answer))


def same_text(one: str, other: str) -> bool:
    """Whether two answers are certainly one."""
    return one == other or quick_equivalent(one, other) is True
