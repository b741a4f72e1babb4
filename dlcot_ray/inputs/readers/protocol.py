"""What a file format must provide: what a file holds, and the rows of some of it.

To add a format, write a module with a class that follows `Reader`, and add one line to `registry.READERS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.storage.tables import schema_from_bytes, schema_to_bytes

READ_ERRORS = (pa.ArrowException, OSError, InputFault, JobError)
"""Errors of reading rows. `pyarrow.ArrowInvalid` means damaged data, so another attempt would fail too."""

BATCH_ROWS = 65_536
"""Default of the maximum rows per batch."""

BATCH_BYTES = 64 << 20
"""A batch ends at about this size, in bytes of its decoded rows, unless it has a single row."""

BAD_LINES = "dlcot.bad_line"
"""An additional column of text formats: `BAD_LINE_TYPE` for a row that is a line nobody can read, else null.
All other columns of such a row are null. It is there only if all columns are read, and not in the schema."""

BAD_LINE_TYPE = pa.struct([("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])


@dataclass(frozen=True, slots=True)
class FileMetadata:
    """What a file holds, known without reading its rows.

    A *row group* is a range of consecutive rows that the format can seek to. Row groups cover the file in
    order. A unit never begins inside a row group unless the whole group is read in the same sweep.

    Attributes:
        schema: the Arrow schema without its metadata, serialized; equal bytes are equal schemas.
        group_rows: number of rows of each row group.
        group_bytes: uncompressed size of each row group, in bytes; of Parquet, an estimate where a
            dictionary hides how large its rows are.
        group_starts: offset of the first byte of each row group, if the format has no footer that tells.
        group_lines: number of the first line of each row group, from 1; beside `group_starts`.
    """

    schema: bytes
    group_rows: tuple[int, ...]
    group_bytes: tuple[int, ...]
    group_starts: tuple[int, ...] = ()
    group_lines: tuple[int, ...] = ()

    @classmethod
    def of(cls, schema: pa.Schema, groups: Iterable[tuple[int, int]]) -> FileMetadata:
        """The metadata of a file with this schema and these row groups, each as (rows, bytes)."""
        sizes = tuple(groups)
        return cls(
            schema_to_bytes(schema),
            tuple(rows for rows, _ in sizes),
            tuple(size for _, size in sizes),
        )

    @property
    def is_found(self) -> bool:
        """Whether it took a pass over the file, so that readers should be told instead of looking again."""
        return bool(self.group_starts)

    def part(self, first: int, stop: int) -> FileMetadata:
        """The metadata of the row groups ``[first, stop)`` alone."""
        return FileMetadata(
            self.schema,
            self.group_rows[first:stop],
            self.group_bytes[first:stop],
            self.group_starts[first:stop],
            self.group_lines[first:stop],
        )

    @property
    def arrow_schema(self) -> pa.Schema:
        """The schema as an Arrow object."""
        return schema_from_bytes(self.schema)

    @property
    def rows(self) -> int:
        """Number of rows of the file."""
        return sum(self.group_rows)


class Reader(Protocol):
    """An open file of one format. Not safe for several threads at once."""

    def metadata(self) -> FileMetadata:
        """What the file holds.

        The same bytes must always give the same row groups: names of outputs depend on them, and jobs
        record the answer instead of asking again.

        Raises:
            InputFault: the file is damaged.
            pyarrow.ArrowException, OSError, JobError: it cannot be read.
        """
        ...

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """The rows of some row groups, in order.

        Every batch of a file has the same schema, whichever row groups are read: that of the metadata, and
        `BAD_LINES` if the format has lines. A caller may stop early.

        Args:
            groups: numbers of consecutive row groups; None reads all.
            columns: names of the top-level columns to read; None reads all.
            max_rows: the most rows of a batch; it may have fewer.

        Raises:
            InputFault, pyarrow.ArrowException, OSError, JobError: see `READ_ERRORS`.
        """
        ...

    def close(self) -> None:
        """Release the file."""
        ...


def read_table(reader: Reader, columns: Sequence[str] | None = None) -> pa.Table:
    """All rows of a small file as one table, without schema metadata.

    Raises:
        InputFault, pyarrow.ArrowException, OSError, JobError: see `READ_ERRORS`.
    """
    batches = list(reader.batches(columns=columns))
    if batches:
        return without_bad_lines(pa.Table.from_batches(batches).replace_schema_metadata(None))
    table = reader.metadata().arrow_schema.empty_table()
    return table if columns is None else table.select(columns)


def without_bad_lines(table: pa.Table) -> pa.Table:
    """A table without the column `BAD_LINES`."""
    return table.drop_columns([BAD_LINES]) if BAD_LINES in table.column_names else table


def unreadable(label: str, file_format: str, error: Exception) -> InputFault:
    """The fault of a file that is not what its format demands.

    Args:
        label: the file.
        file_format: the name of the format, for example ``Parquet``.
        error: what reading raised.
    """
    return InputFault(
        label, f"not a readable {file_format} file ({reason_of(error)})", "write it again or remove it"
    )
