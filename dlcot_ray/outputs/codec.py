"""Frozen dataclasses to Arrow columns and back, derived from their type hints.

The annotation is a deep record, so the Arrow type, the encoder and the decoder are all derived from the
dataclass; a golden test pins the stored schema. The codec works on whole columns (all rows' leaves in one
array), which is several times faster than one dict per row.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from itertools import accumulate, chain, pairwise
from operator import attrgetter, itemgetter
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one Python type are stored: the Arrow type, and a column's way there and back."""

    type: pa.DataType
    nullable: bool
    encode: Callable[[Sequence[Any]], pa.Array]
    decode: Callable[[pa.Array], list[Any]]


@cache
def codec_of(hint: Any) -> Codec:
    """The codec of a type: str, int (32 bits), float, bool, string enums, dataclasses, `X | None`,
    ``tuple[X, ...]`` (a list) and ``tuple[int, int]`` (a struct of start and stop).

    Raises:
        TypeError: a type that has no storage here.
    """
    leaves = {str: pa.string(), int: pa.int32(), float: pa.float64(), bool: pa.bool_()}
    if hint in leaves:
        return _leaf(leaves[hint])
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum(hint)
    if is_dataclass(hint):
        return _record(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType) and len(arguments) == 2 and type(None) in arguments:
        hint = next(argument for argument in arguments if argument is not type(None))
        inner = codec_of(hint)
        if pa.types.is_nested(inner.type):
            raise TypeError(f"{hint!r} cannot be optional; only leaves can")
        return Codec(inner.type, True, inner.encode, inner.decode)
    if origin is tuple and arguments == (int, int):
        return _struct(
            (("start", codec_of(int), itemgetter(0)), ("stop", codec_of(int), itemgetter(1))), tuple
        )
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return _list(codec_of(arguments[0]))
    raise TypeError(f"{hint!r} cannot be stored in an Arrow column")


def record_schema(record: type[Any]) -> pa.Schema:
    """The Arrow schema of a table with one row per instance of a dataclass."""
    return pa.schema([pa.field(name, codec.type, nullable=codec.nullable) for name, codec in _fields(record)])


def to_table(records: Sequence[Any], record: type[Any]) -> pa.Table:
    """One row per instance; the schema does not depend on the instances."""
    arrays = [codec.encode([getattr(item, name) for item in records]) for name, codec in _fields(record)]
    return pa.Table.from_arrays(arrays, schema=record_schema(record))


def from_table(table: pa.Table, record: type[Any]) -> list[Any]:
    """The instances that `to_table` stored. Additional columns are ignored.

    Raises:
        KeyError: a column is missing.
    """
    columns = [codec.decode(_one_chunk(table.column(name), codec.type)) for name, codec in _fields(record)]
    return [record(*values) for values in zip(*columns, strict=True)]


def _fields(record: type[Any]) -> list[tuple[str, Codec]]:
    hints = typing.get_type_hints(record)
    return [(field.name, codec_of(hints[field.name])) for field in fields(record)]


def _one_chunk(column: pa.ChunkedArray, kind: pa.DataType) -> pa.Array:
    if column.type != kind:
        column = column.cast(kind)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], kind)


def _leaf(kind: pa.DataType) -> Codec:
    return Codec(kind, False, lambda values: pa.array(values, kind), lambda array: array.to_pylist())


def _enum(kind: type[Enum]) -> Codec:
    members: dict[Any, Any] = {member.value: member for member in kind}
    members[None] = None

    def encode(values: Sequence[Any]) -> pa.Array:
        return pa.array([None if value is None else value.value for value in values], pa.string())

    def decode(array: pa.Array) -> list[Any]:
        return [members[value] for value in array.to_pylist()]

    return Codec(pa.string(), False, encode, decode)


def _record(record: Any) -> Codec:
    parts = tuple((name, codec, attrgetter(name)) for name, codec in _fields(record))
    return _struct(parts, lambda values: record(*values))


def _struct(
    parts: Sequence[tuple[str, Codec, Callable[[Any], Any]]], build: Callable[[Iterable[Any]], Any]
) -> Codec:
    kind = pa.struct([pa.field(name, codec.type, nullable=codec.nullable) for name, codec, _ in parts])

    def encode(values: Sequence[Any]) -> pa.Array:
        arrays = [codec.encode([get(value) for value in values]) for _, codec, get in parts]
        return pa.StructArray.from_arrays(arrays, fields=list(kind))

    def decode(array: pa.Array) -> list[Any]:
        columns = [codec.decode(child) for (_, codec, _), child in zip(parts, array.flatten(), strict=True)]
        return [build(values) for values in zip(*columns, strict=True)]

    return Codec(kind, False, encode, decode)


def _list(item: Codec) -> Codec:
    kind = pa.list_(pa.field("item", item.type, nullable=item.nullable))

    def encode(values: Sequence[Any]) -> pa.Array:
        offsets = pa.array(accumulate(map(len, values), initial=0), pa.int32())
        flat = item.encode(list(chain.from_iterable(values)))
        return pa.ListArray.from_arrays(offsets, flat, type=kind)

    def decode(array: pa.Array) -> list[Any]:
        flat = item.decode(array.flatten())
        ends = list(accumulate(array.value_lengths().to_pylist(), initial=0))
        return [tuple(flat[start:stop]) for start, stop in pairwise(ends)]

    return Codec(kind, False, encode, decode)
