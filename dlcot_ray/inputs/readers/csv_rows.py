"""CSV files with a header, plain or compressed. Every cell is text, and an empty cell is an empty text.

The standard library splits the records, so that quoted line breaks are read as they are meant; the delimiter
is the one of comma, semicolon and tab that splits the header into most names. Row groups are byte ranges,
found in one pass, as those of JSON lines.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers.protocol import BAD_LINES, BATCH_ROWS, FileMetadata
from dlcot_ray.inputs.readers.rows import BadLine, GroupBuilder, batches_of
from dlcot_ray.inputs.readers.text_sources import BOM, LONGEST_LINE, TextSource

_DELIMITERS = ",;\t"
_HEADER_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class _Record:
    """Cells of one record, the line and byte range of it, and the bytes."""

    line: int
    start: int
    stop: int
    cells: tuple[str, ...]
    raw: bytes


class CsvReader:
    """Reads one CSV file.

    Args:
        source: the file, seekable.
        label: names the file in faults.
        known: what `metadata` said of the file, or of the part that is to be read; None finds it out.

    Raises:
        InputFault: it is UTF-16, or its header cannot be read.
    """

    def __init__(self, source: BinaryIO, label: str, known: FileMetadata | None = None) -> None:
        # A trace is longer than the 128 KiB that the module allows a cell.
        csv.field_size_limit(LONGEST_LINE)
        self._source, self._label, self._known = TextSource(source, label), label, known
        self._header, self._delimiter = self._read_header()

    def metadata(self) -> FileMetadata:
        """Schema and row groups, from a pass over the file.

        Raises:
            InputFault: a quote is not closed, or a record is longer than 256 MiB.
        """
        if self._known is None:
            self._known = self._look()
        return self._known

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """See `Reader`; every record is split whole, whichever columns are wanted."""
        known = self.metadata()
        names = known.arrow_schema.names
        places = [names.index(name) for name in (names if columns is None else columns)]

        def to_batch(rows: Sequence[Sequence[str] | None], schema: pa.Schema) -> pa.RecordBatch:
            cells = [pa.array([row and row[place] for row in rows], pa.string()) for place in places]
            return pa.RecordBatch.from_arrays(cells, schema=schema)

        rows = ((self._checked(record), len(record.raw)) for record in self._of_groups(known, groups))
        yield from batches_of(rows, known.arrow_schema, columns, max_rows, to_batch)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _look(self) -> FileMetadata:
        if BAD_LINES in self._header:
            raise InputFault(self._label, f"it has a column {BAD_LINES!r}", "rename it")
        builder, end = GroupBuilder(whole=self._source.codec is not None), 0
        for record in self._records(0, None, 1):
            builder.add(record.start, record.line)
            end = record.stop
        return builder.metadata(pa.schema([(name, pa.string()) for name in self._header]), end)

    def _of_groups(self, known: FileMetadata, groups: range | None) -> Iterator[_Record]:
        numbers = groups if groups is not None else range(len(known.group_rows))
        for number in numbers[:1]:
            length = sum(known.group_bytes[number : numbers.stop])
            yield from self._records(known.group_starts[number], length, known.group_lines[number])

    def _records(self, offset: int, length: int | None, number: int) -> Iterator[_Record]:
        """The records of a range that are not blank; without the header, if the range starts with it."""
        has_header = offset == 0
        for record in self._split(offset, length, number):
            if has_header:
                has_header = False
            else:
                yield record

    def _split(self, offset: int, length: int | None, number: int) -> Iterator[_Record]:
        taken: list[bytes] = []

        def lines() -> Iterator[str]:
            for line in self._source.raw_lines(offset, length):
                taken.append(line)
                yield line.removeprefix(BOM).decode(errors="surrogateescape")

        start = offset
        try:
            for cells in csv.reader(lines(), delimiter=self._delimiter, strict=True):
                raw = b"".join(taken)
                first, number = number, number + len(taken)
                taken.clear()
                begin, start = start, start + len(raw)
                if cells:
                    yield _Record(first, begin, start, tuple(cells), raw)
        except csv.Error as error:
            raise InputFault(
                self._label, f"the record in line {number} cannot be read ({error})", "correct its quotes"
            ) from error

    def _checked(self, record: _Record) -> Sequence[str] | BadLine:
        wanted, count = len(self._header), len(record.cells)
        if count != wanted:
            return BadLine.of(record.line, f"it has {count} cells, the header has {wanted}", record.raw)
        try:
            record.raw.decode()
        except UnicodeDecodeError as error:
            reason = f"byte {error.start} (0x{error.object[error.start]:02x}) is not UTF-8"
            return BadLine.of(record.line, reason, record.raw)
        return record.cells

    def _read_header(self) -> tuple[tuple[str, ...], str]:
        best: tuple[str, ...] = ()
        chosen = _DELIMITERS[0]
        for delimiter in _DELIMITERS:
            self._delimiter = delimiter
            try:
                header = next((record.cells for record in self._split(0, _HEADER_BYTES, 1)), ())
            except InputFault:
                # Its quotes make no sense with this delimiter.
                continue
            if len(header) > len(best):
                best, chosen = header, delimiter
        if any("\udc80" <= letter <= "\udcff" for name in best for letter in name):
            raise InputFault(self._label, "its header is not UTF-8", "convert it: iconv -t UTF-8")
        return best, chosen
