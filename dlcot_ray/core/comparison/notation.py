"""One spelling for answers: wrappers, signs, fractions and roots that mean the same are written the same.

In: an answer as written. Out: `plain_answer`, a readable text without wrappers, in which units keep their
place, and `squeeze`, the same without white space and with one form for numbers. Neither decides anything.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ", "0123456789-+n")
_SUBSCRIPT = re.compile(r"[₀₁₂₃₄₅₆₇₈₉]+")
_SUBSCRIPT_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅙": "1/6", "⅛": "1/8", "⅜": "3/8",
}  # fmt: skip
_VULGAR_MARK = re.compile(r"(\d?)\s?([½⅓⅔¼¾⅕⅙⅛⅜])")
_SYMBOLS = {
    "−": "-", "–": "-", "×": "*", "·": "*", "÷": "/", "π": "\\pi ", "√": "\\sqrt", "∞": "\\infty ", "∪": "\\cup ",
    "≤": "\\le ", "≥": "\\ge ", "≠": "\\ne ", "∈": "\\in ", "∅": "\\emptyset ", "ℝ": "\\mathbb{R}", "µ": "μ",
    "\\\\": "\\\\", "\\left": "", "\\right": "", "\\!": "", "\\,": " ", "\\;": " ", "\\:": " ", "\\ ": " ", "\\quad": " ",
    "\\qquad": " ", "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "\\cdot": "*", "\\times": "*",
    "\\leq": "\\le ", "\\geq": "\\ge ", "\\neq": "\\ne ", "\\lt": "<", "\\gt": ">", "^\\circ": "°",
    "^{\\circ}": "°", "^{∘}": "°", "^∘": "°", "^°": "°", "\\circ": "°", "\\degree": "°", "\\degrees": "°",
    "\\%": "%", "~": " ", "\\(": "", "\\)": "", "\\[": "", "\\]": "", "\\displaystyle": "", "infinity": "\\infty ",
    "\\varnothing": "\\emptyset ", "\\lbrace": "\\{", "\\rbrace": "\\}", "\\mu": "μ", "\\Omega": "Ω",
    "\\limits": "", "\\mathcal": "", "\\newline": " ",
}  # fmt: skip
_SYMBOL = re.compile(
    "|".join(
        re.escape(s) + (r"(?![a-zA-Z])" if s[-1].isalpha() else "")
        for s in sorted(_SYMBOLS, key=len, reverse=True)
    )
)
_NAMES = re.compile(r"(?<![\\a-zA-Z])(pi|sqrt)(?![a-zA-Z])")
_SUPER = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ⁿ]+")
_TEXT = re.compile(
    r"\\(?:text|textbf|textit|textrm|textnormal|mathrm|mathbf|mathit|mathsf|mbox|operatorname|boxed|fbox|underline|bf|rm)"
    r"\s*\{([^{}]*)\}"
)
_BOX = re.compile(r"\\(?:boxed|fbox)\s*(?=\{)")
_BOLD = re.compile(r"\\(?:mathbf|boldsymbol|bm|mathit|mathrm)\s*(?=\{)")
_MONEY = re.compile(r"(?:\\\$|\$|US\$|USD(?= ?\d)|[€£¥])")
_COINS = {"€": " euros", "£": " pounds sterling", "¥": " yen"}
_GROUPED = re.compile(r"(?<![\d.])([1-9]\d{0,2})((?:(?:,|\{,\})\d{3}|\s\d{3})+)(?![\d])")
_SPACED_COMMA = re.compile(r"(?<=\d),\\! ?(?=\d{3}(?!\d))")
_THIN_GROUP = re.compile(r"(?<=\d)\\[,;:] ?(?=\d{3}(?!\d))")
_LETTER = re.compile(r"[A-Za-z]")
_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*(\d)")
_HALF_SHORT_FRACTION = re.compile(r"\\frac\s*(\d)\s*\{")
_PLAIN_FRACTION = re.compile(r"\\frac\s*\{(-?\w+)\}\s*\{(\w+)\}(?![\w\\(^!]|\s+[\w(])")
_TIMES_TEN = re.compile(r"(?<=\d)\s?[xX]\s?(?=10\s?(?:\^|\*\*))")
"""The letter x as a sign of multiplication: `4.6 x 10^-24`."""
_MIXED_FRACTION = re.compile(r"(?<![\w.}])(\d+)\s*\\frac\s*\{(\d+)\}\s*\{(\d+)\}(?![\w\\(^!])")
"""The whole part is kept apart, so that ``1\\frac{1}{2}`` does not read as eleven halves."""
_MIXED_RATIO = re.compile(r"(?<![/\d.])(\d+)\s+(\d+/\d)")
_ROOT = re.compile(r"\\sqrt\s*(?:\(([^()]+)\)|(\w))")
_UNICODE_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?)")
_SPACE = re.compile(r"\s+")
_LISTED = re.compile(r"(?<=\d),\s+(?=\d{3}(?!\d))")
_DIGIT_GAP = re.compile(r"(?<=\d)(?<![_^]\d)\s+(?=\d)")
_SHORT_POWER = re.compile(r"\^\{(\w)\}")
_STAR = re.compile(r"(?<=\d)\*(?=[\\a-z])")
_ZEROS = re.compile(r"(\.\d*?)0+(?!\d)")
_LAST_POINT = re.compile(r"(?<=\d)\.(?!\d)")
_BARE_POINT = re.compile(r"(?<!\d)\.(?=\d)")
_REPEATING = re.compile(r"(\d{1,15})\.(\d{0,12})\\(?:overline|bar|dot)\s*\{(\d{1,12})\}")
_PLAIN = re.compile(r"-?(?:[1-9]\d{0,2}|[1-9]\d{3,}|0)(?:\.\d*[1-9])?(?:/[1-9]\d*)?")


@lru_cache(maxsize=65536)
def plain_answer(answer: str) -> str:
    """The answer without wrappers and mark-up, in plain signs; money keeps its unit as a word."""
    if _PLAIN.fullmatch(answer):
        return answer
    text = answer.strip().strip("*_`").strip()
    text = text.removesuffix(".").removesuffix("\\").strip()
    if "$" in text or not text.isascii():
        text = _money(text)
    if not text.isascii():
        text = _from_unicode(text)
    if "\\" in text:
        text = _without_marks(text)
    if "10" in text:
        text = _TIMES_TEN.sub("*", text)
    text = _SYMBOL.sub(_symbol, text)
    text = _NAMES.sub(r"\\\1 ", text)
    return text.strip().strip("*_`").strip().removesuffix(".").strip()


def squeeze(text: str) -> str:
    """A plain answer without white space, with one notation for fractions, roots, powers and decimals."""
    if _PLAIN.fullmatch(text):
        return text
    if text[:1] not in "([{\\" or text[:2] == "\\f":
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
    if " " in text:
        # "3 4" and "3, 400" are two numbers; white space anywhere else says nothing.
        text = _LISTED.sub(";", text)
        text = _SPACE.sub("", _DIGIT_GAP.sub("\0", text)).replace("\0", " ")
    if "^{" in text:
        text = _SHORT_POWER.sub(r"^\1", text)
    if "*" in text:
        text = _STAR.sub("", text)
    if "." in text:
        text = _ZEROS.sub(r"\1", text)
        text = _BARE_POINT.sub("0.", _LAST_POINT.sub("", text))
    if text.startswith("{") and text.endswith("}") and text.count("{") == 1:
        # Braces without backslashes group in LaTeX and leave no mark: `{1,3}` prints as 1,3.
        text = text[1:-1]
    if text.isascii() and text.isdigit():
        return text.lstrip("0") or "0"
    return text.removeprefix("+")


def _without_marks(text: str) -> str:
    text = _SPACED_COMMA.sub("{,}", text)
    text = _THIN_GROUP.sub("{,}", text)
    for _ in range(3):
        inner = _TEXT.sub(r" \1 ", text)
        if inner == text:
            break
        text = inner
    text = _BOLD.sub("", text)
    if (box := _BOX.match(text)) and text.endswith("}"):
        text = text[box.end() + 1 : -1]
    return _REPEATING.sub(_repeating, text) if "." in text else text


def _money(text: str) -> str:
    """Currency signs as words behind the value; a pair of dollar signs only delimits a formula."""
    paired = text.replace("\\$", "")
    if (count := paired.count("$")) and count % 2 == 0:
        text = text.replace("\\$", "\0").replace("$", "").replace("\0", "\\$")
    found = _MONEY.search(text)
    if found is None:
        return text
    rest = text[: found.start()] + text[found.end() :]
    if not any(c.isdigit() for c in rest) or _MONEY.search(rest):
        return rest if found[0] not in _COINS else text
    return rest if _LETTER.search(rest.replace("\\text", "")) else rest + _COINS.get(found[0], " dollars")


def _from_unicode(text: str) -> str:
    text = _SUPER.sub(lambda m: f"^{{{m[0].translate(_SUPERSCRIPT)}}}", text)
    text = _SUBSCRIPT.sub(lambda m: f"_{{{m[0].translate(_SUBSCRIPT_DIGITS)}}}", text)
    text = _UNICODE_ROOT.sub(r"\\sqrt{\1}", text)
    return _VULGAR_MARK.sub(lambda m: f"{m[1]} {_VULGAR[m[2]]}" if m[1] else _VULGAR[m[2]], text)


def _symbol(match: re.Match[str]) -> str:
    return _SYMBOLS[match[0]]


def _ungroup(match: re.Match[str]) -> str:
    return match[1] + "".join(c for c in match[2] if c.isdigit())


def _root(match: re.Match[str]) -> str:
    return f"\\sqrt{{{match[1] or match[2]}}}"


def _repeating(match: re.Match[str]) -> str:
    """``0.1\\overline{6}`` as a fraction."""
    whole, fixed, period = match[1], match[2], match[3]
    nines = (10 ** len(period) - 1) * 10 ** len(fixed)
    top = int(whole + fixed + period) - int(whole + fixed)
    return f"\\frac{{{top}}}{{{nines}}}"
