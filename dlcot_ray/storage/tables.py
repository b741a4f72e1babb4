"""Arrow tables to bytes and back: the one place that encodes and decodes them.

Three encodings: Parquet files for everything that people or other programs read, Arrow files for state that
only this package reads, and Arrow streams for tables that travel between processes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS_PER_GROUP = 1024
"""About 10 MB of long traces: small enough to read one at a time, large enough to compress well."""


def to_parquet(
    table: pa.Table,
    metadata: Mapping[str, str] | None = None,
    rows_per_group: int = _ROWS_PER_GROUP,
    *,
    chunked: bool = False,
) -> bytes:
    """A Parquet file with key-value metadata; the same table and metadata give the same bytes.

    Args:
        table: its rows.
        metadata: of the file.
        rows_per_group: most rows of a row group.
        chunked: end data pages where the content says so, so that equal rows give equal bytes in two files.
    """
    stored = {key.encode(): value.encode() for key, value in sorted((metadata or {}).items())}
    sink = io.BytesIO()
    table = table.replace_schema_metadata(stored)
    with pq.ParquetWriter(
        sink,
        table.schema,
        version="2.6",
        compression="zstd",
        compression_level=3,
        write_statistics=True,
        use_content_defined_chunking=chunked,
    ) as writer:
        # The `datasets` library cannot read a row group without rows, but a file without row groups.
        if table.num_rows:
            writer.write_table(table, row_group_size=rows_per_group)
    return sink.getvalue()


def read_parquet(data: bytes) -> pa.Table:
    """The table of a Parquet file.

    Raises:
        pyarrow.ArrowException, OSError: it is no readable Parquet file.
    """
    return pq.read_table(io.BytesIO(data), use_threads=False)


def read_parquet_metadata(source: bytes | BinaryIO) -> dict[str, str]:
    """The key-value metadata of a Parquet file, from its footer alone.

    Raises:
        pyarrow.ArrowInvalid: it is no Parquet file.
    """
    found = pq.read_metadata(io.BytesIO(source) if isinstance(source, bytes) else source).metadata or {}
    return {key.decode(): value.decode() for key, value in found.items() if key != b"ARROW:schema"}


def to_arrow_file(table: pa.Table, compression: str | None = "zstd") -> bytes:
    """An Arrow file; the metadata of the table's schema is kept."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def read_arrow_file(data: bytes) -> pa.Table:
    """The table of an Arrow file.

    Raises:
        pyarrow.ArrowException, OSError: it is no readable Arrow file.
    """
    return pa.ipc.open_file(data).read_all()


def to_arrow_stream(table: pa.Table) -> pa.Buffer:
    """An uncompressed Arrow stream, so that `read_arrow_stream` copies nothing."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def read_arrow_stream(buffer: pa.Buffer) -> pa.Table:
    """The table of an Arrow stream, without a copy of the buffer.

    Raises:
        pyarrow.ArrowException: it is no Arrow stream.
    """
    return pa.ipc.open_stream(buffer).read_all()


def schema_to_bytes(schema: pa.Schema) -> bytes:
    """A schema without its metadata; equal bytes are equal schemas."""
    return bytes(schema.remove_metadata().serialize())


def schema_from_bytes(data: bytes) -> pa.Schema:
    """The schema that `schema_to_bytes` stored.

    Raises:
        pyarrow.ArrowException: it is no schema.
    """
    return pa.ipc.read_schema(pa.py_buffer(data))
