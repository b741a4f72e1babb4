"""Columns of an output table: the Arrow field and how its value is made, in one entry; and carried columns.

The schema and the table both come from one list of `Column`. The input's own columns are carried in front of
ours; where one has a name of ours, it is stored as ``source_<name>``, and its field keeps its own name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import pyarrow as pa

Row = TypeVar("Row")
_ORIGINAL = b"dlcot.original"
"""Key in the metadata of a renamed field: its name in the input, which may have ``source_<name>`` too."""


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """One column of an output table.

    Attributes:
        name: of the column.
        type: its Arrow type.
        value: makes its cell from a row.
        nullable: whether a cell may be null.
    """

    name: str
    type: pa.DataType
    value: Callable[[Row], Any]
    nullable: bool = False

    @property
    def field(self) -> pa.Field:
        """Its entry in the schema."""
        return pa.field(self.name, self.type, nullable=self.nullable)


def fields_of(columns: Sequence[Column[Row]]) -> tuple[pa.Field, ...]:
    """The Arrow fields of the columns, in order."""
    return tuple(column.field for column in columns)


def arrays_of(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> list[pa.Array]:
    """The cells of the columns, in order; each array has one cell per row."""
    return [pa.array([column.value(row) for row in rows], column.type) for column in columns]


def table_of(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> pa.Table:
    """A table with one row per row."""
    return pa.Table.from_arrays(arrays_of(columns, rows), schema=pa.schema(fields_of(columns)))


def carrying_schema(input_schema: pa.Schema, ours: Sequence[pa.Field]) -> pa.Schema:
    """The input's columns, then ours."""
    names = carried_names(input_schema.names, (field.name for field in ours))
    # Metadata of the input is dropped: it describes the input's columns (Hugging Face features, pandas
    # indexes, field ids), and readers fail on a file with other ones.
    carried = [
        pa.field(
            name,
            field.type,
            nullable=field.nullable,
            metadata={_ORIGINAL: field.name.encode()} if name != field.name else None,
        )
        for name, field in zip(names, input_schema, strict=True)
    ]
    return pa.schema([*carried, *ours])


def carrying_table(
    table: pa.Table, indices: Sequence[int], columns: Sequence[Column[Row]], rows: Sequence[Row]
) -> pa.Table:
    """The input rows at `indices` (ascending), each with our columns of one of `rows`."""
    schema = carrying_schema(table.schema, fields_of(columns))
    carried = pa.concat_tables([table.slice(start, stop - start) for start, stop in _runs(indices)])
    return pa.Table.from_arrays([*carried.columns, *arrays_of(columns, rows)], schema=schema)


def carried_names(names: Sequence[str], ours: Iterable[str]) -> list[str]:
    """The names of the input's columns in the output: prefixed with ``source_`` until unique."""
    taken = {*ours}
    free = {name for name in names if name not in taken}
    result: list[str] = []
    for name in names:
        final = name
        while final in taken or (final != name and final in free):
            final = f"source_{final}"
        taken.add(final)
        result.append(final)
    return result


def carried_table(table: pa.Table, ours: Sequence[pa.Field]) -> pa.Table:
    """The input's columns of a stored table, under their names in the input."""
    names = frozenset(field.name for field in ours)
    carried = table.select([name for name in table.column_names if name not in names])
    return carried.rename_columns([_original(field) for field in carried.schema])


def _original(field: pa.Field) -> str:
    """The name that a carried column had before `carried_names` renamed it."""
    known: bytes | None = (field.metadata or {}).get(_ORIGINAL)
    return field.name if known is None else known.decode()


def _runs(indices: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending row numbers as ranges ``[start, stop)``; one empty range for no rows.

    Slices copy nothing and work for every Arrow type; `take` does not support the view types.
    """
    runs: list[tuple[int, int]] = []
    for index in indices:
        if runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        else:
            runs.append((index, index + 1))
    return runs or [(0, 0)]
