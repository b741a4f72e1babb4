"""Token counts without a tokenizer: an estimate of modern byte-pair vocabularies.

Every word, digit, run of other characters and run of line breaks counts as one token. Long words cost a
real tokenizer more and common pairs less; the estimate is not calibrated, and exists so that a job needs
no download. Where the figure must be exact, the job takes a tokenizer (`job/work.py`). Runs are counted
on arrays of character classes, because a regular expression took as long as all the rest of a policy.
"""

from __future__ import annotations

import re

import numpy as np

_SPACE, _LETTER, _DIGIT, _NEWLINE, _OTHER = range(5)
_WIDE_SPACE = re.compile(r"[^\S\x00-\x7f]")
_WIDE_DIGIT = re.compile(r"[^\D0-9]")


def _classes() -> np.ndarray:
    """The class of every byte of UTF-8; what is not ASCII is neither letter nor space here."""
    table = np.full(256, _OTHER, np.uint8)
    for byte in range(128):
        char = chr(byte)
        if char == "\n":
            table[byte] = _NEWLINE
        elif char.isspace():
            table[byte] = _SPACE
        elif char.isalpha():
            table[byte] = _LETTER
        elif char.isdigit():
            table[byte] = _DIGIT
    return table


_CLASS = _classes()


def estimate_tokens(text: str) -> int:
    """Estimated token count: one per digit, word, run of other characters and of line breaks."""
    if not text:
        return 0
    if not text.isascii():
        text = _WIDE_DIGIT.sub("0", _WIDE_SPACE.sub(" ", text))
    kinds = _CLASS[np.frombuffer(text.encode("utf-8", "surrogatepass"), np.uint8)]
    starts = np.empty(len(kinds), np.bool_)
    starts[0] = True
    np.not_equal(kinds[1:], kinds[:-1], out=starts[1:])
    starts |= kinds == _DIGIT
    return int(np.count_nonzero(starts & (kinds != _SPACE)))
