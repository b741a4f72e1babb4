"""Cheap comparison of two answers; what it cannot decide is left to a CAS.

In: two answers as written. Out: True, False or None. True and False are given only where they are certain:
equal normal forms, two closed numbers, two tuples or sets of those, two option letters, two plain words. So
a mistake here cannot flip a label. Most comparisons of a trace end here, in microseconds instead of
milliseconds.
"""

from __future__ import annotations

import itertools
import re
from fractions import Fraction
from functools import lru_cache

from dlcot_ray.core.evidence.expression import approximate, evaluate

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅙": "1/6", "⅛": "1/8", "⅜": "3/8",
}  # fmt: skip
_SYMBOLS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "π": "\\pi ", "√": "\\sqrt", "∞": "\\infty ", "∪": "\\cup ",
    "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "∈": "\\in ", "\\left": "", "\\right": "", "\\!": "", "\\,": "",
    "\\;": "", "\\:": "", "\\ ": " ", "\\quad": " ", "\\qquad": " ", "\\dfrac": "\\frac", "\\tfrac": "\\frac",
    "\\cfrac": "\\frac", "\\cdot": "*", "\\times": "*", "\\leq": "\\le ", "\\geq": "\\ge ", "\\neq": "\\ne ",
    "^\\circ": "", "^{\\circ}": "", "^{∘}": "", "°": "", "\\degree": "", "\\$": "", "$": "", "€": "", "£": "",
    "\\%": "%", "~": " ", "\\(": "", "\\)": "", "\\[": "", "\\]": "", "\\displaystyle": "", "infinity": "\\infty ",
}  # fmt: skip
_SYMBOL = re.compile(
    "|".join(
        re.escape(s) + (r"(?![a-zA-Z])" if s[-1].isalpha() else "")
        for s in sorted(_SYMBOLS, key=len, reverse=True)
    )
)
_NAMES = re.compile(r"(?<![\\a-zA-Z])(pi|sqrt)(?![a-zA-Z])")
_SUPER = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mbox|operatorname|boxed)\s*\{([^{}]*)\}")
_GROUPED = re.compile(r"(?<![\d.])([1-9]\d{0,2})((?:(?:,|\{,\}|\s)\d{3})+)(?!\d)")
_UNIT = re.compile(
    r"(?<=[\d}i)])\s*(?:square|cubic|sq\.?|cu\.?)?\s*(?:degrees?|units?|dollars?|cents?|inch(?:es)?|feet|foot|ft|"
    r"meters?|metres?|centimeters?|kilometers?|cm|mm|km|kg|(?<=\\s)m|grams?|miles?|mph|hours?|hrs?|minutes?|seconds?|days?|weeks?|"
    r"months?|years?|Å|angstroms?|nm|eV|joules?|newtons?|ways|people|students|points?|apples|eggs|books|yuan|percent(?:age)?|pct)"
    r"(?:\s*(?:\^?\{?[23]\}?|squared|cubed|per \w+|/\w+))?\s*\.?$",
    re.IGNORECASE,
)
_PERCENT = re.compile(r"(?:percent(?:age)?|pct)\.?$", re.IGNORECASE)
_NAME = re.compile(r"^[a-zA-Z](?:_?\{?\w\}?)?(?:\(\w\))?\s*=\s*(?=[^=]+$)")
_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{1,2}|\d{4,})|-?0,\d+")
_MIXED = re.compile(r"(-?)(\d+) ?(?:&|(?=\\frac))(.+)")
_SCIENTIFIC = re.compile(r"[-+]?\d+(?:\.\d+)?e[-+]?\d{1,3}", re.IGNORECASE)
_PLAIN = re.compile(r"-?(?:[1-9]\d{0,2}|[1-9]\d{3,}|0)(?:\.\d*[1-9])?(?:/[1-9]\d*)?")
_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")
_HALF_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*\{")
_PLAIN_FRACTION = re.compile(r"\\frac\s*\{(-?\w+)\}\s*\{(\w+)\}(?![\w\\(^])")
_MIXED_FRACTION = re.compile(r"(?<![\w.}])(\d+)\s*\\frac\s*\{(\d+)\}\s*\{(\d+)\}(?![\w\\(^])")
"""The whole part is kept apart, so that ``1\\frac{1}{2}`` does not read as eleven halves."""
_MIXED_RATIO = re.compile(r"(?<![/\d.])(\d+)\s+(\d+/\d)")
_ROOT = re.compile(r"\\sqrt\s*(?:\(([^()]+)\)|(\w))")
_UNICODE_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?)")
_SPACE = re.compile(r"\s+")
_SHORT_POWER = re.compile(r"\^\{(\w)\}")
_STAR = re.compile(r"(?<=\d)\*(?=[\\a-z])")
_ZEROS = re.compile(r"(\.\d*?)0+(?!\d)")
_LAST_POINT = re.compile(r"(?<=\d)\.(?!\d)")
_BARE_POINT = re.compile(r"(?<!\d)\.(?=\d)")
_OPEN = re.compile(r"(?<![\\A-Za-z{])(?:[a-df-hj-zA-BD-Z](?![A-Za-z]|\(\d)|[θαβγφωλμσ])")
"""A free variable. e and i are excluded as constants, C as a binomial."""
_RELATION = re.compile(
    r"[=<>≤≥≈≡∈:]|\\(?:leq?|geq?|in|approx|equiv|text|mathrm|mathbf|textbf|boxed)(?![a-zA-Z])|(?<![\\A-Za-z])[A-Za-z']{3,}"
    r"|^\W*[\d.,]+\s*[a-zA-Z][²³\W]*$"
)
"""Variables that do not prevent a comparison: a name of the value, a unit, or a letter in prose."""
_PROSE_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z']{2,}")
_OPTION = re.compile(r"\(?([A-J])\)?[.:)]?")
_BRACKETS = {"(": ")]", "[": ")]", "{": "}", "\\{": "\\}"}


@lru_cache(maxsize=65536)
def normalize_answer(answer: str) -> str:
    """A canonical spelling: no white space, one notation for fractions, signs, units and wrappers."""
    if answer.isascii() and answer.isdigit():
        return answer.lstrip("0") or "0"
    if _PLAIN.fullmatch(answer):
        return answer
    text = answer.strip().strip("*_`").strip()
    text = text.removesuffix(".").removesuffix("\\")
    if not text.isascii():
        text = _from_unicode(text)
    if "\\" in text:
        text = _TEXT.sub(r" \1 ", text)
    text = _SYMBOL.sub(_symbol, text)
    text = _NAMES.sub(r"\\\1 ", text)
    if "=" in text:
        text = _NAME.sub("", text.strip())
    if text[-1:].isalpha() or text[-1:] in ".}23":
        percent = _PERCENT.search(text)
        text = text[: percent.start()] + "%" if percent else _UNIT.sub("", text.strip())
    text = _GROUPED.sub(_ungroup, text)
    if "\\frac" in text:
        text = _SHORT_FRACTION.sub(r"\\frac{\1}{\2}", text)
        text = _HALF_SHORT_FRACTION.sub(r"\\frac{\1}{", text)
        text = _MIXED_FRACTION.sub(r"\1&\2/\3", text)
        text = _PLAIN_FRACTION.sub(r"\1/\2", text)
    if "\\sqrt" in text:
        text = _ROOT.sub(_root, text)
    if "/" in text and " " in text:
        text = _MIXED_RATIO.sub(r"\1&\2", text)
    text = _SPACE.sub("", text)
    if "^{" in text:
        text = _SHORT_POWER.sub(r"^\1", text)
    if "*" in text:
        text = _STAR.sub("", text)
    if "." in text:
        text = _ZEROS.sub(r"\1", text)
        text = _BARE_POINT.sub("0.", _LAST_POINT.sub("", text))
    if text.startswith("{") and text.endswith("}") and "," not in text and text.count("{") == 1:
        text = text[1:-1]
    return text


def _from_unicode(text: str) -> str:
    text = _SUPER.sub(lambda m: f"^{{{m[0].translate(_SUPERSCRIPT)}}}", text).translate(_SUBSCRIPT)
    text = _UNICODE_ROOT.sub(r"\\sqrt{\1}", text)
    for mark, ratio in _VULGAR.items():
        if mark in text:
            text = re.sub(rf"(\d){mark}", rf"\1 {ratio}", text).replace(mark, ratio)
    return text


def _symbol(match: re.Match[str]) -> str:
    return _SYMBOLS[match[0]]


def _ungroup(match: re.Match[str]) -> str:
    return match[1] + "".join(c for c in match[2] if c.isdigit())


def _root(match: re.Match[str]) -> str:
    return f"\\sqrt{{{match[1] or match[2]}}}"


@lru_cache(maxsize=65536)
def as_rational(normal: str) -> Fraction | None:
    """The exact value of a normalised answer that is one closed number, else None; percent signs are dropped."""
    body = normal.removesuffix("%")
    if _DECIMAL_COMMA.fullmatch(body):
        body = body.replace(",", ".")
    if _SCIENTIFIC.fullmatch(body):
        return Fraction(body)
    if mixed := _MIXED.fullmatch(body):
        part = evaluate(mixed[3])
        if part is None:
            return None
        whole = int(mixed[2]) + Fraction(part.number)
        return -whole if mixed[1] else whole
    value = evaluate(body.removeprefix("+"))
    return None if value is None or value.percent else Fraction(value.number)


@lru_cache(maxsize=4096)
def is_closed(answer: str) -> bool:
    """Whether an answer is one closed number, rational or not: no open expression can equal it."""
    normal = normalize_answer(answer)
    return as_rational(normal) is not None or approximate(normal) is not None


def quick_equivalent(answer: str, reference: str) -> bool | None:
    """True or False where certain, None where a CAS is needed."""
    if answer.count("\\boxed") > 1 or reference.count("\\boxed") > 1:
        return None
    if is_closed(reference) and _OPEN.search(answer) and not _RELATION.search(answer):
        return False
    a, b = normalize_answer(answer), normalize_answer(reference)
    if not a or not b:
        return False if a != b else None
    if a == b or (len(a) > 1 and a.casefold() == b.casefold()):
        return True
    if _is_prose(answer) or _is_prose(reference):
        return None
    va, vb = as_rational(a), as_rational(b)
    if va is not None and vb is not None and (va == vb or "," not in a + b):
        return _same_number(a, b, va, vb)
    option_a, option_b = _OPTION.fullmatch(a), _OPTION.fullmatch(b)
    if option_a and option_b:
        return option_a[1] == option_b[1]
    if (vb is not None and option_a) or (va is not None and option_b):
        return False
    parts, others = _parts(a), _parts(b)
    if parts and others:
        return _same_parts(parts, others)
    if (parts and is_closed(reference) and (parts[0] or len(parts[1]) > 2)) or (
        others and is_closed(answer) and (others[0] or len(others[1]) > 2)
    ):
        return False
    ra, rb = approximate(a), approximate(b)
    if ra is not None and rb is not None:
        return _same_real(ra, rb, "." in a + b)
    if _is_word(a) and _is_word(b):
        return None if sorted(a) == sorted(b) or a.startswith(b) or b.startswith(a) else False
    if (ra is not None and _is_word(b)) or (rb is not None and _is_word(a)):
        return False if answer.strip().isalpha() or reference.strip().isalpha() else None
    return None


def _is_prose(answer: str) -> bool:
    """Whether an answer is a text in which a CAS must first find the answer."""
    return len(answer) > 200 or len(_PROSE_WORD.findall(answer)) > 2 or answer.count("$") > 2


def _same_number(a: str, b: str, va: Fraction, vb: Fraction) -> bool | None:
    if va == vb:
        return True
    if a.endswith("%") != b.endswith("%") and (va == vb * 100 or va * 100 == vb):
        return None
    rounded = "." in a + b and abs(va - vb) < max(Fraction(1, 100), abs(vb) / 200)
    return None if rounded else False


def _same_real(a: float, b: float, decimals: bool) -> bool | None:
    gap = abs(a - b) / max(1.0, abs(a), abs(b))
    if gap < 1e-12:
        return True if not decimals else None
    return False if gap > (1e-2 if decimals else 1e-7) else None


def _same_parts(a: tuple[str, list[str]], b: tuple[str, list[str]]) -> bool | None:
    """Compare components one by one if order counts (same brackets), else as sets."""
    (kind_a, parts_a), (kind_b, parts_b) = a, b
    if kind_a != kind_b or len(parts_a) != len(parts_b):
        return None
    if kind_a not in ("", "{}", "\\{\\}"):
        verdicts = [quick_equivalent(x, y) for x, y in zip(parts_a, parts_b, strict=True)]
        if False in verdicts:
            return False
        return None if None in verdicts else True
    left, right = [as_rational(p) for p in parts_a], [as_rational(p) for p in parts_b]
    if None in left or None in right:
        return None
    if set(left) == set(right):
        return True
    return None if any("." in part for part in itertools.chain(parts_a, parts_b)) else False


def _parts(normal: str) -> tuple[str, list[str]] | None:
    """Brackets and components of a normalised tuple, interval, set or bare list; None for anything else."""
    kind, body = "", normal
    for opening, closings in _BRACKETS.items():
        if normal.startswith(opening):
            closing = normal[-2:] if opening == "\\{" else normal[-1:]
            if closing and closing in closings:
                kind, body = opening + closing, normal[len(opening) : -len(closing)]
            break
    parts, depth, last = [], 0, 0
    for at, char in enumerate(body):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif char == "," and not depth:
            parts.append(body[last:at])
            last = at + 1
    parts.append(body[last:])
    return (kind, parts) if len(parts) > 1 and all(parts) else None


def _is_word(normal: str) -> bool:
    return normal.isalpha() and len(normal) > 3 and normal.isascii()
