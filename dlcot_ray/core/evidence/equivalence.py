"""Cheap comparison of two answers; what it cannot decide is left to a CAS, or is open.

In: two answers as written. Out: an `Outcome`, or the two formulas that a CAS has to compare. Equal and different
are given only where they are certain: equal spellings, numbers, measures, times, numbers in a base, sets and
tuples of numbers, option letters, plain words. So a mistake here cannot flip a label. Most comparisons of a
trace end here, in microseconds instead of milliseconds.

A unit that only one side writes is taken as the unit that the problem asks for: 5 m equals 5. If the bare
value fits after a conversion (2 hours and 120), the outcome is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from dlcot_ray.core.comparison.answer import PROSE_WORD, Reading, read_answer
from dlcot_ray.core.comparison.components import compare_components
from dlcot_ray.core.comparison.forms import (
    compare_bases,
    compare_clocks,
    compare_dates,
    compare_meanings,
    compare_ratios,
)
from dlcot_ray.core.comparison.measures import compare_measures, compare_with_bare
from dlcot_ray.core.comparison.numbers import compare_numbers, is_number
from dlcot_ray.core.comparison.outcome import Outcome
from dlcot_ray.core.comparison.readings import option_of
from dlcot_ray.core.comparison.units import split_measure

MAX_CHARS = 1000
"""A longer answer is prose."""

_OPEN = re.compile(r"(?<![\\A-Za-z{])(?:[a-df-hj-zA-BD-Z](?![A-Za-z]|\(\d)|[θαβγφωλμσ])")
"""A free variable. e and i are excluded as constants, C as a binomial."""
_MAY_CANCEL = re.compile(
    r"(?<!\d)0|\^\{?0|\\(?:sin|cos|tan|cot|sec|csc|log|ln|max|min|lim|sum|int|prod)(?![a-z])|!"
)
_RELATION = re.compile(
    r"[=<>≤≥≈≡∈:]|\\(?:leq?|geq?|ne|in|approx|equiv)(?![a-zA-Z])|(?<![\\A-Za-z])[A-Za-z']{3,}"
)
"""Marks of an answer in which a variable does not prevent a comparison: it names the value or stands in prose."""
_BOX = re.compile(r"\\boxed\s*\{")
_DEGREES = re.compile(r"((?<!\d)\d+(?:\.\d+)?|(?<![A-Za-z\\])[a-z])\s{0,9}°")


def quick_equivalent(answer: str, reference: str) -> bool | None:
    """True or False where certain, None where a CAS is needed or the texts do not tell."""
    found = compare(answer, reference)
    return {Outcome.EQUAL: True, Outcome.DIFFERENT: False}.get(found) if isinstance(found, Outcome) else None


def is_closed(answer: str) -> bool:
    """Whether an answer is one closed number, rational or not: no open expression can equal it."""
    return is_number(read_answer(answer).squeezed)


@lru_cache(maxsize=16384)
def compare(answer: str, reference: str) -> Outcome | tuple[str, str]:
    """Compare two answers; two formulas come back where only a CAS can decide. Raises nothing for any text."""
    if answer.count("\\boxed") > 1 or reference.count("\\boxed") > 1:
        return answer, reference
    if len(answer) > MAX_CHARS or len(reference) > MAX_CHARS:
        return _in_prose(answer, reference)
    a, b = read_answer(answer), read_answer(reference)
    if not a.squeezed or not b.squeezed:
        return Outcome.UNKNOWN if a.squeezed == b.squeezed else Outcome.DIFFERENT
    if a.squeezed == b.squeezed:
        return Outcome.EQUAL
    if a.prose or b.prose:
        return _in_prose(answer, reference)
    for step in _STEPS:
        found = step(a, b)
        if found is not None:
            return found
    return formula_of(a), formula_of(b)


def _in_prose(answer: str, reference: str) -> Outcome | tuple[str, str]:
    """Compare what is boxed; a text without a box is left to the CAS."""
    boxed = boxed_answer(answer), boxed_answer(reference)
    return (answer, reference) if boxed == (answer, reference) else compare(*boxed)


def boxed_answer(text: str) -> str:
    """The content of the only box in a text; the text where there is none."""
    found = _BOX.search(text)
    if found is None:
        return text
    depth = 0
    for at in range(found.end() - 1, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if not depth:
            return text[found.end() : at]
    return text


def formula_of(reading: Reading) -> str:
    """What a CAS reads: no unit, and degrees as radians where they stand in a formula."""
    measure = split_measure(reading.value)
    if "\\begin" in reading.written or (measure is None and PROSE_WORD.search(reading.plain)):
        return reading.written
    text = reading.plain if measure is None or len(measure.parts) > 1 else measure.value
    return _DEGREES.sub(r"\\frac{\1\\pi}{180}", text) if "°" in text else text


Step = Callable[[Reading, Reading], Outcome | tuple[str, str] | None]


def _numbers(a: Reading, b: Reading) -> Outcome | None:
    return compare_numbers(a.squeezed, b.squeezed)


def _options(a: Reading, b: Reading) -> Outcome | tuple[str, str] | None:
    left, right = option_of(a.plain), option_of(b.plain)
    if left is not None and right is not None:
        return Outcome.EQUAL if left.letter == right.letter else Outcome.DIFFERENT
    if left is None and right is None:
        return None
    option, other = (left, b) if left is not None else (right, a)
    if option is None:
        return None
    if option.content:
        return compare(other.plain, option.content)
    return Outcome.DIFFERENT if is_number(other.squeezed) else None


def _measures(a: Reading, b: Reading) -> Outcome | tuple[str, str] | None:
    left, right = split_measure(a.value), split_measure(b.value)
    if left is not None and right is not None:
        return compare_measures(left, right)
    measure, other = (left, b) if left is not None else (right, a)
    if measure is None:
        return None
    if measure.unit.weak and _OPEN.search(other.value):
        # "3 m" may be three metres or a product, if the other answer has variables.
        return a.plain, b.plain
    return compare_with_bare(measure, other.value)


def _folded(a: Reading, b: Reading) -> Outcome | None:
    same = len(a.squeezed) > 1 and a.squeezed.casefold() == b.squeezed.casefold()
    return Outcome.EQUAL if same else None


def _gaps(a: Reading, b: Reading) -> Outcome | None:
    """Two numbers side by side, and double factorials, are read by nobody the same way."""
    if "!!" in a.squeezed or "!!" in b.squeezed:
        return Outcome.UNKNOWN
    return Outcome.UNKNOWN if (" " in a.squeezed) != (" " in b.squeezed) else None


def _open_against_closed(a: Reading, b: Reading) -> Outcome | None:
    """A formula with a variable that nothing can cancel is no number."""
    for closed, other in ((b, a), (a, b)):
        if is_number(closed.squeezed) and not _RELATION.search(other.value):
            variables = _OPEN.findall(other.value)
            alone = any(variables.count(name) == 1 for name in variables)
            if alone and not _MAY_CANCEL.search(other.value):
                return Outcome.DIFFERENT
    return None


def _components(a: Reading, b: Reading) -> Outcome | tuple[str, str] | None:
    return compare_components(a.plain, b.plain, quick_equivalent)


def _words(a: Reading, b: Reading) -> Outcome | None:
    if len(a.squeezed) == len(b.squeezed) == 2 and (a.squeezed + b.squeezed).isupper():
        # "AB" may be a segment, a vector or a product; only a product commutes for sure.
        return Outcome.UNKNOWN if sorted(a.squeezed) == sorted(b.squeezed) else None
    word, other = _is_word(a.squeezed), _is_word(b.squeezed)
    if word and other:
        x, y = a.squeezed.casefold(), b.squeezed.casefold()
        related = sorted(x) == sorted(y) or x.startswith(y) or y.startswith(x)
        return Outcome.UNKNOWN if related else Outcome.DIFFERENT
    if (word and is_number(b.squeezed)) or (other and is_number(a.squeezed)):
        return Outcome.DIFFERENT
    return None


_STEPS: tuple[Step, ...] = (
    _numbers, compare_meanings, compare_clocks, compare_ratios, compare_dates, compare_bases, _options, _measures, _folded, _gaps, _open_against_closed,
    _components, _words,
)  # fmt: skip


def _is_word(squeezed: str) -> bool:
    return squeezed.isalpha() and len(squeezed) > 2 and squeezed.isascii()
