"""Answers that are no plain number or formula: words, option letters, clock times, dates, numbers in a base.

In: a plain answer. Out: the reading, or None. Each reading has one value that can be compared exactly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

MAX_CHARS = 80
"""Longer answers are none of these."""

_MEANINGS = {
    "empty": "\\emptyset|{}|\\{\\}|empty set|the empty set|no solution|no solutions|no real solution|no real solutions|none|null set|"
    "there is no solution|there are no solutions|there are no real solutions|has no solution|has no solutions|no real roots|"
    "no roots|no such number|no such numbers|no such value|no such values|nosolution|no real root|no value|no values|"
    "x\\in\\emptyset|no integer solutions|no integer solution",
    "reals": "\\mathbb{R}|\\mathbb R|\\R|\\Bbb{R}|all real numbers|all reals|all real number|every real number|any real number|"
    "the set of all real numbers|real numbers|the real numbers|x\\in\\mathbb{R}|x\\in\\R|(-\\infty,\\infty)|(-\\infty,+\\infty)|"
    "all real values|all real x|any real x|all real values of x|-\\infty<x<\\infty|-\\infty<x<+\\infty|x\\in(-\\infty,\\infty)",
    "integers": "\\mathbb{Z}|\\mathbb Z|all integers|the integers|every integer|any integer|x\\in\\mathbb{Z}|n\\in\\mathbb{Z}",
    "infinite": "infinitely many|infinitely many solutions|infinite solutions|infinite|an infinite number|infinite number of solutions",
    "infinity": "\\infty|+\\infty",
    "undefined": "undefined|does not exist|dne|not defined|doesn't exist|the limit does not exist|not exist",
    "yes": "yes|true|correct|是|对|正确",
    "no": "no|false|incorrect|否|不是|错误",
}  # fmt: skip
_OPPOSED = (
    {"empty", "reals", "integers", "infinite", "yes", "no", "infinity"},
    {"undefined", "yes", "no", "reals"},
)
_OPTION = re.compile(
    r"(?:option|choice|answer)?\s{0,9}(?:\(([A-J])\)|([A-J]))\s{0,9}(?:[.:)]|$)\s{0,9}(.*)", re.IGNORECASE
)
_BRACKETED = re.compile(r"\(([A-J])\)\s*([^-+*/^=<>,()].*)")
_CLOCK = re.compile(
    r"(\d{1,2})(?:[:.](\d{2})(?::(\d{2}))?)?\s*(?:o'?clock\s*)?([ap])\.?\s?m\.?", re.IGNORECASE
)
_DAY_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*(?:hours|hrs|h|o'?clock))?", re.IGNORECASE)
_NAMED_CLOCK = {"noon": 720, "12 noon": 720, "midday": 720, "midnight": 0, "12 midnight": 0}
_SUBSCRIPT_BASE = re.compile(
    r"\(?\s{0,3}([0-9A-Za-z ]{1,400}(?:\.[0-9A-Za-z]{1,400})?)\s{0,3}\)?\s{0,3}_\s{0,3}(?:\{\s{0,3}\(?\s{0,3}([0-9A-Za-z]{1,40})\s{0,3}\)?\s{0,3}\}|(\d))"
)
_WORD_BASE = re.compile(
    r"([0-9A-Za-z]+)\s{0,3},?\s{0,3}\(?\s{0,3}(?:in\s{1,3})?(?:base[\s-]{0,3}(\w+)|(binary|ternary|octal|decimal|hexadecimal|hex))\s{0,3}\)?",
    re.IGNORECASE,
)
_CODE_BASE = re.compile(r"0([bxo])([0-9A-Fa-f]+)")
_BASES = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "sixteen": 16, "binary": 2, "ternary": 3, "octal": 8, "decimal": 10, "hexadecimal": 16, "hex": 16,
    "b": 2, "o": 8, "x": 16,
}  # fmt: skip
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_MONTH_FIRST = re.compile(rf"{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?(?:\s*,?\s*(\d{{4}}))?", re.IGNORECASE)
_DAY_FIRST = re.compile(
    rf"(?:the\s+)?(\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}(?:\s*,?\s*(\d{{4}}))?", re.IGNORECASE
)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day in seconds; `half` says whether the text tells morning from afternoon."""

    seconds: int
    half: bool


@dataclass(frozen=True, slots=True)
class Date:
    """A day; `year` is None where it is not written."""

    month: int
    day: int
    year: int | None


@dataclass(frozen=True, slots=True)
class Option:
    """An option letter, in upper case, and the text of the option ("" where only the letter is written)."""

    letter: str
    content: str


@lru_cache(maxsize=16384)
def meaning_of(text: str) -> str | None:
    """The meaning of a word or sign that stands for a set or a truth value, else None."""
    if len(text) > MAX_CHARS:
        return None
    key = " ".join(text.casefold().replace("\\emptyset ", "\\emptyset").split()).strip(" .!")
    return _BY_WORD.get(key) or _BY_WORD.get(key.replace(" ", ""))


def opposed(a: str, b: str) -> bool:
    """Whether two meanings exclude one another."""
    return any(a in group and b in group for group in _OPPOSED) and a != b


@lru_cache(maxsize=16384)
def option_of(text: str) -> Option | None:
    """An option letter A to J, alone or with the text of its option."""
    if not text or (text[0] not in "(ABCDEFGHIJ" and text[:1].lower() not in "oca"):
        return None
    match = _OPTION.fullmatch(text)
    if match is None and (match := _BRACKETED.fullmatch(text)) is None:
        return None
    letter = match[1] or (match[2] if match.re is _OPTION else "")
    alone = letter or ""
    if not alone.isupper():
        return None
    return Option(alone, match.groups()[-1].strip())


@lru_cache(maxsize=16384)
def clock_of(text: str) -> Clock | None:
    """A time of day: ``3:30 PM``, ``15:30``, ``noon``."""
    if len(text) > MAX_CHARS:
        return None
    named = _NAMED_CLOCK.get(text.casefold())
    if named is not None:
        return Clock(named * 60, True)
    if match := _CLOCK.fullmatch(text):
        hour, minute, second = int(match[1]), int(match[2] or 0), int(match[3] or 0)
        if not 1 <= hour <= 12 or minute > 59 or second > 59:
            return None
        hour = hour % 12 + (12 if match[4] in "pP" else 0)
        return Clock((hour * 60 + minute) * 60 + second, True)
    if (match := _DAY_CLOCK.fullmatch(text)) and int(match[1]) < 24 and int(match[2]) < 60:
        hour = int(match[1])
        return Clock((hour * 60 + int(match[2])) * 60 + int(match[3] or 0), hour > 12 or hour == 0)
    return None


@lru_cache(maxsize=16384)
def based_number(text: str) -> tuple[int, int] | None:
    """Value and base of an integer in a named base: ``110_2``, ``(1A)_{16}``, ``101 in binary``, ``0x1F``."""
    if len(text) > MAX_CHARS:
        return None
    sign = -1 if text.startswith("-") else 1
    body = text.removeprefix("-").strip()
    if match := _SUBSCRIPT_BASE.fullmatch(body):
        digits, named = match[1].replace(" ", ""), match[2] or match[3]
    elif match := _CODE_BASE.fullmatch(body):
        digits, named = match[2], match[1]
    elif match := _WORD_BASE.fullmatch(body):
        digits, named = match[1], match[2] or match[3]
    else:
        return None
    base = _BASES.get(named.casefold()) if not named.isdecimal() else int(named[:3])
    if base is None or not 2 <= base <= 36 or not digits.isascii():
        return None
    if base != 16 and not any(map(str.isdigit, digits)):
        # "a_2" is a variable.
        return None
    try:
        return sign * int(digits, base), base
    except ValueError:
        return None


@lru_cache(maxsize=16384)
def date_of(text: str) -> Date | None:
    """A date with the month's name, or in ISO form."""
    if len(text) > MAX_CHARS:
        return None
    if match := _ISO_DATE.fullmatch(text):
        return Date(int(match[2]), int(match[3]), int(match[1]))
    if match := _MONTH_FIRST.fullmatch(text):
        month, day, year = match[1], match[2], match[3]
    elif match := _DAY_FIRST.fullmatch(text):
        day, month, year = match[1], match[2], match[3]
    else:
        return None
    return Date(_MONTHS.index(month[:3].casefold()) + 1, int(day), int(year) if year else None)


_BY_WORD = {
    spelling.casefold(): name for name, words in _MEANINGS.items() for spelling in words.split("|")
} | {
    spelling.casefold().replace(" ", ""): name
    for name, words in _MEANINGS.items()
    for spelling in words.split("|")
}
