"""Arrow files (Feather among them) and Arrow streams, which `datasets` writes under the same suffix.

The record batches of an Arrow file are its row groups. A stream has no table of its batches, so the whole
stream is one row group.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa

from dlcot_ray.inputs.readers.protocol import BATCH_ROWS, FileMetadata, unreadable
from dlcot_ray.inputs.readers.text_sources import unclosed

_MAGIC = b"ARROW1"


class ArrowReader:
    """Reads one Arrow file or stream.

    Args:
        source: the file, seekable.
        label: names the file in faults.
        known: not needed, because a file has a footer.

    Raises:
        InputFault: it is neither.
    """

    def __init__(self, source: BinaryIO, label: str, known: FileMetadata | None = None) -> None:
        self._source, self._label = source, label
        self._is_stream = source.read(len(_MAGIC)) != _MAGIC
        self._schema: pa.Schema = self._opened().schema

    def metadata(self) -> FileMetadata:
        """Schema and row groups; of a stream, from a pass over it.

        Raises:
            InputFault: it is damaged.
        """
        size = self._source.seek(0, os.SEEK_END)
        # One column is enough to count rows; the bytes are shared out by rows.
        few = [0] if self._schema.names else None
        try:
            if self._is_stream:
                rows = [sum(batch.num_rows for batch in self._opened(few))]
            else:
                file = self._opened(few)
                rows = [file.get_batch(number).num_rows for number in range(file.num_record_batches)]
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self._label, "Arrow", error) from error
        total = max(sum(rows), 1)
        return FileMetadata.of(self._schema, ((count, size * count // total) for count in rows))

    def batches(
        self,
        groups: range | None = None,
        *,
        columns: Sequence[str] | None = None,
        max_rows: int = BATCH_ROWS,
    ) -> Iterator[pa.RecordBatch]:
        """See `Reader`; only the wanted columns are read."""
        places = None if columns is None else [self._schema.names.index(name) for name in columns]
        for batch in self._stored(groups, places):
            chosen = batch if columns is None else batch.select(list(columns))
            for start in range(0, chosen.num_rows, max_rows):
                yield chosen.slice(start, max_rows)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def _stored(self, groups: range | None, places: list[int] | None) -> Iterator[pa.RecordBatch]:
        file = self._opened(places)
        if self._is_stream:
            yield from file
            return
        for number in groups if groups is not None else range(file.num_record_batches):
            yield file.get_batch(number)

    def _opened(self, places: list[int] | None = None) -> Any:
        self._source.seek(0)
        options = pa.ipc.IpcReadOptions(included_fields=places)
        source = unclosed(self._source)
        try:
            if self._is_stream:
                return pa.ipc.open_stream(source, options=options)
            return pa.ipc.open_file(source, options=options)
        except (pa.ArrowException, OSError) as error:
            raise unreadable(self._label, "Arrow", error) from error
