"""Spellings of units, each with the name that the unit library knows.

In: nothing. Out: `UNITS`, from a spelling to a name, `CURRENCIES`, our own definitions, and `FOREIGN`, words
that are no unit. The library knows thousands of units, among them many that answers
write as plain words (pages, points, dots), so only these spellings are read as units.
"""

from __future__ import annotations

_SPELLINGS = {
    "meter": "m meter meters metre metres",
    "gram": "g gram grams gramme grammes gm gms",
    "liter": "L l liter liters litre litres",
    "second": "s sec secs second seconds",
    "minute": "min mins minute minutes",
    "hour": "h hr hrs hour hours",
    "day": "day days",
    "week": "week weeks wk wks",
    "month": "month months mo",
    "year": "year years yr yrs",
    "century": "century centuries",
    "inch": "in inch inches",
    "foot": "ft foot feet",
    "yard": "yd yds yard yards",
    "mile": "mi mile miles",
    "nautical_mile": "nmi",
    "ounce": "oz ounce ounces",
    "pound": "lb lbs pound pounds",
    "metric_ton": "tonne tonnes",
    "acre": "acre acres",
    "hectare": "ha hectare hectares",
    "cubic_centimeter": "cc ccm",
    "gallon": "gal gallon gallons",
    "quart": "qt quart quarts",
    "pint": "pint pints",
    "cup": "cup cups",
    "tablespoon": "tbsp tablespoon tablespoons",
    "teaspoon": "tsp teaspoon teaspoons",
    "mile_per_hour": "mph",
    "kilometer_per_hour": "kph kmh kmph",
    "knot": "knot knots",
    "degree": "° deg degree degrees",
    "radian": "rad radian radians",
    "revolution": "revolution revolutions rev revs",
    "arcminute": "arcmin arcminute arcminutes",
    "arcsecond": "arcsec arcsecond arcseconds",
    "degree_Celsius": "°C celsius",
    "degree_Fahrenheit": "°F fahrenheit",
    "kelvin": "K kelvin kelvins",
    "joule": "J joule joules",
    "calorie": "cal calorie calories",
    "electron_volt": "eV",
    "watt": "W watt watts",
    "watt_hour": "Wh",
    "newton": "N newton newtons",
    "pascal": "Pa pascal pascals",
    "bar": "bar bars",
    "standard_atmosphere": "atm atmosphere atmospheres",
    "volt": "V volt volts",
    "ampere": "A amp amps ampere amperes",
    "ohm": "Ω ohm ohms",
    "coulomb": "coulomb coulombs",
    "farad": "farad farads",
    "microfarad": "μF uF",
    "microcoulomb": "μC uC",
    "tesla": "T tesla teslas",
    "hertz": "Hz hertz",
    "mole": "mol mols mole moles",
    "molar": "M",
    "angstrom": "Å angstrom angstroms",
    "byte": "B byte bytes",
    "bit": "bit bits",
    "dlcot_unit": "unit units",
    "dlcot_dollar": "dollar dollars usd",
    "dlcot_cent": "cent cents ¢",
    "dlcot_nickel": "nickel nickels",
    "dlcot_dime": "dime dimes",
    "dlcot_euro": "euro euros eur",
    "dlcot_sterling": "pounds-sterling gbp",
    "dlcot_pence": "pence",
    "dlcot_yen": "yen jpy",
    "dlcot_yuan": "yuan rmb cny",
    "dlcot_rupee": "rupee rupees inr",
}
_TAKES_PREFIX = (
    "meter", "gram", "liter", "second", "joule", "calorie", "electron_volt", "watt", "watt_hour", "newton", "pascal",
    "volt", "ampere", "ohm", "coulomb", "farad", "tesla", "hertz", "mole", "byte", "bit",
)  # fmt: skip
_SHORT = {"p": "pico", "n": "nano", "μ": "micro", "u": "micro", "m": "milli", "c": "centi", "d": "deci",
          "k": "kilo", "K": "kilo", "M": "mega", "G": "giga", "T": "tera"}  # fmt: skip

CURRENCIES = {
    "dlcot_unit": "[dlcot_unit]",
    "dlcot_dollar": "[dlcot_dollar]",
    "dlcot_cent": "dlcot_dollar / 100",
    "dlcot_nickel": "dlcot_dollar / 20",
    "dlcot_dime": "dlcot_dollar / 10",
    "dlcot_euro": "[dlcot_euro]",
    "dlcot_sterling": "[dlcot_sterling]",
    "dlcot_pence": "dlcot_sterling / 100",
    "dlcot_yen": "[dlcot_yen]",
    "dlcot_yuan": "[dlcot_yuan]",
    "dlcot_rupee": "[dlcot_rupee]",
}
"""Definitions that are added to the library's: money of one currency, and the bare "units" of figures."""

FOREIGN = frozenset(
    [
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "log",
        "ln",
        "exp",
        "mod",
        "gcd",
        "lcm",
        "max",
        "min",
        "det",
        "lim",
        "arcsin",
        "arccos",
        "arctan",
        "sinh",
        "cosh",
        "tanh",
        "and",
        "or",
        "if",
        "when",
        "where",
        "if",
        "for",
        "not",
        "no",
        "only",
        "to",
        "than",
        "is",
        "are",
    ]
) - {"min", "sec"}
"""Words behind a value that continue a formula or a sentence: what they follow is no measure."""


def _spellings() -> dict[str, str]:
    found = {word: name for name, words in _SPELLINGS.items() for word in words.split()}
    for name in _TAKES_PREFIX:
        for word in _SPELLINGS[name].split():
            if len(word) > 2 and word not in ("mol", "cal", "sec", "secs", "amp", "amps", "bit", "bits"):
                longs = {prefix + word: prefix + name for prefix in set(_SHORT.values())}
                found.update({spelling: unit for spelling, unit in longs.items() if spelling not in found})
            else:
                shorts = {sign + word: prefix + name for sign, prefix in _SHORT.items()}
                found.update({spelling: unit for spelling, unit in shorts.items() if spelling not in found})
    return found


UNITS = _spellings()
"""From a spelling, as written or in lower case, to the library's name of the unit."""
