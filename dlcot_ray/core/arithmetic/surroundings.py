"""What is attached to a numeric claim: text before its left side or behind its right side.

In: a text and the place of a claim. Out: whether the claim is cut out of something longer. A word or sign that
is not known to be harmless counts as attached, because a false alarm costs more than a missed one. The
functions run only for claims that would otherwise be called false, so they may look at much text.
"""

from __future__ import annotations

import re

_OPERATOR_WORDS = re.compile(
    r"times|plus|minus|over|by|of|mod|modulo|twice|half|double|triple|thrice|root|squared|cubed|log|ln|sin|cos|tan|sec|csc|cot|"
    r"exp|max|min|gcd|lcm|floor|ceil|det|base|choose|sum|product|per|than|divided|multiplied|and|or|to|between|from|"
    r"arcsin|arccos|arctan|sinh|cosh|tanh|pi|theta|alpha|beta|"
    r"sqrt|frac|pm|mp|degrees?|rows?|columns?|steps?|cases?|days?|levels?|index|indices|positions?|numbers?|equations?|lines?|bits?|digits?|"
    r"options?|choices?|terms?|parts?|questions?|problems?|tables?|figures?|sections?|chapters?|pages?|versions?|types?|groups?|"
    r"no|nos|eqs?|pairs?|sets?|intervals?|ranges?|rounds?|stages?|phases?|levels?|games?|trials?|tests?|scores?",
    re.IGNORECASE,
)
_SHORT_WORDS = frozenset(
    [
        "is",
        "so",
        "if",
        "or",
        "as",
        "at",
        "to",
        "in",
        "on",
        "of",
        "by",
        "we",
        "it",
        "an",
        "be",
        "he",
        "do",
        "my",
        "no",
        "up",
        "us",
        "me",
        "go",
        "vs",
        "cm",
        "mm",
        "km",
        "kg",
        "mg",
        "ml",
        "ft",
        "oz",
        "lb",
        "hr",
        "mi",
        "yd",
        "pt",
        "qt",
        "gb",
        "mb",
        "kb",
        "ms",
        "ns",
        "hz",
        "am",
        "pm",
    ]
)
"""Words of two letters that are no product of two variables."""
_SAYS = frozenset(
    [
        "is",
        "are",
        "was",
        "be",
        "equals",
        "gives",
        "give",
        "get",
        "gets",
        "so",
        "then",
        "and",
        "thus",
        "that",
        "becomes",
    ]
)
"""Words after which a leading minus is a sign. After other words it subtracts from what the words name."""
_AFTER_WORDS = re.compile(
    r"mod|modulo|base|remainder|times|plus|minus|divided|over|squared|cubed|factorial|percent|million|billion|thousand|"
    r"hundred|dozen|choose|multiplied|rem|approx|approximately|roughly|"
    r"more|less|fewer|greater|larger|smaller|short|away|off|or|xor|"
    r"sin|cos|tan|sec|csc|cot|log|ln|lg|exp|sqrt|root|roots|pi|theta|alpha|beta|gcd|lcm|max|min|det|sinh|cosh|tanh|"
    r"arcsin|arccos|arctan|[b-zB-Z]|[A-Z]{2}",
)
_ATTACHED_AFTER = re.compile(
    r"[A-Za-z\d_|≡≠°′'^²³⁻₀-₉π√∞⌋⌉ϕφθλμ]|\s*[≡≠|_^√π∑∏∫±∓%∈⌊⌈]|\s*\\(?!text|mathrm|quad|qquad|Rightarrow|implies|checkmark|end|\\|newline|[)\]])"
    r"|\s+[a-zA-Zα-ω](?![\w'])|:\s?-?\d|\s*(?:…|\.\.)|\s*[–—]\s?[\d(\\a-z](?![a-z])|\s*<su[bp]\b|\s*\((?!I\b)[a-zA-Z](?![a-zA-Z])"
)
_NEXT_LINE = re.compile(
    r"(?:[ \t$]|\\[)\]])*\\*\n(?:\\[(\[]|[&$\s])*(?:[+×·÷/^]|\\(?:times|cdot|div|pm|mp)(?![a-z]))"
)
"""An operator that begins the next line goes on with the expression."""
_WORD_AFTER = re.compile(r"[\s$*)\]}]*(?:\\text\{\s*|\\mathrm\{\s*|\()?([A-Za-z]+)")
_MIXED_UNITS = re.compile(r"[ $]*[A-Za-z]+,? (?:and )?\$?\d")
"""``= 1 hour 15 minutes``"""
_WORD_BEFORE = re.compile(r"(\\?)([A-Za-z]+)[:,]?$")
_HARMLESS = frozenset(';:?"“”‘’`<>≤≥→⇒⟹∴∵✓✔✅•€£¥。，：；？！（、|')
_DASHES = "–—‐‑‒"
_OPEN_LINE = re.compile(
    r"(?:(?<![-*])[-+*/^×·÷−]|\\(?:times|cdot|div|pm))[ \t]*(?:[&$]|\\\\)*[ \t]*\n\s*(?:[&$]|\\[(\[])*\s*$"
)
"""A line that ends in an operator goes on in the next one."""
_INEQUALITY_BEFORE = re.compile(r"(?:[<>≤≥≲≳]|\\(?:leq?|geq?|lt|gt|leqslant|geqslant)(?![a-z]))[\s$({]*$")
_INEQUALITY_AFTER = re.compile(r"[\s$)}]*(?:[<>≤≥≲≳](?!\w)|\\(?:leq?|geq?|lt|gt|leqslant|geqslant)(?![a-z]))")
_VARIABLE_FACTOR = re.compile(r"\s*\((?!I\b)[a-zA-Z](?![a-zA-Z])")
_CALCULATES = re.compile(r"[*×·+^]|\\times|\\cdot| - ")
_STATEMENT_BEFORE = re.compile(
    r"(?:^|[.,:;(\n]\s*|\b(?:so|and|since|because|then|now|therefore|thus|yes|but)\s)\$?$", re.IGNORECASE
)
_STATEMENT_AFTER = re.compile(r"\$?(?:[.,;:)](?:\s|$)|\s*$|\s(?:and|so|which|plus)\b)")


def free_before(text: str, run_start: int, first: int) -> bool:
    """Whether the text before an expression is not part of it; it begins at `first`, its white space at `run_start`."""
    if run_start == 0 or text[run_start - 1] == "\n":
        return not continues_before(text, first)
    char, gap = text[run_start - 1], first > run_start
    if not char.isalnum():
        return _harmless_before(text, run_start, gap)
    if not gap or char.isdigit():
        return False
    word = _WORD_BEFORE.search(text, max(0, run_start - 24), run_start)
    if word is None or len(word[2]) == 1:
        return False
    if word[1]:
        return word[2] in ("quad", "qquad", "implies", "Rightarrow", "to", "therefore")
    if len(word[2]) == 2 and word[2].lower() not in _SHORT_WORDS:
        return False
    if text[first : first + 1] in ("-", "−") and word[2].lower() not in _SAYS:
        return False
    return not operator_word(word[2])


def continues_before(text: str, start: int) -> bool:
    """Whether the line before ends in an operator, so that the expression at `start` is only its rest."""
    return _OPEN_LINE.search(text, max(0, start - 60), start) is not None


def continues_behind(text: str, stop: int) -> bool:
    """Whether the next line goes on with the expression that ends at `stop`."""
    return _NEXT_LINE.match(text, stop) is not None


def _harmless_before(text: str, run_start: int, gap: bool) -> bool:
    char = text[run_start - 1]
    if char == "\\":
        return text[max(0, run_start - 2) : run_start] == "\\\\" and gap
    if char in _DASHES:
        before = text[max(0, run_start - 12) : run_start - 1].rstrip(" ")
        return gap and bool(before) and (before[-1].isalpha() or before[-1] in ".,:;\n")
    if char == "|":
        return False
    if char in ":?<>":
        return gap
    return char in _HARMLESS


def operator_word(word: str) -> bool:
    """Whether a word before a number works on it or labels it, such as ``times``, ``of``, ``step``."""
    return _OPERATOR_WORDS.fullmatch(word) is not None


def free_after(text: str, at: int, stop: int) -> bool:
    """Whether the text after an expression is not part of it; it ends at `stop`, its white space at `at`."""
    # A word after a space is usually the counted thing ("= 58 apples"); other cases are tested below.
    if _ATTACHED_AFTER.match(text, stop if text[at : at + 1].isalpha() else at):
        return False
    if _MIXED_UNITS.match(text, stop) or _NEXT_LINE.match(text, stop):
        return False
    word = _WORD_AFTER.match(text, stop)
    if word is None:
        return True
    if len(word[1]) == 2 and word[1].lower() not in _SHORT_WORDS:
        return False
    return _AFTER_WORDS.fullmatch(word[1]) is None and _AFTER_WORDS.fullmatch(word[1].lower()) is None


def is_counted(text: str, stop: int) -> bool:
    """Whether a word follows a number that ends at `stop`, such as the counted thing."""
    return _WORD_AFTER.match(text, stop) is not None


def variable_factor(text: str, at: int) -> bool:
    """Whether a bracket with a variable follows, as in ``12 (x - 1)``."""
    return _VARIABLE_FACTOR.match(text, at) is not None


def in_inequality(text: str, start: int, stop: int) -> bool:
    """Whether the claim at `[start, stop)` is part of a chain of inequalities, where bounds are rounded."""
    before = _INEQUALITY_BEFORE.search(text, max(0, start - 12), start)
    return before is not None or _INEQUALITY_AFTER.match(text, stop) is not None


def plain_statement(text: str, start: int, stop: int, end: int) -> bool:
    """``3*4 is 12`` is a claim only as a plain statement; "the value at x = 1/2 is 5" is none.

    The left side is ``text[start:stop]``, the right side ends at `end`.
    """
    return (
        _CALCULATES.search(text, start, stop) is not None
        and _STATEMENT_BEFORE.search(text[max(0, start - 16) : start]) is not None
        and _STATEMENT_AFTER.match(text[end : end + 8]) is not None
    )
