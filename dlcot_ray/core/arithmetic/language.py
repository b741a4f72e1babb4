"""Whether the text around a claim is English.

In: a trace's text and the place of a claim. Out: whether the cues of this package, which are English words, can
be trusted there. In another language a refutation or a modulus would not be seen, so no alarm is given.
"""

from __future__ import annotations

import re
from functools import lru_cache

_BEFORE = 500
_AFTER = 300
"""Characters around a claim whose words tell the language."""
_FEW_WORDS = 12
"""Fewer words than this, around the claim, tell no language; then the whole trace is asked."""
_ENGLISH = re.compile(
    r"\b(?:the|and|that|this|these|then|which|with|from|have|because|there|now|not|each|when|where|equals|gives|"
    r"it|it's|its|let's|wait|yes|since|would|should|could)\b|\b(?:is|are) (?:the|a|an|not|true|false|wrong|\d)\b|"
    r"\bwe (?:have|get|need|can|know|find|pay|add)\b|\bso (?:we|it|far|on|many|much|\d)\b|\bof (?:all|them|\d)\b",
    re.IGNORECASE,
)
"""Words that are English and hardly any other language."""
_COMMAND = re.compile(r"\\[A-Za-z]+")
_WORD = re.compile(r"[^\W\d_]{2,}")
_OTHER_SCRIPT = re.compile(r"[\u0400-\u1cff\u3040-\u9fff\uac00-\ud7af]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def in_english(text: str, start: int, stop: int) -> bool:
    """Whether the claim at `[start, stop)` stands in English text, or in one with hardly any words."""
    near = _COMMAND.sub(" ", text[max(0, start - _BEFORE) : start] + " " + text[stop : stop + _AFTER])
    if _other_script(near):
        return False
    if _ENGLISH.search(near):
        return True
    return len(_WORD.findall(near)) < _FEW_WORDS and _has_english(text)


def _other_script(text: str) -> bool:
    """Whether most letters are neither Latin nor Greek."""
    return len(_OTHER_SCRIPT.findall(text)) > len(_LATIN.findall(text))


@lru_cache(maxsize=4)
def _has_english(text: str) -> bool:
    """Whether a text has an English word, or too few words to be in any language."""
    bare = _COMMAND.sub(" ", text)
    return _ENGLISH.search(bare) is not None or len(_WORD.findall(bare)) < _FEW_WORDS
