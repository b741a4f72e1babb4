"""Reads text cells out of Arrow tables, one fault per bad cell instead of one exception per table.

Input files come with every text type that Arrow knows, nested at will, and sometimes with bytes that
are no UTF-8. Whole columns are decoded at once, which is fast; only a column that fails is decoded
again cell by cell, to find the bad rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_WHOLE_FLOATS = 2.0**53
_MOST_DESCRIBED = 40
"""Most columns that a message names; a dictionary that was taken for a row has one for each of its keys."""


class CellKind(Enum):
    """What a column's cells can be read as."""

    TEXT = "text"
    INTEGER = "an integer"
    NUMBER = "a number"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ColumnPath:
    """Where a value lies in a row: a column, then struct fields (str) and list indices (int).

    A row may have several values at a path. Then either `within` is set, and every element of the list is a
    part, or `parts` is set, and every path of it is a part.

    Attributes:
        text: the path as a preset has it.
        column, steps: the place; that of the list where `within` is set.
        within: the steps from each element of the list to its value; None where the place is no list.
        parts: one path per part, None for a part that the file does not have.
    """

    text: str
    column: str
    steps: tuple[str | int, ...] = ()
    within: tuple[str | int, ...] | None = None
    parts: tuple[ColumnPath | None, ...] = ()

    @property
    def is_many(self) -> bool:
        """Whether a row may have several values here."""
        return self.within is not None or bool(self.parts)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the file that are read."""
        return tuple(part.column for part in self.parts if part is not None) or (self.column,)


@dataclass(frozen=True, slots=True)
class BadCell:
    """A cell that could not be decoded."""

    message: str


Cell = str | None | BadCell


def find_path(schema: pa.Schema, text: str) -> tuple[ColumnPath, pa.DataType] | None:
    """The place that a dotted path names, and its type; None if there is no such place.

    ``generations.*`` (or ``generations[]``) names every element of a list, ``solution_*`` every column of
    such a name. A column whose own name holds dots wins over a nested one.
    """
    if text in schema.names:
        return ColumnPath(text, text), _storage(schema.field(text).type)
    column, *rest = text.replace("[]", ".*").split(".")
    if "*" in column:
        return _matching(schema, text, column, rest)
    if not rest or column not in schema.names:
        return None
    at = _storage(schema.field(column).type)
    steps: list[str | int] = []
    upto: int | None = None
    for part in rest:
        if pa.types.is_struct(at) and at.get_field_index(part) >= 0:
            steps.append(part)
            at = _storage(at.field(part).type)
        elif is_list(at) and part.isdecimal():
            steps.append(int(part))
            at = _storage(at.value_type)
        elif is_list(at) and part == "*" and upto is None:
            upto = len(steps)
            at = _storage(at.value_type)
        else:
            return None
    if upto is not None:
        return ColumnPath(text, column, tuple(steps[:upto]), tuple(steps[upto:])), at
    return ColumnPath(text, column, tuple(steps)), at


def matched_names(schema: pa.Schema, text: str) -> dict[str, str]:
    """What the star of a pattern of column names stands for -> the column; in the order of the numbers."""
    before, _, after = text.replace("[]", ".*").split(".")[0].partition("*")
    least = len(before) + len(after) + 1
    found = [name for name in schema.names if len(name) >= least and "*" not in name]
    found = [name for name in found if name.startswith(before) and name.endswith(after)]
    stars = {name[len(before) : len(name) - len(after)]: name for name in found}
    numbers = all(star.isdecimal() for star in stars)
    return {star: stars[star] for star in (sorted(stars, key=int) if numbers else stars)}


def _matching(
    schema: pa.Schema, text: str, column: str, rest: list[str]
) -> tuple[ColumnPath, pa.DataType] | None:
    """The columns that a pattern matches, as parts of one path; their types must be of one kind."""
    places = [find_path(schema, ".".join([name, *rest])) for name in matched_names(schema, column).values()]
    known = [place for place in places if place is not None]
    if not known or any(path.is_many for path, _ in known):
        return None
    odd = next((kind for _, kind in known if kind_of(kind) is not kind_of(known[0][1])), known[0][1])
    return ColumnPath(text, known[0][0].column, parts=tuple(path for path, _ in known)), odd


def is_list(kind: pa.DataType) -> bool:
    """Whether it is one of Arrow's list types."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def kind_of(kind: pa.DataType) -> CellKind:
    """What cells of this Arrow type can be read as; a column of nulls counts as text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if _is_string(kind) or _is_binary(kind) or pa.types.is_null(kind) or isinstance(kind, pa.UuidType):
        return CellKind.TEXT
    if pa.types.is_integer(kind):
        return CellKind.INTEGER
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_boolean(kind):
        return CellKind.NUMBER
    return CellKind.OTHER


def read_texts(table: pa.Table, path: ColumnPath) -> list[Cell]:
    """One cell per row: its text, None for null, or why it cannot be decoded. Numbers become text."""
    return _texts(_column(table, path))


def read_parts(table: pa.Table, path: ColumnPath) -> list[list[Cell]]:
    """The cells of every row: one of a plain path, and as many as it has where `path.is_many`."""
    if path.parts:
        nothing: list[Cell] = [None] * table.num_rows
        columns = [nothing if part is None else read_texts(table, part) for part in path.parts]
        return [list(cells) for cells in zip(*columns, strict=True)]
    if path.within is None:
        return [[cell] for cell in read_texts(table, path)]
    lists = _column(table, path)
    lengths = [length or 0 for length in pc.list_value_length(lists).to_pylist()]
    items = pc.list_flatten(lists)
    for step in path.within:
        items = _descend(items, step)
    cells = iter(_texts(items))
    return [list(islice(cells, length)) for length in lengths]


def _column(table: pa.Table, path: ColumnPath) -> pa.ChunkedArray:
    column = table.column(path.column)
    for step in path.steps:
        column = _descend(column, step)
    return column


def _texts(column: pa.ChunkedArray) -> list[Cell]:
    if isinstance(column.type, pa.UuidType):
        return [None if value is None else str(value) for value in column.to_pylist()]
    kind = _storage(column.type)
    if kind != column.type:
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], kind)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    if _is_string(kind):
        try:
            values: list[Cell] = column.to_pylist()
            return values
        except UnicodeDecodeError:
            return [_decode(value) for value in column.cast(_as_binary(kind)).to_pylist()]
    if _is_binary(kind):
        return [_decode(value) for value in column.to_pylist()]
    return [_number(value) for value in column.to_pylist()]


def read_objects(table: pa.Table, path: ColumnPath) -> list[Any]:
    """One Python value per row (lists and dicts for nested types), or a `BadCell`."""
    column = _column(table, path)
    try:
        values: list[Any] = column.to_pylist()
        return values
    except UnicodeDecodeError:
        return [_object(cell) for cell in column]


def describe(schema: pa.Schema) -> str:
    """The columns of a file in one line, for error messages; the first ones if there are very many."""
    fields = list(schema)[:_MOST_DESCRIBED]
    columns = ", ".join(f"{field.name} ({short_type(field.type)})" for field in fields)
    more = len(schema) - len(fields)
    return f"{columns} and {more:,} more" if more else columns or "no columns"


def short_type(kind: pa.DataType) -> str:
    """An Arrow type in at most 60 characters."""
    text = str(kind)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _storage(kind: pa.DataType) -> pa.DataType:
    """The type below an extension; UUIDs stay what they are, because their bytes are no text."""
    is_plain = not isinstance(kind, pa.BaseExtensionType) or isinstance(kind, pa.UuidType)
    return kind if is_plain else kind.storage_type


def _descend(column: pa.ChunkedArray, step: str | int) -> pa.ChunkedArray:
    if isinstance(step, str):
        return pc.struct_field(column, step)
    # `list_element` raises on a list that is too short; a padded slice gives null there.
    window = pc.list_slice(column, step, step + 1, return_fixed_size_list=True)
    return pc.list_element(window, 0)


def _object(cell: pa.Scalar) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError as error:
        return BadCell(_bytes_message(error))


def _decode(value: bytes | None) -> Cell:
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        return BadCell(_bytes_message(error))


def _bytes_message(error: UnicodeDecodeError) -> str:
    return f"byte {error.start} (0x{error.object[error.start]:02x}) is not UTF-8"


def _number(value: int | float | bool | Decimal | None) -> str | None:
    """The text of a number, the same in every type that holds it.

    A whole float loses its `.0`: columns of integers with gaps are often stored as floats. A decimal loses
    the zeros that only its type adds (Spark's has 18 places), and has no exponent.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < _WHOLE_FLOATS:
        return str(int(value))
    if isinstance(value, Decimal):
        text = f"{value:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        return "0" if text == "-0" else text
    return str(value)


def _is_string(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind))


def _as_binary(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.binary_view()
    return pa.large_binary() if pa.types.is_large_string(kind) else pa.binary()
