"""What rows of a Parquet file become when they are decoded, from its footer and a few heads of dictionaries.

A footer states encoded sizes. A dictionary stores a text once, however many rows have it, so 3 kB of a file
can be 4 GB of rows. Where a large column chunk is nothing but a dictionary and references to it, each row
counts as a mean entry. The number and size of the entries are in the first bytes of the dictionary, so no
data are read.

The estimate is right for texts that are about equally long. Where a few long ones have most of the rows, it
is too low, so readers decode few rows at a time (`step`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow.parquet as pq

from dlcot_ray.inputs.readers.protocol import BATCH_BYTES

ORDINARY_BYTES = 16 << 20
"""A row group that hides at most this much keeps the size of its footer."""
_LARGE_CHUNK = 256 << 10
"""Smaller dictionaries hide nothing that matters: 256 rows of their longest text are at most 64 MiB."""
_MANY_VALUES = 1 << 20
"""Fewer values of fixed size in a chunk hide nothing that matters."""
_REFERENCE_BYTES, _PAGES_BYTES = 5, 8192
"""Most bytes of a reference and its levels, and of what data pages hold besides."""
_HEAD_BYTES = 64
_LEAST_STEP = 16
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 8}
"""Bytes of a decoded value by physical type; 8 for others."""
_INT32, _STRUCT = 5, 12
"""Types of fields in Thrift's compact protocol, ..."""
_SIZE, _DICTIONARY_HEADER = 2, 7
"""... and fields of a page header."""


class DecodedSizes:
    """Estimates of the decoded rows of one file.

    Args:
        source: the file, seekable.
        file: the same, opened.
    """

    def __init__(self, source: BinaryIO, file: pq.ParquetFile) -> None:
        self._source, self._footer = source, file.metadata
        self._hidden: dict[int, dict[str, int]] = {}

    def of_group(self, group: int) -> int:
        """Bytes of a decoded row group.

        Raises:
            OSError, JobError: the head of a dictionary cannot be read.
        """
        hidden = sum(self._hidden_in(group).values())
        stated = int(self._footer.row_group(group).total_byte_size)
        return stated + (hidden if hidden > ORDINARY_BYTES else 0)

    def step(self, groups: Sequence[int], columns: Sequence[str] | None, max_rows: int) -> int:
        """How many rows may be decoded at once, so that they take about `BATCH_BYTES` at most.

        Args:
            groups: numbers of row groups.
            columns: top-level columns that are read; None means all.
            max_rows: the most that are asked for.

        Raises:
            OSError, JobError: the head of a dictionary cannot be read.
        """
        stated = row = 0
        for group in groups:
            found = self._footer.row_group(group)
            here = self._stated(group, columns)
            hidden = sum(size for path, size in self._hidden_in(group).items() if _is_wanted(path, columns))
            stated = max(stated, here)
            row = max(row, (here + hidden) // max(found.num_rows, 1) if hidden else 0)
        # No row can be larger than all that is stored of its group, if its texts are stored whole.
        step = max(_LEAST_STEP, BATCH_BYTES // max(stated, 1))
        if row:
            step = min(step, max(1, BATCH_BYTES // row))
        return min(step, max_rows)

    def _stated(self, group: int, columns: Sequence[str] | None) -> int:
        found = self._footer.row_group(group)
        if columns is None:
            return int(found.total_byte_size)
        chunks = (found.column(number) for number in range(found.num_columns))
        return sum(
            chunk.total_uncompressed_size for chunk in chunks if _is_wanted(chunk.path_in_schema, columns)
        )

    def _hidden_in(self, group: int) -> dict[str, int]:
        """Leaf column -> bytes that decoding adds to its stated size."""
        if group not in self._hidden:
            self._hidden[group] = dict(self._look(group))
        return self._hidden[group]

    def _look(self, group: int) -> Iterator[tuple[str, int]]:
        found = self._footer.row_group(group)
        for number in range(found.num_columns):
            chunk = found.column(number)
            stated, values = chunk.total_uncompressed_size, chunk.num_values
            size = 0
            if chunk.physical_type == "BYTE_ARRAY":
                if stated > _LARGE_CHUNK and stated * values > BATCH_BYTES and _is_all_references(chunk):
                    size = self._texts(chunk)
            elif values > _MANY_VALUES:
                size = values * self._width(number, chunk.physical_type)
            if size > stated:
                yield chunk.path_in_schema, size - stated

    def _texts(self, chunk: pq.ColumnChunkMetaData) -> int:
        """Bytes of all texts of a chunk, each taken for a mean entry of its dictionary; 0 if unknown."""
        self._source.seek(chunk.dictionary_page_offset)
        found = dictionary_of(self._source.read(_HEAD_BYTES))
        if found is None or not found[1]:
            return 0
        size, entries = found
        statistics = chunk.statistics
        nulls = statistics.null_count if statistics is not None and statistics.has_null_count else 0
        return int((chunk.num_values - nulls) * size // entries)

    def _width(self, number: int, kind: str) -> int:
        if kind == "FIXED_LEN_BYTE_ARRAY":
            return int(self._footer.schema.column(number).length)
        return _WIDTHS.get(kind, 8)


def dictionary_of(head: bytes) -> tuple[int, int] | None:
    """Uncompressed size (bytes) and number of entries of a dictionary, from the first bytes of its page.

    They are the fields of `PageHeader` in parquet.thrift, in Thrift's compact protocol: a byte with the
    distance to the field before and the type, then the value. None if these bytes are anything else.
    """
    at, field, size = 0, 0, None
    while at < len(head):
        distance, kind = head[at] >> 4, head[at] & 15
        field += distance
        if kind == _STRUCT and field == _DICTIONARY_HEADER and size is not None:
            entries = _integer(head, at + 2) if head[at + 1 : at + 2] == b"\x15" else None
            return (size, entries[0]) if entries is not None else None
        found = _integer(head, at + 1) if kind == _INT32 and distance else None
        if found is None:
            return None
        size = found[0] if field == _SIZE else size
        at = found[1]
    return None


def _integer(data: bytes, at: int) -> tuple[int, int] | None:
    """A signed integer (zigzag) and where it ends, or None if it does not end here."""
    number = 0
    for place, byte in enumerate(data[at : at + 5]):
        number |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + place + 1
    return None


def _is_all_references(chunk: pq.ColumnChunkMetaData) -> bool:
    """Whether a chunk is a dictionary and references to it. Writers of too many entries go on without one."""
    if not chunk.has_dictionary_page or chunk.dictionary_page_offset is None:
        return False
    dictionary = chunk.data_page_offset - chunk.dictionary_page_offset
    rest = chunk.total_compressed_size - dictionary
    return bool(dictionary > 0 and rest <= _REFERENCE_BYTES * chunk.num_values + _PAGES_BYTES)


def _is_wanted(path: str, columns: Sequence[str] | None) -> bool:
    """Whether a leaf belongs to one of the columns, whose names may have dots; None means all columns."""
    return columns is None or any(path == name or path.startswith(f"{name}.") for name in columns)
