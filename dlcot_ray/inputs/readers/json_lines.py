"""JSON lines: one object per line, plain or compressed; and JSON lists of objects.

One pass over the file finds the schema and the byte ranges of its row groups. A plan records both, so that
workers read a range without looking at the rest. A compressed file is one row group, because no place in it
can be reached without decompressing everything before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers.json_lists import ListedValues
from dlcot_ray.inputs.readers.json_types import Shape, to_batch
from dlcot_ray.inputs.readers.json_values import JsonFault, parse_object
from dlcot_ray.inputs.readers.protocol import BAD_LINES, BATCH_ROWS, FileMetadata
from dlcot_ray.inputs.readers.rows import BadLine, GroupBuilder, batches_of
from dlcot_ray.inputs.readers.text_sources import Line, TextSource


class JsonReader:
    """Reads one file of JSON objects: the first character tells whether they stand in lines or in a list.

    Args:
        source: the file, seekable.
        label: names the file in faults.
        known: what `metadata` said of the file, or of the part that is to be read; None finds it out.

    Raises:
        InputFault: it is UTF-16.
    """

    def __init__(self, source: BinaryIO, label: str, known: FileMetadata | None = None) -> None:
        self._source, self._label, self._known = TextSource(source, label), label, known
        is_list = self._source.first_character() == b"["
        self._pieces: Callable[..., Iterator[Line]] = (
            ListedValues(self._source, label).values if is_list else self._source.lines
        )
        self._what = "entry" if is_list else "line"

    def metadata(self) -> FileMetadata:
        """Schema and row groups, from a pass over the file.

        Raises:
            InputFault: no line is a JSON object.
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
        """See `Reader`; every object is parsed whole, whichever columns are wanted."""
        known = self.metadata()
        schema = known.arrow_schema
        yield from batches_of(self._rows(known, groups), schema, columns, max_rows, _batch)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _look(self) -> FileMetadata:
        shape, builder, end = Shape(), GroupBuilder(whole=self._source.codec is not None), 0
        first_bad: BadLine | None = None
        good = 0
        for line in self._pieces():
            builder.add(line.offset, line.number)
            end = line.stop
            row = _parsed(line)
            if isinstance(row, BadLine):
                first_bad = first_bad or row
            else:
                shape.add(row)
                good += 1
        if first_bad is not None and not good:
            raise InputFault(
                self._label,
                f"no {self._what} is a JSON object; line {first_bad.line}: {first_bad.reason}",
                "write one object per line, or a list of objects",
            )
        schema = shape.schema()
        if BAD_LINES in schema.names:
            raise InputFault(self._label, f"it has a key {BAD_LINES!r}", "rename it")
        return builder.metadata(schema, end)

    def _rows(
        self, known: FileMetadata, groups: range | None
    ) -> Iterator[tuple[Mapping[str, Any] | BadLine, int]]:
        numbers = groups if groups is not None else range(len(known.group_rows))
        for number in numbers[:1]:
            length = sum(known.group_bytes[number : numbers.stop])
            start, first_line = known.group_starts[number], known.group_lines[number]
            for line in self._pieces(start, length, first_line):
                yield _parsed(line), len(line.text)


def _parsed(line: Line) -> Mapping[str, Any] | BadLine:
    try:
        return parse_object(line.text)
    except JsonFault as fault:
        return BadLine.of(line.number, str(fault), line.text)


def _batch(rows: Sequence[Mapping[str, Any] | None], schema: pa.Schema) -> pa.RecordBatch:
    return to_batch([row or {} for row in rows], schema)
