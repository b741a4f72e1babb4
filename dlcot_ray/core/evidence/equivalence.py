"""Cheap, exact comparison of two answers; whatever it cannot decide is left to a CAS.

True and False are only said where they are certain: equal normal forms, two exact rationals, two
option letters. Everything else is None, so that a mistake here cannot flip a label.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUBSCRIPT = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅙": "1/6",
    "⅛": "1/8",
    "⅜": "3/8",
}
_SYMBOLS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "π": "\\pi", "√": "\\sqrt", "∞": "\\infty",
    "≤": "\\le", "≥": "\\ge", "\\left": "", "\\right": "", "\\!": "", "\\,": "", "\\;": "", "\\:": "", "\\ ": "",
    "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\cdot": "*", "\\times": "*", "\\leq": "\\le",
    "\\geq": "\\ge", "^\\circ": "", "^{\\circ}": "", "°": "", "\\degree": "", "\\$": "", "$": "", "\\%": "%", "~": "",
    "pi": "\\pi", "sqrt": "\\sqrt",
}  # fmt: skip
_SYMBOL = re.compile(
    "|".join(re.escape(s) for s in sorted(_SYMBOLS, key=len, reverse=True) if s not in ("pi", "sqrt"))
)
_WORDS = re.compile(r"(?<![\\a-zA-Z])(pi|sqrt)(?![a-zA-Z])")
_SUPER = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mbox|operatorname)\s*\{([^{}]*)\}")
_FRAC = re.compile(r"\\frac\s*(?:\{(-?[\d.]+)\}|(\d))\s*(?:\{(-?[\d.]+)\}|(\d))")
_UNIT = re.compile(
    r"(?<=[\d}])\s*(?:square|cubic|sq\.?|cu\.?)?\s*(?:degrees?|units?|dollars?|cents?|inches|inch|feet|foot|ft|meters?|metres?|"
    r"cm|mm|km|kg|grams?|miles?|mph|hours?|minutes?|seconds?|days?|years?|ways|people|students|points?|percent)"
    r"(?:\s*(?:\^?\{?[23]\}?|squared|cubed))?\s*\.?$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?")
_RATIO = re.compile(r"([-+]?\d+(?:\.\d+)?)/([-+]?\d+(?:\.\d+)?)")
_MIXED = re.compile(r"(-?\d+)\s+(\d+)/(\d+)")
_SCIENTIFIC = re.compile(r"([-+]?\d+(?:\.\d+)?)\*10\^\{?([-+]?\d{1,2})\}?")
_OPTION = re.compile(r"\(?([A-Ja-j])\)?[.:)]?")
_NAME = re.compile(r"^[a-zA-Z](?:_?\w)?(?:\(\w\))?\s*=\s*(?=[^=]+$)")


@lru_cache(maxsize=65536)
def normalize_answer(answer: str) -> str:
    """A canonical spelling: no white space, one notation for fractions, signs, units and wrappers."""
    text = answer.strip().strip("*_`").strip()
    text = text.removesuffix(".")
    text = _TEXT.sub(lambda m: " " + m[1] + " ", text)
    text = _SUPER.sub(lambda m: f"^{{{m[0].translate(_SUPERSCRIPT)}}}", text).translate(_SUBSCRIPT)
    for mark, ratio in _VULGAR.items():
        text = re.sub(rf"(\d){mark}", rf"\1 {ratio}", text).replace(mark, ratio)
    text = _SYMBOL.sub(lambda m: _SYMBOLS[m[0]], text)
    text = _WORDS.sub(lambda m: _SYMBOLS[m[1]], text)
    text = _NAME.sub("", text.strip())
    text = _UNIT.sub("", text.strip())
    text = re.sub(r"(\d)(?:,|\{,\}|\s)(?=\d{3}(?:\D|$))", r"\1", text)
    text = _FRAC.sub(lambda m: f"{m[1] or m[2]}/{m[3] or m[4]}", text)
    text = re.sub(r"\\sqrt\s*(?:\(([^()]+)\)|(\w))", lambda m: f"\\sqrt{{{m[1] or m[2]}}}", text)
    text = re.sub(r"(\d)\s+(\d+/\d)", r"\1&\2", text)
    text = re.sub(r"\s+", "", text).replace("&", " ")
    text = re.sub(r"\^\{(\w)\}", r"^\1", text)
    text = re.sub(r"(?<=\d)\*(?=\\)", "", text)
    return text.strip("{}") if text.startswith("{") and text.endswith("}") and "," not in text else text


def as_rational(normal: str) -> Fraction | None:
    """The exact value of a normalised answer that is one closed number, else None."""
    percent = normal.endswith("%")
    body = normal[:-1] if percent else normal
    if len(body) > 60:
        return None
    value: Fraction | None = None
    try:
        if _NUMBER.fullmatch(body):
            value = Fraction(body)
        elif match := _RATIO.fullmatch(body):
            value = Fraction(match[1]) / Fraction(match[2])
        elif match := _MIXED.fullmatch(body):
            whole = abs(int(match[1])) + Fraction(int(match[2]), int(match[3]))
            value = -whole if body.startswith("-") else whole
        elif match := _SCIENTIFIC.fullmatch(body):
            value = Fraction(match[1]) * Fraction(10) ** int(match[2])
    except ZeroDivisionError:
        return None
    return value


def quick_equivalent(answer: str, reference: str) -> bool | None:
    """True or False where certain, None where a CAS is needed."""
    a, b = normalize_answer(answer), normalize_answer(reference)
    if not a or not b:
        return False if a != b else None
    if a == b or (a.casefold() == b.casefold() and len(a) > 1):
        return True
    va, vb = as_rational(a), as_rational(b)
    if va is not None and vb is not None:
        if va == vb:
            return True
        if a.endswith("%") != b.endswith("%"):
            return None
        rounded = "." in a + b and abs(va - vb) < Fraction(1, 100)
        return None if rounded else False
    oa, ob = _OPTION.fullmatch(a), _OPTION.fullmatch(b)
    if oa and ob:
        return oa[1].upper() == ob[1].upper() or (None if a.islower() or b.islower() else False)
    if (va is None) != (vb is None) and _plain_words(b if vb is None else a):
        return None if _UNIT.search(answer) or _UNIT.search(reference) else False
    return None


def _plain_words(normal: str) -> bool:
    return normal.isalpha() and len(normal) > 2
