"""How large the rows of a Parquet file become when they are decoded.

A footer states encoded sizes. A dictionary stores a text once however many rows have it, and other encodings
share what values have in common, so 3 kB of a file can be 4 GB of rows. Here each row group gets a bound of
its decoded size. Ordinary groups, which hide at most `HIDDEN_BYTES`, keep the size of the footer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

HIDDEN_BYTES = 4 << 20
"""Dictionaries of one row group up to this size are not looked into: writers keep 1 MiB for each column."""

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "BYTE_ARRAY": 4}
"""Bytes of a decoded value by physical type, 8 for others; of a text, those of its offset."""

_HEADER_BYTES = 64
_DECODED_ROWS = 8
_ONE_COPY = "DELTA_BYTE_ARRAY"


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One leaf column of one row group.

    Attributes:
        path: name of the leaf; its first part is the column of the schema.
        values: number of its values, nulls among them.
        stated: its uncompressed size in the footer, in bytes.
        width: bytes of a decoded value of fixed size.
        has_texts: whether values may be longer than that.
        dictionary: offset of its dictionary in the file; None if it has none.
        shares: whether values are stored as differences to the ones before.
    """

    path: str
    values: int
    stated: int
    width: int
    has_texts: bool
    dictionary: int | None
    shares: bool

    @property
    def may_hide(self) -> bool:
        """Whether a text may be stored once for several rows."""
        return self.has_texts and (self.dictionary is not None or self.shares)


class DecodedSizes:
    """Bounds of the decoded row groups of one file, each found once.

    Args:
        source: the file, seekable.
        file: the same, opened.
    """

    def __init__(self, source: BinaryIO, file: pq.ParquetFile) -> None:
        self._source, self._file = source, file
        self._found: dict[int, dict[str, int]] = {}

    def of_group(self, group: int) -> int:
        """Bytes of a decoded row group, at most."""
        return int(self._file.metadata.row_group(group).total_byte_size) + sum(self._hidden(group).values())

    def of_row(self, groups: Sequence[int], columns: Sequence[str] | None) -> int:
        """Bytes of a mean row of the row group that has the largest, at most.

        Args:
            groups: numbers of row groups.
            columns: columns of the schema that are read; None means all.
        """
        return max((self._row(group, columns) for group in groups), default=0)

    def _row(self, group: int, columns: Sequence[str] | None) -> int:
        hidden = self._hidden(group)
        wanted = (chunk for chunk in self._chunks(group) if _is_wanted(chunk.path, columns))
        size = sum(chunk.stated + hidden.get(chunk.path, 0) for chunk in wanted)
        return size // max(int(self._file.metadata.row_group(group).num_rows), 1)

    def _hidden(self, group: int) -> dict[str, int]:
        """Leaf -> bytes that decoding adds to the stated size, at most; empty for an ordinary group."""
        if group not in self._found:
            self._found[group] = self._look(group)
        return self._found[group]

    def _look(self, group: int) -> dict[str, int]:
        chunks = list(self._chunks(group))
        fixed = {chunk.path: max(0, chunk.values * chunk.width - chunk.stated) for chunk in chunks}
        suspects = [chunk for chunk in chunks if chunk.may_hide]
        room = HIDDEN_BYTES - sum(fixed.values())
        if sum(chunk.stated for chunk in suspects) <= room:
            return {}
        if sum(self._shared_bytes(chunk) for chunk in suspects) <= room:
            return {}
        longest = {chunk.path: chunk.values * self._longest(group, chunk) for chunk in suspects}
        return {path: extra + longest.get(path, 0) for path, extra in fixed.items()}

    def _chunks(self, group: int) -> Iterator[_Chunk]:
        found = self._file.metadata.row_group(group)
        for number in range(found.num_columns):
            chunk = found.column(number)
            kind = chunk.physical_type
            length = self._file.schema.column(number).length if kind == "FIXED_LEN_BYTE_ARRAY" else 8
            yield _Chunk(
                chunk.path_in_schema,
                chunk.num_values,
                chunk.total_uncompressed_size,
                _WIDTHS.get(kind, length),
                kind == "BYTE_ARRAY",
                chunk.dictionary_page_offset if chunk.has_dictionary_page else None,
                _ONE_COPY in chunk.encodings,
            )

    def _shared_bytes(self, chunk: _Chunk) -> int:
        """Bytes that a row may share with others: the size of the dictionary, or of all values."""
        if chunk.shares or chunk.dictionary is None:
            return chunk.stated
        self._source.seek(chunk.dictionary)
        size = _page_size(self._source.read(_HEADER_BYTES))
        return chunk.stated if size is None else min(size, chunk.stated)

    def _longest(self, group: int, chunk: _Chunk) -> int:
        """Bytes of the longest text that several rows may have."""
        try:
            if not chunk.shares:
                first = next(self._leaves(group, chunk, 1, read_dictionary=[chunk.path]), None)
                if first is None:
                    return 0
                if pa.types.is_dictionary(first.type):
                    return _longest_text(first.dictionary)
            return max(map(_longest_text, self._leaves(group, chunk, _DECODED_ROWS)), default=0)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            # Damaged, or of a type that Arrow cannot read: the true reader will say so.
            return chunk.stated

    def _leaves(
        self, group: int, chunk: _Chunk, batch_rows: int, read_dictionary: Sequence[str] = ()
    ) -> Iterator[pa.Array]:
        """The values of a leaf, few rows at a time; with `read_dictionary`, beside its whole dictionary."""
        again = pq.ParquetFile(
            self._source, metadata=self._file.metadata, read_dictionary=[*read_dictionary], pre_buffer=False
        )
        for batch in again.iter_batches(
            batch_rows, row_groups=[group], columns=[chunk.path], use_threads=False
        ):
            yield _leaf(batch.column(0))


def _page_size(header: bytes) -> int | None:
    """The uncompressed size in a page header (Thrift's compact protocol), or None if it is not there.

    Source: `PageHeader` in parquet.thrift begins with the page type and that size, both required i32.
    """
    place = 0
    number = None
    for _ in range(2):
        if header[place : place + 1] != b"\x15":
            return None
        number, place = _varint(header, place + 1)
    return None if number is None else number >> 1


def _varint(data: bytes, place: int) -> tuple[int | None, int]:
    number = 0
    for shift in range(0, 35, 7):
        if place >= len(data):
            return None, place
        byte = data[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
    return None, place


def _leaf(array: pa.Array) -> pa.Array:
    """The values below lists and structs; each struct has one field, because one leaf was read."""
    while pa.types.is_nested(array.type) and not pa.types.is_dictionary(array.type):
        array = array.field(0) if pa.types.is_struct(array.type) else array.values
    return array


def _longest_text(texts: pa.Array) -> int:
    return int(pc.max(pc.binary_length(texts)).as_py() or 0)


def _is_wanted(path: str, columns: Sequence[str] | None) -> bool:
    """Whether a leaf belongs to one of the columns, whose names may have dots; None means all columns."""
    return columns is None or any(path == name or path.startswith(f"{name}.") for name in columns)
