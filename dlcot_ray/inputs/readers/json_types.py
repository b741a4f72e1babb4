"""The Arrow schema of JSON objects: found in one pass over all of them, and filled from them.

The type of a column must not depend on which rows are read. So it is settled once, from every value. Values
of several kinds in one place become text: texts as they are, other values as JSON. An object becomes a struct
with all keys that occur; where that would invent keys (the arguments of a tool call), it becomes JSON text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from dlcot_ray.inputs.readers.json_values import to_text

_NULL = type(None)
_WHOLE_FLOATS = 2**53
_MOST_KEYS = 64
"""Objects with more keys are taken for dictionaries, whose keys are data."""
_FREE_FORM = frozenset(("arguments", "args", "kwargs", "input", "parameters", "properties", "schema"))
"""Objects of these names have keys that a tool chose: a key more would be a call with other arguments."""
_READ_WHOLE = frozenset(("tools", "functions"))
"""Columns that trainers take as JSON text: irregular ones become text as a whole."""


class Shape:
    """What values occurred in one place; for rows, in all columns."""

    __slots__ = ("_fields", "_item", "_kinds", "_objects", "_seen", "_wide")

    def __init__(self) -> None:
        self._kinds: set[type] = set()
        self._item: Shape | None = None
        self._fields: dict[str, Shape] = {}
        self._objects = 0
        self._seen = 0
        self._wide = False

    def add(self, value: Any) -> None:
        """Take note of a value."""
        self._seen += 1
        kind = type(value)
        if kind is _NULL:
            return
        self._kinds.add(kind)
        if kind is dict:
            self._objects += 1
            for key, item in value.items():
                self._field(key).add(item)
        elif kind is list:
            self._item = self._item or Shape()
            for item in value:
                self._item.add(item)
        elif kind is int and abs(value) > _WHOLE_FLOATS:
            self._wide = True

    def schema(self) -> pa.Schema:
        """The schema of the objects, each of them a row."""
        return pa.schema([(name, shape._column_type(name)) for name, shape in self._fields.items()])

    def _column_type(self, name: str) -> pa.DataType:
        if name in _READ_WHOLE and not self._is_regular():
            return pa.string()
        return self._type(name, 0)

    def _type(self, name: str, depth: int) -> pa.DataType:
        """The Arrow type that holds every value; `depth` objects are around it, the row not counted."""
        kinds = self._kinds
        if kinds == {bool}:
            return pa.bool_()
        if kinds == {int}:
            return pa.int64()
        if float in kinds and kinds <= {int, float} and not self._wide:
            return pa.float64()
        if kinds == {list} and self._item is not None:
            return pa.list_(self._item._type(name, depth))
        if kinds == {dict} and self._is_struct(name, depth):
            return pa.struct([(key, shape._type(key, depth + 1)) for key, shape in self._fields.items()])
        return pa.string()

    def _is_struct(self, name: str, depth: int) -> bool:
        """Whether the objects here become a struct: not if it would have keys that an object never had."""
        if not 0 < len(self._fields) <= _MOST_KEYS:
            return False
        if depth == 0 or self._has_same_keys():
            return True
        shared = max(shape._seen for shape in self._fields.values()) == self._objects
        return shared and name not in _FREE_FORM

    def _has_same_keys(self) -> bool:
        return all(shape._seen == self._objects for shape in self._fields.values())

    def _is_regular(self) -> bool:
        """Whether all objects here and below have the same keys."""
        below = [*self._fields.values(), *([self._item] if self._item is not None else [])]
        return self._has_same_keys() and all(shape._is_regular() for shape in below)

    def _field(self, key: str) -> Shape:
        found = self._fields.get(key)
        if found is None:
            found = self._fields[key] = Shape()
        return found


def to_batch(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.RecordBatch:
    """Objects as a batch of the schema that `Shape.schema` found for them."""
    columns = [_array([row.get(field.name) for row in rows], field.type) for field in schema]
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows), pa.struct([])))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        # Kinds are mixed here, so the column is of text: only then is each value looked at.
        return pa.array([_fitted(value, kind) for value in values], kind)


def _fitted(value: Any, kind: pa.DataType) -> Any:
    """A value with text wherever its type says text."""
    if value is None:
        return None
    if pa.types.is_string(kind):
        return to_text(value)
    if pa.types.is_list(kind):
        return [_fitted(item, kind.value_type) for item in value]
    if pa.types.is_struct(kind):
        return {field.name: _fitted(value.get(field.name), field.type) for field in kind}
    return value
