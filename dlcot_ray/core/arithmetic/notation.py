"""Notations that only the text around a claim explains: a gloss in brackets, points that group thousands.

In: a text and the place of a claim. Out: whether its signs mean something else there. The functions run only
for claims that would otherwise be called false.
"""

from __future__ import annotations

import re

from dlcot_ray.core.evidence.expression import Value, evaluate

_GLOSS_REACH = 60
_WORD_BEFORE = re.compile(r"[A-Za-z]\s*$")
_NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?")
_POINT_REACH = 400
_POINTED = re.compile(r"(?<![\d.,])\d+\.\d+(?![\d.])")
_GROUP = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_WHOLE_THOUSANDS = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.(?:000|\d{3}\.\d{3})(?![\d.]*\d)")


def glosses_number(text: str, start: int, left: str, a: Value) -> bool:
    """Whether a bracket only explains a number before it: "6 for the wheels (3*2) = 11"."""
    if not (text.startswith("(", start) and _in_one_bracket(left)):
        return False
    before = re.split(r"[.!?:;]\s|\n", text[max(0, start - _GLOSS_REACH) : start])[-1]
    if not _WORD_BEFORE.search(before):
        return False
    numbers = (evaluate(number.rstrip(",")) for number in _NUMBER.findall(before))
    return any(number is not None and number.number == a.number for number in numbers)


def _in_one_bracket(side: str) -> bool:
    """Whether a side is one bracket from its first character to its last."""
    depth = 0
    for at, char in enumerate(side):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(side) - 1
    return False


def points_group(text: str, start: int, stop: int) -> bool:
    """Whether the points of a claim separate thousands, as whole thousands nearby show: ``4.000``."""
    pointed = _POINTED.findall(text, start, stop)
    if not pointed or not all(_GROUP.fullmatch(number) for number in pointed):
        return False
    return _WHOLE_THOUSANDS.search(text, max(0, start - _POINT_REACH), stop + _POINT_REACH) is not None
