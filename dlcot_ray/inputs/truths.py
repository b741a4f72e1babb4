"""The ground truths of a row: one value, or several of which any counts; also as JSON in a text."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

_LONGEST_LIST = 10_000
"""Characters of a text that is tried as JSON."""
_NAMES = (
    "ground_truth", "gold_answer", "expected_answer", "reference_answer", "final_answer", "correct_answer",
    "answer", "target", "gold", "label", "solution",
)  # fmt: skip
"""Keys of a JSON object that hold an answer, the surest first."""
_TESTS = frozenset(
    ("test_cases", "tests", "test", "inputs", "outputs", "fn_name", "unit_tests", "asserts", "assert_case")
)
"""Keys of a JSON object that holds tests of a program: no answer."""
_MARK = "#### "
"""Begins the last line of a worked solution, and the answer follows."""
_NOT_JSON = object()


def truths_of(texts: Sequence[str | None]) -> tuple[str, ...]:
    """The filled ground truths, in order, each once; a list in a text, as JSON or Python
    writes it, is as good as a list.

    A JSON object gives the value of its key `ground_truth`, `answer` or the like. One that holds tests of a
    program gives none. Any other object stays the text that it is. Of a worked solution that ends with a line
    ``#### 42`` the answer counts.

    Args:
        texts: the cells of one row.
    """
    found = (item.strip() for text in texts if text is not None for item in _listed(text))
    return tuple(dict.fromkeys(item for item in found if item))


def _listed(text: str) -> Sequence[str]:
    """The items of a JSON text; the text itself if it is none.

    ``[1, 2]`` may be an interval or a vector, so that a list of numbers alone is left as it is.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        found = _parsed(stripped)
        return _of_object(found, text) if isinstance(found, dict) else (text,)
    if stripped.startswith(('["', "['")) and stripped.endswith("]"):
        # Exports to CSV write lists as Python shows them.
        items = _parsed(stripped) if stripped[1] == '"' else _literal(stripped)
        return _scalars(items) or (text,)
    if len(stripped) > 2 and stripped.startswith('"') and stripped.endswith('"'):
        inside = _parsed(stripped)
        return (inside,) if isinstance(inside, str) else (text,)
    last = stripped.rpartition("\n")[2]
    # GSM8K and its kin put the answer behind the worked solution.
    return (last.removeprefix(_MARK),) if last.startswith(_MARK) and last != _MARK else (text,)


def _of_object(found: Mapping[str, Any], text: str) -> Sequence[str]:
    for name in _NAMES:
        if found.get(name) is not None:
            value = found[name]
            return _scalars(value if isinstance(value, list) else [value]) or ()
    return () if _TESTS & found.keys() or not found else (text,)


def _scalars(items: Any) -> list[str] | None:
    """The items as texts; None if they are no list of texts and numbers."""
    if not isinstance(items, list) or not all(_is_scalar(item) for item in items):
        return None
    return [str(item) for item in items]


def _is_scalar(item: Any) -> bool:
    return isinstance(item, str | int | Decimal) and not isinstance(item, bool)


def _literal(text: str) -> Any:
    """The value of a Python literal; something that is none if it is none."""
    if len(text) > _LONGEST_LIST:
        return _NOT_JSON
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return _NOT_JSON


def _parsed(text: str) -> Any:
    """The value of a JSON text; something that is no JSON value if it is none."""
    if len(text) > _LONGEST_LIST and not text.startswith("{"):
        return _NOT_JSON
    try:
        return json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return _NOT_JSON
