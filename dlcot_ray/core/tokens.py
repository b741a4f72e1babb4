"""Token counts without a tokenizer: an estimate of modern byte-pair vocabularies.

Every word, digit, run of other characters and run of line breaks counts as one token. Long words cost a
real tokenizer more and common pairs less; the estimate is not calibrated, and exists so that a job needs
no download. Where the figure must be exact, the job takes a tokenizer (`job/work.py`).
"""

from __future__ import annotations

import re

_PIECE = re.compile(r"[A-Za-z]+|\d|[^\sA-Za-z\d]+|\n+")


def estimate_tokens(text: str) -> int:
    """Estimated token count: one per digit, word, run of other characters and of line breaks."""
    return len(_PIECE.findall(text))
