"""Loading a Hugging Face tokenizer, by directory or hub id."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

_COMMIT = re.compile(r"[\w.-]+(?:/[\w.-]+)?@[\w./-]+")


def load_tokenizer(name: str) -> Any:
    """The tokenizer in a directory, or of a hub id, with or without a commit: ``owner/name@COMMIT``.

    Raises:
        Exception: from transformers, or ImportError without it.
    """
    # Not imported at the top: a heavy package that few commands need.
    tokenizers = importlib.import_module("transformers").AutoTokenizer
    place = Path(name).expanduser()
    if place.exists():
        return tokenizers.from_pretrained(str(place))
    model, revision = name, None
    if _COMMIT.fullmatch(name):
        model, _, revision = name.partition("@")
    return tokenizers.from_pretrained(model, revision=revision)
