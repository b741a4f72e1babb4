"""Parquet files. Their row groups are the row groups of the protocol, and the footer describes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.readers.protocol import BATCH_ROWS, FileMetadata, unreadable

_READ_BYTES = 8 << 20


class ParquetReader:
    """Reads one Parquet file; opening it reads the footer only.

    Args:
        source: the file, seekable.
        label: names the file in faults.
        known: not needed, because the footer tells.

    Raises:
        InputFault: it is no Parquet file, or its footer is damaged.
    """

    def __init__(self, source: BinaryIO, label: str, known: FileMetadata | None = None) -> None:
        self._label = label
        try:
            # Without pre-buffering, a sweep over a large row group holds `_READ_BYTES` of each column
            # instead of whole column chunks.
            self._file = pq.ParquetFile(source, pre_buffer=False, buffer_size=_READ_BYTES)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise unreadable(label, "Parquet", error) from error

    def metadata(self) -> FileMetadata:
        """Schema and row groups, from the footer."""
        footer = self._file.metadata
        try:
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise InputFault(
                self._label, f"its schema cannot be read ({reason_of(error)})", "write the file again"
            ) from error
        groups = (footer.row_group(number) for number in range(footer.num_row_groups))
        return FileMetadata.of(schema, ((group.num_rows, group.total_byte_size) for group in groups))

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """Rows of some row groups; only the wanted columns are fetched and decoded."""
        yield from self._file.iter_batches(max_rows, row_groups=groups, columns=columns, use_threads=False)

    def close(self) -> None:
        """Close the file."""
        self._file.close(force=True)
