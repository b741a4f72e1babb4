"""Tokens of numeric expressions, in plain, Unicode or LaTeX notation.

In: a text and a position. Out: the next token: its kind, its spelling in one notation and where it ends.
"""

from __future__ import annotations

import re
from fractions import Fraction

_NUMBER = r"\d{1,3}(?:(?:,\\!|,|\{,\}|\\,)\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_TOKEN = re.compile(
    rf"(?P<gap>(?:[\s&$]|\\[,;:! $()\[\]]|\\(?:left|right|[bB]ig{{1,2}}[lr]?|displaystyle)(?![a-zA-Z]))+)"
    rf"|(?P<number>{_NUMBER})"
    r"|(?P<super>[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)"
    r"|(?P<vulgar>[½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞])"
    r"|(?P<op>\*\*|\\(?:[dtc]?frac|sqrt|cdot|times|div|[dt]?binom)(?![a-zA-Z])|\\%|sqrt|binom|C(?=\()|\\pi(?![a-zA-Z])|π|pi(?![a-zA-Z])"
    r"|[-+*/^()\[\]{}!%,−×·⋅∗÷√])"
)
_SAME = {
    "−": "-", "×": "*", "·": "*", "⋅": "*", "∗": "*", "\\cdot": "*", "\\times": "*", "÷": "/", "\\div": "/",
    "**": "^", "\\dfrac": "\\frac", "\\tfrac": "\\frac", "\\cfrac": "\\frac", "√": "sqrt", "\\sqrt": "sqrt",
    "\\binom": "binom", "\\dbinom": "binom", "\\tbinom": "binom", "\\%": "%",
    "\\pi": "pi", "π": "pi",
}  # fmt: skip
VULGAR = {
    "½": Fraction(1, 2), "⅓": Fraction(1, 3), "⅔": Fraction(2, 3), "¼": Fraction(1, 4), "¾": Fraction(3, 4),
    "⅕": Fraction(1, 5), "⅖": Fraction(2, 5), "⅗": Fraction(3, 5), "⅘": Fraction(4, 5), "⅙": Fraction(1, 6),
    "⅚": Fraction(5, 6), "⅛": Fraction(1, 8), "⅜": Fraction(3, 8), "⅝": Fraction(5, 8), "⅞": Fraction(7, 8),
}  # fmt: skip


def next_token(text: str, at: int) -> tuple[str, str, int, bool]:
    """Kind, spelling, end, and whether white space or a delimiter stands before the token at `at`.

    The kind is a group of the pattern (number, super, vulgar, op), "foreign" for anything else, and "" at the
    end of the text; the spelling of the last two is "".
    """
    match = _TOKEN.match(text, at)
    gap = match is not None and match.lastgroup == "gap"
    if match is not None and gap:
        at = match.end()
        match = _TOKEN.match(text, at)
    if match is None:
        return "" if at == len(text) else "foreign", "", at, gap
    return match.lastgroup or "", _SAME.get(match.group(), match.group()), match.end(), gap
