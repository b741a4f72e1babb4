"""What planning needs of the inputs' Parquet footers, read once and recorded beside the output.

A footer is one or two requests of an object store; a hundred thousand of them are minutes that every
resume would wait for. What they say is therefore kept in one object of the output, and a recorded footer
counts as long as the input's LIST shows the same size and version. It is a cache: lost or damaged, the
footers are read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.shards import Shard
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import read_arrow_file, schema_to_bytes, to_arrow_file

_READ_BYTES = 8 << 20
_VERSION = b"2"
_PART_ROWS = 1_000
_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("schema", pa.dictionary(pa.int32(), pa.binary())),
        ("group_rows", pa.list_(pa.int64())),
        ("group_bytes", pa.list_(pa.int64())),
    ],
    metadata={b"dlcot.footers": _VERSION},
)


@dataclass(frozen=True, slots=True)
class Footer:
    """One file's footer.

    Attributes:
        schema: its Arrow schema without metadata, serialized; equal bytes are equal schemas.
        group_rows: rows of each row group.
        group_bytes: uncompressed bytes of each row group.
    """

    schema: bytes
    group_rows: tuple[int, ...]
    group_bytes: tuple[int, ...]


class Footers:
    """Footers by file. Not for several threads at once.

    Args:
        recorded: what `to_bytes` gave, or None; anything else counts as None.
    """

    def __init__(self, recorded: bytes | None = None) -> None:
        self._parts: list[pa.Table] = []
        self._fresh: list[dict[str, object]] = []
        self._where: dict[str, tuple[int, int]] = {}
        self.changed = False
        table = _table(recorded)
        if table is not None:
            self._append(table)

    def get(self, shard: Shard) -> Footer | None:
        """The recorded footer of a file, if the file is still what it was."""
        part, row = self._where.get(shard.file, (0, -1))
        if row < 0:
            return None
        if part == len(self._parts):
            self._settle()
        table = self._parts[part]
        if table["version"][row].as_py() != shard.version or table["size"][row].as_py() != shard.size:
            return None
        rows, sizes = (tuple(table[name][row].values.to_pylist()) for name in ("group_rows", "group_bytes"))
        return Footer(table["schema"][row].as_py(), rows, sizes)

    def put(self, shard: Shard, footer: Footer) -> None:
        """Record the footer of a file."""
        self.changed = True
        self._where[shard.file] = (len(self._parts), len(self._fresh))
        self._fresh.append(
            {
                "file": shard.file,
                "size": shard.size,
                "version": shard.version,
                "schema": footer.schema,
                "group_rows": footer.group_rows,
                "group_bytes": footer.group_bytes,
            }
        )
        if len(self._fresh) >= _PART_ROWS:
            self._settle()

    def to_bytes(self) -> bytes:
        """The record, as an Arrow file."""
        self._settle()
        rows = sorted(self._where.values())
        picked = [
            table.take([row for part, row in rows if part == number])
            for number, table in enumerate(self._parts)
        ]
        table = pa.concat_tables([_SCHEMA.empty_table(), *picked]).unify_dictionaries()
        return to_arrow_file(table)

    def _append(self, table: pa.Table) -> None:
        number = len(self._parts)
        self._parts.append(table)
        self._where.update((file, (number, row)) for row, file in enumerate(table["file"].to_pylist()))

    def _settle(self) -> None:
        if self._fresh:
            self._parts.append(pa.Table.from_pylist(self._fresh, _SCHEMA))
            self._fresh = []


def _table(recorded: bytes | None) -> pa.Table | None:
    if recorded is None:
        return None
    try:
        table = read_arrow_file(recorded)
        if (table.schema.metadata or {}).get(b"dlcot.footers") != _VERSION:
            return None
        return table.cast(_SCHEMA).combine_chunks()
    except (pa.ArrowException, OSError, ValueError):
        return None


def read_footer(shard: Shard, options: Mapping[str, object] | None = None) -> Footer:
    """Read a file's footer.

    Raises:
        InputFault: the file is empty, cannot be read, is no Parquet file, or has no rows.
    """
    if shard.size == 0:
        raise InputFault(shard.file, "the file is empty (0 bytes)", "write it again or remove it")
    with open_parquet(Store(shard.store_url, options), shard.relative, shard.file) as file:
        footer = file.metadata
        if footer.num_rows == 0:
            raise InputFault(shard.file, "the file has no rows", "remove it")
        try:
            schema = file.schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise InputFault(
                shard.file,
                f"its schema cannot be read ({reason_of(error, 200, line=0)})",
                "write the file again",
            ) from error
        groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
        return Footer(
            schema_to_bytes(schema),
            tuple(group.num_rows for group in groups),
            tuple(group.total_byte_size for group in groups),
        )


def open_parquet(store: Store, relative: str, label: str) -> pq.ParquetFile:
    """Open a Parquet file of an input store; only its footer is read.

    Raises:
        InputFault: it is missing, unreadable, or no Parquet file.
    """
    try:
        # So that a sweep over a large row group holds a few megabytes, not its whole column chunks.
        return pq.ParquetFile(store.open(relative), pre_buffer=False, buffer_size=_READ_BYTES)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputFault(
            label,
            f"not a readable Parquet file ({reason_of(error, 200, line=0)})",
            "write it again or remove it",
        ) from error
    except JobError as error:
        raise InputFault(label, error.message, error.remedy) from error
