"""Values with units: where the unit begins, whether two units measure the same thing, and conversion.

In: a plain answer. Out: its `Measure`, or None. Conversion is pint's. It is imported, and its registry is
loaded (about half a second), when two different units are compared for the first time; nothing else needs it.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dlcot_ray.core.comparison.unit_words import CURRENCIES, FOREIGN, UNITS

MAX_PHRASE = 60
"""A unit longer than this (in characters) is not read."""

PLAIN_UNIT = "dlcot_unit"
"""The bare "units" of a figure without a scale."""

_START = re.compile(r"(?<![A-Za-z\\_^{])[A-Za-zμΩÅ¢°]")
_TOKEN = re.compile(
    r"\s*(?:(?P<word>° ?[CF](?![A-Za-z])|°|[A-Za-zμΩÅ¢]+(?:-[a-z]+)*)"
    r"|(?P<power>\^ ?(?:\{ ?-?\d ?\}|-?\d)|[23](?![\d.]))|(?P<over>/)|(?P<mark>[*.()]))"
)
_SQUARE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_SQUARED = {"squared": 2, "cubed": 3}
_PAIR = r"(\d+(?:\.\d+)?)\s*([A-Za-z]+\.?|°|['\"′″])"
_COMPOUND = re.compile(rf"{_PAIR}(?:\s*,?\s*(?:and\s+)?{_PAIR})(?:\s*,?\s*(?:and\s+)?{_PAIR})?")
_MARKS = {"'": ("foot", "arcminute"), "′": ("foot", "arcminute"), '"': ("inch", "arcsecond"), "″": ("inch", "arcsecond")}  # fmt: skip
_VALUE_END = re.compile(r"[\w)}\]!%.]$")
_FUNCTION = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_PROSE = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


@dataclass(frozen=True, slots=True)
class Unit:
    """What a value is counted in.

    Attributes:
        factors: names of the unit library with exponents, sorted; empty where only a noun is written.
        noun: words that are no unit ("apple"), in lower case and singular; "" where there is none.
        weak: a single letter, which could also be a variable.
    """

    factors: tuple[tuple[str, int], ...]
    noun: str = ""
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A sum of values with units, as written: one part, or several ("2 hours 30 minutes")."""

    parts: tuple[tuple[str, Unit], ...]

    @property
    def unit(self) -> Unit:
        """The first part's."""
        return self.parts[0][1]

    @property
    def value(self) -> str:
        """The first part's."""
        return self.parts[0][0]


@lru_cache(maxsize=16384)
def split_measure(text: str) -> Measure | None:
    """Value and unit of a plain answer that ends on a unit or a counted noun, else None."""
    last = text[-1:]
    if not (last.isalpha() or last in "}°23).'\"′″¢") or (
        not any(map(str.isdigit, text)) and "\\" not in text
    ):
        return None
    if len(text) <= MAX_PHRASE and (compound := _COMPOUND.fullmatch(text)):
        return _compound([g for g in compound.groups() if g])
    first = max(0, len(text) - MAX_PHRASE)
    for start in _START.finditer(text, first):
        value = text[: start.start()].rstrip()
        if not value or not _VALUE_END.search(value):
            continue
        gap = start.start() > len(value)
        unit = read_unit(text[start.start() :])
        if unit is None or not _fits(value, unit, gap):
            continue
        return Measure(((value, unit),))
    return None


@lru_cache(maxsize=4096)
def read_unit(phrase: str) -> Unit | None:
    """A unit as written (``km/h``, ``square feet``, ``m s^{-2}``), or a noun of up to three words."""
    powers: Counter[str] = Counter()
    nouns: list[str] = []
    at, sign, pending, previous = 0, 1, 1, ""
    while at < len(phrase.rstrip()):
        match = _TOKEN.match(phrase, at)
        if match is None:
            return None
        at = match.end()
        word = match["word"]
        if match["over"] or word == "per":
            sign = -1
        elif word and (exponent := _SQUARE.get(word.lower())):
            pending = exponent
        elif word and (exponent := _SQUARED.get(word.lower())) and previous:
            powers[previous] *= exponent
        elif match["power"]:
            if not previous:
                return None
            exponent = int("".join(c for c in match["power"] if c in "-0123456789"))
            powers[previous] *= exponent
            previous = ""
        elif word:
            name = _name_of(word)
            previous = name or ""
            if name is None:
                if word.lower() in FOREIGN:
                    return None
                nouns.append(_singular(word.lower()))
            else:
                powers[name] += sign * pending
            pending = 1
    if len(nouns) > 3 or not (powers or nouns):
        return None
    factors = tuple(sorted((name, power) for name, power in powers.items() if power))
    return Unit(factors, " ".join(nouns), weak=len(phrase.strip()) == 1 and phrase.strip().isascii())


def _name_of(word: str) -> str | None:
    word = word.replace("° ", "°")
    return UNITS.get(word) or (UNITS.get(word.lower()) if len(word) > 2 else None)


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _fits(value: str, unit: Unit, gap: bool) -> bool:
    """Whether what stands before a unit is a value, and the unit is set off from it."""
    if _PROSE.search(value) and not value.endswith(")"):
        return False
    if _FUNCTION.search(value):
        # The degrees of "sin 30°" belong to its argument.
        return False
    if unit.noun and (not gap or len(unit.noun) < 2 or value[-1].isalpha() or "=" in value):
        return False
    if value[-1].isalpha():
        return gap and not unit.weak
    return gap or not unit.weak or unit.factors[0][0] == "degree"


def _compound(groups: list[str]) -> Measure | None:
    values, words = groups[::2], groups[1::2]
    names: list[str] = []
    for word in words:
        if word in _MARKS:
            name: str | None = _MARKS[word]["degree" in names]
        elif word == "m" and "hour" in names:
            name = "minute"
        else:
            name = _name_of(word.removesuffix("."))
        if name is None:
            return None
        names.append(name)
    return Measure(tuple((v, Unit(((name, 1),))) for v, name in zip(values, names, strict=True)))


@lru_cache(maxsize=4096)
def scale_of(factors: tuple[tuple[str, int], ...]) -> tuple[str, float, float] | None:
    """Dimension, factor and offset of a unit against base units, as pint has them; None if it knows none.

    ``value * factor + offset`` is the value in base units. An angle has the dimension "angle".
    """
    registry = _registry()
    try:
        unit = registry.Unit(registry.UnitsContainer(dict(factors)))
        dimension = str(unit.dimensionality)
        zero = registry.Quantity(0, unit).to_base_units().magnitude
        one = registry.Quantity(1, unit).to_base_units().magnitude
    except Exception:  # pint raises many kinds, also for an offset unit in a product
        return None
    if dimension == "dimensionless" and any(name in _ANGLES for name, _ in factors):
        dimension = "angle"
    return dimension, float(one - zero), float(zero)


_ANGLES = frozenset({"degree", "radian", "revolution", "arcminute", "arcsecond"})


@lru_cache(maxsize=1)
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry()
    for name, definition in CURRENCIES.items():
        registry.define(f"{name} = {definition}")
    return registry
