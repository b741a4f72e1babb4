"""Whether a trace returns to a false claim and corrects it.

In: a trace's text and a false claim. Out: True only where the correction itself is found: the same left side
with its right value, a word that notices the error and then the right value, or such a word and at once a true
equation for the same result. A "Wait" alone may be about anything.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache

from dlcot_ray.core.arithmetic.claims import ArithmeticClaim
from dlcot_ray.core.arithmetic.finding import find_claims
from dlcot_ray.core.evidence.expression import Value, evaluate, evaluate_prefix

_NOTICES = re.compile(
    r"\b(?:mistake|wrong|incorrect|error|correction|oops|sorry|not right|can't be right|cannot be right|that's off|actually|"
    r"miscalculat\w+|i mis\w+|re-?check|re-?calculate|re-?compute|double[- ]check)\b|"
    r"(?:^|[.!?,;\n(])\W{0,20}(?:wait|no|hold on|hmm)\b",
    re.IGNORECASE,
)
_NOTICED_WITHIN = 400
"""Characters behind a claim within which the trace notices the error."""
_RIGHT_WITHIN = 400
"""Characters behind the notice within which the right value stands."""
_TAKEN_BACK = re.compile(r"[\s$.,;:!)\]\\-]*(?:wait|no|oops|sorry)\b[^\d\n]{0,40}", re.IGNORECASE)
_REPLACED_WITHIN = 120
"""Characters behind "Wait, no," within which the equation that replaces the claim stands."""
_RESTATED_WITHIN = 3000
"""Characters behind a claim within which its left side can be stated again."""
_RESTATEMENTS = 4
"""Statements of the same left side that are read."""
_LAYOUT = re.compile(r"[\s$]|\\(?:left|right|[,;:! ()\[\]])")
_SIGNS = {"\\times": "*", "\\cdot": "*", "×": "*", "·": "*", "⋅": "*", "÷": "/", "\\div": "/", "−": "-"}
_REWRITTEN = re.compile("|".join((_LAYOUT.pattern, *map(re.escape, _SIGNS))))
_BLOCK = 4096
"""Characters of a trace whose claims share one plain form of what stands behind them."""
_SAYS = re.compile(r"(?:=|≈|\\approx|is|equals)\$?")
_MORE_BEFORE = re.compile(r"(?:[\d+\-*/^]|\d[.,])$")
_NUMBER = re.compile(r"(?<![\w.])-?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?![\w/])|\\[dt]?frac\{-?\d+\}\{\d+\}")


def is_corrected(text: str, stop: int, claim: ArithmeticClaim) -> bool:
    """Whether the text behind a false claim, which ends at `stop`, corrects it."""
    left = claim.left
    value = evaluate(left) or evaluate(claim.expected)
    if value is None:
        return False
    after = text[stop : stop + _RESTATED_WITHIN]
    if _restated(_plain_behind(text, stop), plain(left), value) or _replaced(after, claim):
        return True
    notice = _NOTICES.search(after[:_NOTICED_WITHIN])
    if notice is None:
        return False
    numbers = _NUMBER.findall(after, notice.start(), notice.end() + _RIGHT_WITHIN)
    found = (evaluate(number.rstrip(",")) for number in numbers)
    return any(number is not None and number.number == value.number for number in found)


def _replaced(after: str, claim: ArithmeticClaim) -> bool:
    """Whether the claim is taken back at once for a true one: ``9 + 8 = 15. Wait, no, 9 + 6 = 15``."""
    back = _TAKEN_BACK.match(after)
    if back is None:
        return False
    other = next(iter(find_claims(after[back.end() : back.end() + _REPLACED_WITHIN])), None)
    if other is None or other.start > 1 or not other.holds or plain(other.right) != plain(claim.right):
        return False
    return bool(set(_NUMBER.findall(claim.left)) & set(_NUMBER.findall(other.left)))


def plain(text: str) -> str:
    """An expression without layout, and with one sign per operation."""
    return _REWRITTEN.sub(lambda m: _SIGNS.get(m[0], ""), text)


def _plain_behind(text: str, stop: int) -> str:
    """The plain form of the text behind a claim, as far as its left side can be stated again."""
    number = stop // _BLOCK
    block, ends, places = _plain_block(text, number)

    def place(at: int) -> int:
        """Where a character of the block is in its plain form."""
        before = bisect_right(ends, at) - 1
        return places[before] + at - ends[before]

    at = stop - number * _BLOCK
    return block[place(at) : place(at + _RESTATED_WITHIN)]


@lru_cache(maxsize=4)
def _plain_block(text: str, number: int) -> tuple[str, Sequence[int], Sequence[int]]:
    """The plain form of a block and of all that stands behind its claims; where each rewritten part ends, and
    where that is in the plain form."""
    start = number * _BLOCK
    block = text[start : start + _BLOCK + _RESTATED_WITHIN]
    parts: list[str] = []
    ends, places = [0], [0]
    for found in _REWRITTEN.finditer(block):
        sign = _SIGNS.get(found[0], "")
        parts += (block[ends[-1] : found.start()], sign)
        places.append(places[-1] + found.start() - ends[-1] + len(sign))
        ends.append(found.end())
    parts.append(block[ends[-1] :])
    return "".join(parts), ends, places


def _restated(after: str, left: str, wanted: Value) -> bool:
    """Whether a plain text says `left` again with the value `wanted`."""
    at = -1
    for _ in range(_RESTATEMENTS):
        at = after.find(left, at + 1)
        if at < 0:
            return False
        if _MORE_BEFORE.search(after, max(0, at - 2), at):
            continue
        says = _SAYS.match(after, at + len(left))
        said = evaluate_prefix(after[says.end() : says.end() + 40]) if says else None
        if said is not None and said[0].number == wanted.number:
            return True
    return False
