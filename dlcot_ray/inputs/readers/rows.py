"""What the text formats share: rows gathered into row groups, and into batches with their bad lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa

from dlcot_ray.inputs.readers.protocol import BAD_LINE_TYPE, BAD_LINES, BATCH_BYTES, FileMetadata

GROUP_ROWS = 256
GROUP_BYTES = 1 << 20
"""A row group ends when it has both, ..."""
MOST_GROUP_BYTES = 16 << 20
"""... or this many bytes, whatever its rows."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no row: its number, why, and its text (bytes that are no UTF-8 as escapes)."""

    line: int
    reason: str
    text: str

    @classmethod
    def of(cls, line: int, reason: str, raw: bytes) -> BadLine:
        """A bad line from its bytes."""
        return cls(line, reason, raw.decode(errors="backslashreplace"))


class GroupBuilder:
    """Cuts a file into row groups while its rows pass by.

    Args:
        whole: keep the whole file in one row group, because no place inside it can be reached directly.
    """

    def __init__(self, *, whole: bool) -> None:
        self._whole = whole
        self._rows: list[int] = []
        self._starts: list[int] = []
        self._lines: list[int] = []

    def add(self, offset: int, line: int) -> None:
        """A row that starts at this offset, in this line."""
        if not self._rows or self._is_full(offset):
            # Whatever lies before the first row belongs to the first group.
            self._starts.append(offset if self._rows else 0)
            self._lines.append(line if self._rows else 1)
            self._rows.append(0)
        self._rows[-1] += 1

    def metadata(self, schema: pa.Schema, end: int) -> FileMetadata:
        """The metadata of the file, which has `end` bytes."""
        ends = [*self._starts[1:], end][: len(self._starts)]
        sizes = (stop - start for start, stop in zip(self._starts, ends, strict=True))
        found = FileMetadata.of(schema, zip(self._rows, sizes, strict=True))
        return FileMetadata(
            found.schema, found.group_rows, found.group_bytes, tuple(self._starts), tuple(self._lines)
        )

    def _is_full(self, offset: int) -> bool:
        if self._whole:
            return False
        size = offset - self._starts[-1]
        return size >= MOST_GROUP_BYTES or (self._rows[-1] >= GROUP_ROWS and size >= GROUP_BYTES)


def batches_of(
    rows: Iterable[tuple[Value | BadLine, int]],
    schema: pa.Schema,
    columns: Sequence[str] | None,
    max_rows: int,
    to_batch: Callable[[Sequence[Value | None], pa.Schema], pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Rows as batches of at most `max_rows` rows and about 64 MiB.

    Args:
        rows: each row, or the bad line in its place, and its size in bytes.
        schema: of the file.
        columns: the wanted columns; None takes all, and adds `BAD_LINES`.
        max_rows: the most rows of a batch.
        to_batch: makes a batch of a schema; a None among the values is a row of nulls.
    """
    wanted = schema if columns is None else pa.schema([schema.field(name) for name in columns])
    waiting: list[Value | BadLine] = []
    size = 0

    def made() -> pa.RecordBatch:
        batch = to_batch([None if isinstance(row, BadLine) else row for row in waiting], wanted)
        return batch if columns is not None else batch.append_column(BAD_LINES, _marks(waiting))

    for row, length in rows:
        waiting.append(row)
        size += length
        if len(waiting) >= max_rows or size >= BATCH_BYTES:
            yield made()
            waiting, size = [], 0
    if waiting:
        yield made()


def _marks(rows: Sequence[object]) -> pa.Array:
    return pa.array(
        [
            {"line": row.line, "reason": row.reason, "text": row.text} if isinstance(row, BadLine) else None
            for row in rows
        ],
        BAD_LINE_TYPE,
    )
