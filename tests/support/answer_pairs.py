"""Pairs of answers whose equality is known by construction.

In: a seed and a number. Out: pairs, both equal and different, of every kind that real answers take. The truth
comes from integers, fractions and factor tables of this module, never from the code under test.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers, whether they are equal, and the kind of the pair."""

    kind: str
    answer: str
    reference: str
    equal: bool


Maker = Callable[[random.Random], tuple[str, str, bool]]

_UNITS: dict[str, dict[str, Fraction]] = {
    "length": {"km": Fraction(1000), "m": Fraction(1), "cm": Fraction(1, 100), "mm": Fraction(1, 1000), "kilometers": Fraction(1000), "meters": Fraction(1)},
    "imperial": {"inches": Fraction(1), "feet": Fraction(12), "yards": Fraction(36), "ft": Fraction(12), "in": Fraction(1)},
    "mass": {"kg": Fraction(1000), "g": Fraction(1), "mg": Fraction(1, 1000), "grams": Fraction(1), "kilograms": Fraction(1000)},
    "time": {"hours": Fraction(3600), "minutes": Fraction(60), "seconds": Fraction(1), "h": Fraction(3600), "min": Fraction(60), "s": Fraction(1), "days": Fraction(86400), "weeks": Fraction(604800)},
    "volume": {"liters": Fraction(1000), "mL": Fraction(1), "L": Fraction(1000), "cm^3": Fraction(1), "m^3": Fraction(10**6), "cubic centimeters": Fraction(1)},
    "area": {"m^2": Fraction(10**4), "cm^2": Fraction(1), "square meters": Fraction(10**4), "square centimeters": Fraction(1)},
    "speed": {"km/h": Fraction(5, 18), "m/s": Fraction(1), "kilometers per hour": Fraction(5, 18), "cm/s": Fraction(1, 100)},
    "energy": {"kJ": Fraction(1000), "J": Fraction(1), "joules": Fraction(1)},
    "money": {"dollars": Fraction(100), "cents": Fraction(1)},
}  # fmt: skip


def _number(value: Fraction) -> str | None:
    """As an integer or a short decimal, else None."""
    if value.denominator == 1:
        return str(value.numerator)
    scaled = value * 10**4
    return None if scaled.denominator != 1 else f"{float(value):.4f}".rstrip("0")


def _dressed(draw: random.Random, value: str, unit: str) -> str:
    if "^" in unit:
        base, power = unit.split("^")
        return draw.choice(
            [
                f"{value} {unit}",
                f"{value}\\text{{ {base}}}^{power}",
                f"{value}\\,\\mathrm{{{unit}}}",
                f"{value}\\ \\text{{{base}}}^{{{power}}}",
            ]
        )
    return draw.choice(
        [
            f"{value} {unit}",
            f"{value}\\text{{ {unit}}}",
            f"{value}\\,\\mathrm{{{unit}}}",
            f"${value}$ {unit}",
            f"{value}~\\text{{{unit}}}",
        ]
    )


def converted_units(draw: random.Random) -> tuple[str, str, bool]:
    while True:
        table = _UNITS[draw.choice(sorted(_UNITS))]
        one, two = draw.sample(sorted(table), 2)
        value = Fraction(draw.randint(1, 60)) * max(Fraction(1), table[two] / table[one])
        other = value * table[one] / table[two]
        equal = draw.random() < 0.5
        shown = other if equal else draw.choice([other * 10, other + 1, value])
        left, right = _number(value), _number(shown)
        if left is None or right is None or len(left + right) > 14:
            continue
        return _dressed(draw, left, one), _dressed(draw, right, two), shown == other


def other_dimension(draw: random.Random) -> tuple[str, str, bool]:
    value = draw.randint(2, 90)
    one, two = draw.sample(["m", "m^2", "m^3", "kg", "s", "L", "km/h", "dollars", "J"], 2)
    return _dressed(draw, str(value), one), _dressed(draw, str(value), two), False


def missing_unit(draw: random.Random) -> tuple[str, str, bool]:
    value, equal = draw.randint(13, 99), draw.random() < 0.5
    unit = draw.choice(
        [
            "cm",
            "km",
            "square units",
            "cm^2",
            "apples",
            "hours",
            "people",
            "kg",
            "units",
            "miles per hour",
            "degrees",
        ]
    )
    pair = [_dressed(draw, str(value), unit), str(value if equal else value + draw.choice([1, 2, -1]))]
    draw.shuffle(pair)
    return pair[0], pair[1], equal


def durations(draw: random.Random) -> tuple[str, str, bool]:
    hours, minutes, equal = draw.randint(1, 9), draw.randint(1, 59), draw.random() < 0.5
    total = hours * 60 + minutes + (0 if equal else draw.choice([1, 10, -7]))
    left = draw.choice(
        [
            f"{hours} hours {minutes} minutes",
            f"{hours} hours and {minutes} minutes",
            f"{hours} h {minutes} min",
            f"{hours}\\text{{ hours }}{minutes}\\text{{ minutes}}",
        ]
    )
    return left, draw.choice([f"{total} minutes", f"{total}\\text{{ min}}", f"{total * 60} seconds"]), equal


def _digits(value: int, base: int) -> str:
    found = ""
    while value:
        found = "0123456789ABCDEF"[value % base] + found
        value //= base
    return found


def bases(draw: random.Random) -> tuple[str, str, bool]:
    value, base, equal = draw.randint(5, 900), draw.choice([2, 3, 4, 5, 6, 7, 8, 9, 16]), draw.random() < 0.5
    shown = value if equal else value + draw.choice([1, 2, base])
    digits = _digits(value, base)
    left = draw.choice(
        [
            f"{digits}_{{{base}}}",
            f"({digits})_{{{base}}}",
            f"{digits}_{{\\text{{{base}}}}}",
            f"{digits} (base {base})",
            f"{digits} in base {base}",
        ]
    )
    if base < 10:
        left = draw.choice([left, f"{digits}_{base}", digits + chr(0x2080 + base)])
    other = draw.choice([10, 2, 8])
    right = str(shown) if other == 10 else f"{_digits(shown, other)}_{other}"
    if not equal and draw.random() < 0.4 and digits != str(value):
        return left, digits, False
    return left, right, equal


def sets(draw: random.Random) -> tuple[str, str, bool]:
    values = draw.sample(range(-20, 40), draw.randint(2, 4))
    shuffled, equal = draw.sample(values, len(values)), draw.random() < 0.5
    if not equal:
        shuffled[0] += 61
    left = "\\{" + ", ".join(map(str, values)) + "\\}"
    joined = ",".join(map(str, shuffled))
    ways = [
        "\\{" + joined + "\\}",
        "\\left\\{" + joined + "\\right\\}",
        "\\text{" + " and ".join(map(str, shuffled)) + "}",
    ]
    ways.append(" or ".join(f"x = {v}" for v in shuffled))
    return left, draw.choice(ways), equal


def tuples(draw: random.Random) -> tuple[str, str, bool]:
    values = draw.sample(range(-9, 30), 3)
    way = draw.randrange(4)
    left = f"({values[0]}, {values[1]}, {values[2]})"
    if way == 0:
        return left, f"\\left({values[0]},{values[1]},{values[2]}\\right)", True
    if way == 1:
        return left, f"({values[1]},{values[0]},{values[2]})", False
    if way == 2:
        return left, f"x={values[0]}, y={values[1]}, z={values[2]}", True
    return left, f"({values[0]},{values[1]},{values[2] + 1})", False


def intervals(draw: random.Random) -> tuple[str, str, bool]:
    low, size = draw.randint(-9, 9), draw.randint(1, 9)
    high = low + size
    way = draw.randrange(9)
    pairs = [
        (f"[{low}, {high})", f"\\left[{low},{high}\\right)", True),
        (f"[{low}, {high})", f"({low},{high}]", False),
        (f"[{low},{high}]", f"{low} \\le x \\le {high}", True),
        (f"x \\in [{low},{high})", f"{low} \\le x < {high}", True),
        (f"({low},{high}]", f"{low} \\le x \\le {high}", False),
        (f"x > {low}", f"({low}, \\infty)", True),
        (f"x \\ge {low}", f"({low}, \\infty)", False),
        (f"(-\\infty, {low}) \\cup ({high}, \\infty)", f"(-\\infty,{low})\\cup({high},+\\infty)", True),
        (f"(-\\infty, {low}] \\cup ({high}, \\infty)", f"(-\\infty,{low})\\cup({high},\\infty)", False),
    ]
    return pairs[way]


def lists_and_intervals(draw: random.Random) -> tuple[str, str, bool]:
    low = draw.randint(1, 9)
    high = low + draw.randint(1, 9)
    pairs = [
        (f"[{low}, {high}]", f"\\{{{low}, {high}\\}}", False),
        (f"({low}, {high})", f"\\{{{low}, {high}\\}}", False),
        (f"x = {low} or x = {high}", f"({low}, {high})", False),
        (f"{low}, {high}", f"[{low}, {high}]", False),
        (f"{low}, {high}00", f"{low}{high}00" if high < 10 else f"{low}0{high}", False),
        (f"{low}, 234", f"{low},234", False),
        (f"{low},234", f"{low}234", True),
        (f"{low}{{,}}234", f"{low}234", True),
        (f"{low},\\!234", f"{low}234", True),
        (f"{low}, 234", f"{low}234", False),
    ]
    return draw.choice(pairs)


def complex_numbers(draw: random.Random) -> tuple[str, str, bool]:
    a, b, c, d = (draw.choice([-1, 1]) * draw.randint(1, 7) for _ in range(4))
    re, im = a * c - b * d, a * d + b * c
    equal = draw.random() < 0.5
    if not equal:
        re, im = draw.choice([(re + 1, im), (re, -im) if im else (re + 2, im), (re - 3, im + 1)])
    left = draw.choice([f"({a}{b:+}i)({c}{d:+}i)", f"({a}{b:+}i)\\cdot({c}{d:+}i)"])
    right = draw.choice([f"{re}{im:+}i", f"{im}i{re:+}", f"{re} {'-' if im < 0 else '+'} {abs(im)}i"])
    return left, right, equal


def trigonometry(draw: random.Random) -> tuple[str, str, bool]:
    x = draw.choice(["x", "\\theta", "t", "\\alpha"])
    n = draw.randint(2, 6)
    pairs = [
        (f"\\sin(90^\\circ-{x})", f"\\cos {x}", True),
        (f"\\sin(90^\\circ-{x})", f"\\sin {x}", False),
        (f"\\sin^2 {x}+\\cos^2 {x}", "1", True),
        (f"2\\sin {x}\\cos {x}", f"\\sin(2{x})", True),
        (f"2\\sin {x}\\cos {x}", f"\\cos(2{x})", False),
        (f"{n}\\cos^2 {x} - {n}\\sin^2 {x}", f"{n}\\cos(2{x})", True),
        (f"{n}\\cos^2 {x} + {n}\\sin^2 {x}", f"{n}\\cos(2{x})", False),
        (f"\\frac{{\\sin {x}}}{{\\cos {x}}}", f"\\tan {x}", True),
        (f"\\sec^2 {x} - 1", f"\\tan^2 {x}", True),
        (f"\\sec^2 {x} + 1", f"\\tan^2 {x}", False),
        (f"\\cos(180^\\circ - {x})", f"-\\cos {x}", True),
        (f"\\cos(180^\\circ - {x})", f"\\cos {x}", False),
        ("\\sin 30^\\circ", "\\frac{1}{2}", True),
        ("\\cos 60^\\circ", "\\frac{\\sqrt{3}}{2}", False),
        ("\\tan 45^\\circ", "1", True),
        ("\\cos\\frac{\\pi}{6}", "\\frac{\\sqrt{3}}{2}", True),
    ]
    return draw.choice(pairs)


def angles(draw: random.Random) -> tuple[str, str, bool]:
    degrees, top, bottom = draw.choice(
        [(30, "", 6), (45, "", 4), (60, "", 3), (90, "", 2), (120, "2", 3), (135, "3", 4), (150, "5", 6)]
    )
    equal = draw.random() < 0.5
    radians = f"\\frac{{{top}\\pi}}{{{bottom if equal else bottom + 1}}}"
    return (
        draw.choice([f"{degrees}^\\circ", f"{degrees}°", f"{degrees} degrees", f"{degrees}^{{\\circ}}"]),
        radians,
        equal,
    )


def factorials(draw: random.Random) -> tuple[str, str, bool]:
    n, k, equal = draw.randint(4, 12), draw.randint(1, 3), draw.random() < 0.5
    big = draw.randint(150, 2100)
    quotient = math.factorial(n) // math.factorial(n - k)
    pairs = [
        (f"\\frac{{{n}!}}{{{n - k}!}}", str(quotient if equal else quotient + 1), equal),
        (f"{n}!", str(math.factorial(n) if equal else math.factorial(n) + n), equal),
        (f"\\frac{{1}}{{{big}!}}", f"\\frac{{1}}{{{big if equal else big - 2}!}}", equal),
        (f"{big}!", f"{big} \\cdot {big - 1}!" if equal else f"{big - 1}!", equal),
        (f"\\binom{{{n}}}{{{k}}}", str(math.comb(n, k) if equal else math.comb(n, k) + 1), equal),
        ("\\frac{(n+1)!}{n!}", "n+1" if equal else "n", equal),
    ]
    return draw.choice(pairs)


def clock_times(draw: random.Random) -> tuple[str, str, bool]:
    hour, minute, afternoon = draw.randint(1, 11), draw.randint(0, 59), draw.random() < 0.5
    left = f"{hour}:{minute:02}" + draw.choice(
        [" PM", " p.m.", "\\text{ PM}", " pm"] if afternoon else [" AM", " a.m.", "\\text{ AM}", "am"]
    )
    full = hour + 12 * afternoon
    ways = [
        (f"{hour}:{minute:02} {'PM' if afternoon else 'AM'}", True),
        (f"{hour}:{minute:02} {'AM' if afternoon else 'PM'}", False),
        (f"{hour}:{(minute + 10) % 60:02} {'PM' if afternoon else 'AM'}", False),
        (f"{hour + 12}:{minute:02}", afternoon),
    ]
    right, equal = draw.choice(ways)
    assert full < 24
    return left, right, equal


def percentages(draw: random.Random) -> tuple[str, str, bool]:
    percent = draw.choice([5, 12.5, 20, 25, 37.5, 40, 60, 75, 80, 150])
    share = Fraction(str(percent)) / 100
    small = draw.choice([0.2, 0.5, 0.75, 0.04])
    sign = draw.choice(["\\%", "%", " percent", " \\%", " pct"])
    ways = [
        (f"{percent}{sign}", f"{float(share):g}", True),
        (f"{percent}{sign}", f"\\frac{{{share.numerator}}}{{{share.denominator}}}", True),
        (f"{percent}{sign}", f"{percent}\\%", True),
        (f"{percent}{sign}", f"{percent + 1}\\%", False),
        (f"{percent}{sign}", f"{float(share) * 3:g}", False),
        (f"{small}{sign}", f"{small}", False),
        (f"{small}{sign}", f"{Fraction(str(small)) / 100}", True),
    ]
    return draw.choice(ways)


def wrappers(draw: random.Random) -> tuple[str, str, bool]:
    a, b, equal = draw.randint(2, 20), draw.randint(2, 20), draw.random() < 0.5
    plain = draw.choice(
        [
            (f"{a}x+{b}", f"{b}+{a}x", f"{b}+{a + 1}x"),
            (str(a * b), f"{a}\\cdot {b}", str(a * b + 1)),
            (f"\\frac{{{a}}}{{{2 * b}}}", f"{a}/{2 * b}", f"{a + 1}/{2 * b}"),
        ]
    )
    dress = draw.choice(
        [
            "\\[{}\\]",
            "\\({}\\)",
            "${}$",
            "\\boxed{{{}}}",
            "**{}**",
            "$$\\boxed{{{}}}$$",
            "\\[ \\boxed{{{}}} \\]",
            "$\\mathbf{{{}}}$",
            "{}.",
        ]
    )
    return dress.format(plain[0]), plain[1] if equal else plain[2], equal


def words(draw: random.Random) -> tuple[str, str, bool]:
    empty = [
        "\\emptyset",
        "\\varnothing",
        "no solution",
        "No real solutions",
        "\\text{no solution}",
        "The empty set",
        "∅",
        "\\{\\}",
    ]
    every = [
        "\\mathbb{R}",
        "All real numbers",
        "\\text{all real numbers}",
        "(-\\infty, \\infty)",
        "all reals",
        "x \\in \\mathbb{R}",
        "ℝ",
    ]
    way = draw.randrange(6)
    if way < 2:
        one, two = draw.sample((empty, every)[way], 2)
        return one, two, True
    if way == 2:
        return draw.choice(empty), draw.choice(every), False
    if way == 3:
        return draw.choice(empty), draw.choice(["0", "1", "x = 2"]), False
    one, two = draw.sample(["Yes", "No", "\\text{yes}", "**No**", "no."], 2)
    return one, two, ("yes" in one.lower()) == ("yes" in two.lower())


def dates(draw: random.Random) -> tuple[str, str, bool]:
    month, day, equal = (
        draw.choice(["March", "May", "July", "October"]),
        draw.randint(4, 20),
        draw.random() < 0.5,
    )
    other = day if equal else day + 1
    return (
        draw.choice([f"{month} {day}", f"\\text{{{month} {day}th}}"]),
        draw.choice([f"{other} {month}", f"{month} {other}", f"the {other}th of {month}"]),
        equal,
    )


def options(draw: random.Random) -> tuple[str, str, bool]:
    one, two = draw.sample("ABCDE", 2)
    value = draw.randint(10, 90)
    pairs = [
        (f"({one})", one, True),
        (f"({one})", two, False),
        (f"{one}. {value}", one, True),
        (f"({one}) {value}", f"({one})", True),
        (f"({one}) {value}", two, False),
        (str(value), f"({one}) {value}", True),
        (str(value + 1), f"({one}) {value}", False),
        (f"\\text{{({one})}}", f"\\textbf{{({one})}}", True),
    ]
    return draw.choice(pairs)


def numbers(draw: random.Random) -> tuple[str, str, bool]:
    a, b = draw.randint(2, 9), draw.randint(3, 9)
    whole, exponent = draw.randint(1, 9), draw.randint(3, 9)
    root = draw.choice([2, 3, 5, 7])
    equal = draw.random() < 0.5
    off = 0 if equal else 1
    pairs = [
        (f"{whole}\\frac{{1}}{{{b}}}", f"\\frac{{{whole * b + 1 + off}}}{{{b}}}", equal),
        (f"{a} \\times 10^{{{exponent}}}", f"{a}e{exponent + off}", equal),
        (f"{a}\\sqrt{{{root}}}", f"\\sqrt{{{a * a * root + off}}}", equal),
        (f"{a}.5", f"\\frac{{{2 * a + 1 + off}}}{{2}}", equal),
        (f"{a} million", f"{a + off},000,000", equal),
        (f"\\frac{{{a}}}{{\\sqrt{{{root}}}}}", f"\\frac{{{a + off}\\sqrt{{{root}}}}}{{{root}}}", equal),
        (
            f"0.\\overline{{{a}}}",
            f"\\frac{{{a + off}}}{{9}}" if a + off < 9 else f"\\frac{{{a - 1}}}{{9}}",
            equal if a + off < 9 else False,
        ),
        (f"2^{{{exponent}}}", str(2**exponent + off), equal),
        (f"-{a}", str(a), False),
        (f"\\log_2 {2**exponent}", str(exponent + off), equal),
        (f"{a}:{b % 4 + 1}", f"{2 * a}:{2 * (b % 4 + 1) + off}", equal),
    ]
    return draw.choice(pairs)


def formulas(draw: random.Random) -> tuple[str, str, bool]:
    a, b, equal = draw.randint(1, 9), draw.randint(1, 9), draw.random() < 0.5
    off = 0 if equal else 1
    pairs = [
        (f"(x+{a})(x+{b})", f"x^2+{a + b}x+{a * b + off}", equal),
        (f"y = {a}x + {b}", f"{a}x - y + {b + off} = 0", equal),
        (f"\\frac{{x+{a}}}{{{b + 1}}}", f"\\frac{{x}}{{{b + 1}}} + \\frac{{{a + off}}}{{{b + 1}}}", equal),
        (f"f(x) = x^{a + 1}", f"x^{a + 1 + off}", equal),
        (f"e^{{{a}x}}", f"(e^x)^{{{a + off}}}", equal),
        (f"\\ln(x^{2 * a + 1})", f"{2 * a + 1 + off}\\ln x", equal),
        (f"\\sqrt{{{a * a}x^2+{a * a}}}", f"{a + off}\\sqrt{{x^2+1}}", equal),
        (
            f"\\begin{{pmatrix}}{a}&{b}\\\\1&0\\end{{pmatrix}}",
            f"\\begin{{bmatrix}} {a} & {b} \\\\ 1 & {off} \\end{{bmatrix}}",
            equal,
        ),
        (f"\\begin{{pmatrix}}{a}\\\\{b}\\\\1\\end{{pmatrix}}", f"({a},{b},{1 + off})", equal),
    ]
    return draw.choice(pairs)


MAKERS: tuple[Maker, ...] = (
    converted_units, other_dimension, missing_unit, durations, bases, sets, tuples, intervals, lists_and_intervals,
    complex_numbers, trigonometry, angles, factorials, clock_times, percentages, wrappers, words, dates, options, numbers,
    formulas,
)  # fmt: skip


def answer_pairs(seed: int, count: int) -> list[Pair]:
    """`count` different pairs, as many of each kind as can be had."""
    draw = random.Random(seed)
    found: dict[tuple[str, str], Pair] = {}
    while len(found) < count:
        for maker in MAKERS:
            answer, reference, equal = maker(draw)
            if len(found) < count:
                found.setdefault((answer, reference), Pair(maker.__name__, answer, reference, equal))
    return list(found.values())
