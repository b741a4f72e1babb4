"""Token counts without a tokenizer: an estimate of modern byte-pair vocabularies.

Every word, digit, run of other characters and run of line breaks counts as one token. Long words cost a
real tokenizer more and common pairs less; the estimate is not calibrated, and exists so that a job needs
no download. Where the figure must be exact, a job can use a tokenizer (see `config`). Runs are counted
on arrays of character classes, because a regular expression took as long as all the rest of a policy.
"""

from __future__ import annotations

import functools
import re

import numpy as np

_SPACE, _LETTER, _DIGIT, _NEWLINE, _OTHER = range(5)
_ASCII = 128
_ALL = 0x110000


def estimate_tokens(text: str) -> int:
    """Estimated token count: one per digit, word, run of other characters and of line breaks."""
    if not text:
        return 0
    if text.isascii():
        kinds = _classes(_ASCII)[np.frombuffer(text.encode("ascii"), np.uint8)]
    else:
        kinds = _classes(_ALL)[np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)]
    starts = np.empty(len(kinds), np.bool_)
    starts[0] = True
    np.not_equal(kinds[1:], kinds[:-1], out=starts[1:])
    starts |= kinds == _DIGIT
    return int(np.count_nonzero(starts & (kinds != _SPACE)))


@functools.cache
def _classes(count: int) -> np.ndarray:
    """The class of each of the first `count` code points; only ASCII letters make words."""
    table = np.full(count, _OTHER, np.uint8)
    points = "".join(map(chr, range(count)))
    for kind, pattern in ((_SPACE, r"\s"), (_NEWLINE, r"\n"), (_DIGIT, r"\d"), (_LETTER, r"[A-Za-z]")):
        table[[match.start() for match in re.finditer(pattern, points)]] = kind
    return table
