"""Parquet files. Their row groups are the row groups of the protocol, and the footer describes them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.errors import InputFault, reason_of
from dlcot_ray.inputs.readers.int96 import check_microseconds, needs_microseconds
from dlcot_ray.inputs.readers.parquet_sizes import DecodedSizes
from dlcot_ray.inputs.readers.protocol import BATCH_BYTES, BATCH_ROWS, FileMetadata, unreadable

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
        self._exact: pq.ParquetFile | None = None
        try:
            self._file = _opened(source)
            if needs_microseconds(self._file):
                self._exact = self._file
                self._file = _opened(source, metadata=self._exact.metadata, coerce_int96_timestamp_unit="us")
        except (pa.ArrowException, OSError, ValueError) as error:
            raise unreadable(label, "Parquet", error) from error
        self._sizes = DecodedSizes(source, self._file)

    def metadata(self) -> FileMetadata:
        """Schema and row groups, from the footer and from the heads of dictionaries that hide much."""
        footer = self._file.metadata
        try:
            schema = self._file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise InputFault(
                self._label, f"its schema cannot be read ({reason_of(error)})", "write the file again"
            ) from error
        numbers = range(footer.num_row_groups)
        return FileMetadata.of(
            schema, ((footer.row_group(number).num_rows, self._sizes.of_group(number)) for number in numbers)
        )

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """Rows of some row groups; only the wanted columns are fetched and decoded.

        A batch has at most about `BATCH_BYTES`, whatever its rows share in the file.
        """
        if self._exact is not None:
            check_microseconds(self._file, self._exact, groups, columns, self._label)
        read = groups if groups is not None else range(self._file.num_row_groups)
        step = self._sizes.step(read, columns, max_rows)
        steps = self._file.iter_batches(step, row_groups=groups, columns=columns, use_threads=False)
        yield from steps if step == max_rows else _gathered(steps, max_rows)

    def close(self) -> None:
        """Close the file."""
        self._file.close(force=True)


def _gathered(steps: Iterable[pa.RecordBatch], max_rows: int) -> Iterator[pa.RecordBatch]:
    """Batches of `max_rows` rows, or of fewer that have `BATCH_BYTES`, out of smaller ones."""
    parts: list[pa.RecordBatch] = []
    rows = size = 0
    for step in steps:
        left = step
        while left.num_rows:
            if rows == max_rows or (parts and size + left.nbytes > BATCH_BYTES):
                yield from _joined(parts)
                parts, rows, size = [], 0, 0
            part = left.slice(0, max_rows - rows)
            left = left.slice(part.num_rows)
            parts.append(part)
            rows, size = rows + part.num_rows, size + part.nbytes
    yield from _joined(parts)


def _joined(parts: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if len(parts) < 2:
        return parts
    try:
        return [pa.concat_batches(parts)]
    except pa.ArrowNotImplementedError:
        # Arrow cannot join every type, such as nested dictionaries.
        return parts


def _opened(source: BinaryIO, **options: Any) -> pq.ParquetFile:
    # Without pre-buffering, a sweep over a large row group holds `_READ_BYTES` of each column instead of
    # whole column chunks.
    return pq.ParquetFile(source, pre_buffer=False, buffer_size=_READ_BYTES, **options)
