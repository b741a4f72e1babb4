"""The conclusion: the longest tail of a trace in which nothing is computed or examined.

In: segments and which of them state an answer. Out: the first segment of the tail. The sentence with the
verdict of a check belongs to the check, so a tail never begins with one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.judging.rules import checks, cues

SHORT = 420
"""Characters; a longer segment does more than conclude."""

_CONCLUDES = re.compile(
    r"^\W{0,40}(?:(?:so|okay|ok|alright|yeah|yes|and|again|well)\b[,.!\s]{0,20}){0,12}"
    r"(?:therefore|thus|hence|consequently|in (?:conclusion|summary|short)|to (?:conclude|sum up"
    r"|summari[sz]e)|overall|finally"
    r"|so\b|final answer|the (?:final |correct )?answer|answer\b|\\+boxed|i(?:'m| am)? (?:\w+ )?(?:think"
    r"|believe|confident|sure|can be confident|don't see)"
    r"|that's (?:the|my|it|all)|(?:we|i)(?:'ll| will| can|'d) (?:answer|respond|present|write|produce"
    r"|output|give|conclude|provide)|we (?:can )?(?:answer|conclude|provide|produce)|after all|regardless"
    r"|given all|(?:based|considering|after) )",
    re.IGNORECASE,
)
_VERDICT = re.compile(
    r"^\W*(?:so\b[,\s]*)?(?:yes|yep|yeah|perfect|correct|great|good|indeed|same|everything|all (?:of"
    r"|good|these|steps)|both|this (?:matches|confirms|makes)|that (?:matches|confirms|seems|makes"
    r"|checks)|it (?:checks|works|matches)|again|it seems correct|seems)\b",
    re.IGNORECASE,
)
_CALCULATES = re.compile(r"[=≈≡]|\\approx|\\equiv")
_EXAMINES = re.compile(
    r"\b(?:(?:which|that|this|it) (?:also |exactly )?(?:matches|agrees|coincides)"
    r"|match(?:es|ing) (?:what|my|our|the)|same (?:answer|result|value|number|count) as\b"
    r"|let(?: me|'s| us) (?:just |also |quickly )*"
    r"(?:\w*check|compute|calculate|count|verify|see|list|test|try))\b",
    re.IGNORECASE,
)
"""Speaks of what was just computed or examined, so it belongs to that."""


def conclusion_start(segments: Sequence[str], answered: Sequence[bool], head: int) -> int:
    """First segment of the conclusion, or len(segments) where the trace has none."""
    start = len(segments)
    while start - 1 > head and _concludes(segments[start - 1], answered[start - 1]):
        start -= 1
    while start < len(segments) and _VERDICT.match(segments[start]):
        start += 1
    if not any(answered[head:start]) and start <= head + 1:
        return min(len(segments), start + 1)
    return start


def _concludes(segment: str, answered: bool) -> bool:
    text = segment.strip()
    if len(text) > SHORT or "?" in text or text.endswith(":"):
        return False
    if checks.looks_back(text) or _EXAMINES.search(text) or cues.announces_approach(text):
        return False
    if _CONCLUDES.match(text) or "\\boxed" in text or "final answer" in text.lower():
        return answered or len(_CALCULATES.findall(text)) == 0
    return _VERDICT.match(text) is None and answered and len(_CALCULATES.findall(text)) == 0
