"""Whether a segment is a plain outcome, or still argues and calculates.

In: the text of a segment near the end of a trace. Out: yes or no.
"""

from __future__ import annotations

import re

CLOSING_CHARS = 400
"""Maximum characters of a last segment that can be the closing words; a longer one contains work."""
_ARGUES = re.compile(
    r"^\W{0,40}(?:but|however|still|nevertheless)\b|\bgiven (?:that|this)\b|"
    r"^\W{0,40}(?:(?:so|thus|therefore|hence|and)\b[,\s]{0,9}){0,9}(?:since|because|as)\b|"
    r"\bboth (?:possibilities|cases|interpretations|options|scenarios)\b",
    re.IGNORECASE,
)
"""Closing words that argue with what stands before them. The final outcome stays, though it is put so."""
_CALCULATES = re.compile(r"\d\s{0,9}[-+*/×·÷^]\s{0,9}\d[^=≈\n]{0,200}[=≈]|[=≈→⇒][^=≈→⇒\n]*[=≈→⇒]")


def argues(text: str) -> bool:
    """Whether closing words argue with what stands before them."""
    return _ARGUES.search(text) is not None


def calculates(text: str) -> bool:
    """Whether closing words work something out."""
    return _CALCULATES.search(text) is not None


def is_plain_outcome(text: str) -> bool:
    """Whether a segment only says what came out: one short paragraph without an argument or a calculation."""
    short = len(text) <= CLOSING_CHARS and "\n" not in text.strip()
    return short and not argues(text) and not calculates(text)
