"""JSON text to Python values and back, with nothing lost on the way.

The standard library's decoder, with hooks: a number that 64 bits cannot hold exactly stays the text that it
was, and a key that occurs twice with different values is an error. pyarrow's JSON reader was tried first: it
takes one type per column, turns texts that look like dates into dates, and fails a file for one bad line.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

_LARGEST = 2**63 - 1
_DEEPEST = 100
"""Lists and objects within each other."""
_TOO_DEEP = f"it is nested more than {_DEEPEST} deep"
_HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


class Literal(str):
    """A number as the file writes it, because no 64-bit number is equal to it."""

    __slots__ = ()


class JsonFault(ValueError):
    """A text is no JSON object that can be used; the message says why."""


def parse_object(text: bytes) -> dict[str, Any]:
    """One JSON object.

    Args:
        text: UTF-8, without a byte order mark.

    Raises:
        JsonFault: it is something else.
    """
    value = parse_value(text)
    if not isinstance(value, dict):
        raise JsonFault(f"it is {_KINDS.get(type(value), 'a number')}, not a JSON object")
    return value


def parse_value(text: bytes) -> Any:
    """One JSON value: dict, list, str, int, float, bool, None or `Literal`.

    Raises:
        JsonFault: it is no JSON, is not UTF-8, repeats a key, or holds half a surrogate pair.
    """
    try:
        value = _DECODER.decode(text.decode())
        if text.count(b"{") + text.count(b"[") > _DEEPEST:
            _check_depth(value)
        if _HALF_PAIR.search(text):
            _check_pairs(value)
    except UnicodeDecodeError as error:
        raise JsonFault(f"byte {error.start} (0x{error.object[error.start]:02x}) is not UTF-8") from error
    except RecursionError as error:
        raise JsonFault(_TOO_DEEP) from error
    except json.JSONDecodeError as error:
        raise JsonFault(f"{error.msg} at character {error.pos}") from error
    return value


def to_text(value: Any) -> str | None:
    """A value as text: texts as they are, null as None, everything else as JSON."""
    if value is None:
        return None
    return str(value) if isinstance(value, str) else to_json(value)


def to_json(value: Any) -> str:
    """A value of `parse_value` as JSON, its keys in their order."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{to_json(key)}: {to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


_KINDS: dict[type, str] = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}


def _integer(text: str) -> int | Literal:
    if len(text) > 20:
        return Literal(text)
    value = int(text)
    return value if -_LARGEST - 1 <= value <= _LARGEST else Literal(text)


def _real(text: str) -> float | Literal:
    value = float(text)
    if text == repr(value):
        return value
    try:
        is_same = Decimal(text) == Decimal(repr(value))
    except ArithmeticError:
        is_same = False
    return value if is_same else Literal(text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        for key, value in pairs:
            if repr(made[key]) != repr(value):
                raise JsonFault(f"the key {key!r} occurs twice, with different values")
    return made


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_DEEPEST + 1):
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    raise JsonFault(_TOO_DEEP)


def _check_pairs(value: Any) -> None:
    try:
        to_json(value).encode()
    except UnicodeEncodeError as error:
        raise JsonFault("it holds half of a surrogate pair, which no text can") from error


_DECODER = json.JSONDecoder(strict=False, parse_int=_integer, parse_float=_real, object_pairs_hook=_object)
