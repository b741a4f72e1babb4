"""The ground truths of a row: one value, or several of which any counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

_LONGEST_LIST = 10_000
"""Characters of a text that is tried as a JSON list."""


def truths_of(texts: Sequence[str | None]) -> tuple[str, ...]:
    """The filled ground truths, in order, each once; a JSON list in a text is as good as a list.

    Args:
        texts: the cells of one row.
    """
    found = (item.strip() for text in texts if text is not None for item in _listed(text))
    return tuple(dict.fromkeys(item for item in found if item))


def _listed(text: str) -> Sequence[str]:
    """The items of a JSON list of texts and numbers; the text itself if it is none.

    ``[1, 2]`` may be an interval or a vector, so that a list of numbers alone is left as it is.
    """
    stripped = text.strip()
    if not (stripped.startswith('["') and stripped.endswith("]") and len(stripped) <= _LONGEST_LIST):
        return (text,)
    try:
        items = json.loads(stripped, parse_float=Decimal)
    except ValueError:
        return (text,)
    if not all(isinstance(item, str | int | Decimal) for item in items):
        return (text,)
    return [str(item) for item in items]
