"""Token counts without a tokenizer: an estimate of modern byte-pair vocabularies.

Words, single digits, punctuation runs and non-Latin characters are counted by their usual price. The
estimate exists so that a job needs no download; give a tokenizer where the figure must be exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

_PIECE = re.compile(r"[A-Za-z]+|\d|[^\sA-Za-z\d]+|\n+")


def estimate_tokens(text: str) -> int:
    """Estimated token count: one per digit, word, punctuation run and line break; long words cost more."""
    return len(_PIECE.findall(text))


def load_token_counter(path: str | None) -> Callable[[str], int]:
    """The estimate for None, else exact counts by the ``tokenizer.json`` at `path` (file or directory).

    Raises:
        ValueError: the file cannot be read, or the ``tokenizers`` library is missing.
    """
    if path is None:
        return estimate_tokens
    file = Path(path)
    file = file / "tokenizer.json" if file.is_dir() else file
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ValueError("tokenizer=... needs the 'tokenizers' library: pip install tokenizers") from error
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise ValueError(f"cannot read tokenizer {file}: {error}") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
