"""Metadata of the input files that planning needs, read once and recorded beside the output.

Asking costs one or two requests per file, or a pass over the file, depending on its format. With a hundred
thousand files every resume would wait for minutes. The answers are therefore kept in one object of the
output. A recorded answer counts as long as the LIST of the inputs shows the same size and version. The record
is a cache: if it is lost or damaged, the files are asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError, reason_of
from dlcot_ray.inputs.files.shards import Shard, open_shard
from dlcot_ray.inputs.readers.protocol import FileMetadata
from dlcot_ray.inputs.readers.registry import is_text
from dlcot_ray.storage.tables import read_arrow_file, to_arrow_file

_VERSION_KEY, _VERSION = b"dlcot.input_metadata", b"2"
_GROUP_COLUMNS = ("group_rows", "group_bytes", "group_starts", "group_lines")
_PART_ROWS = 1_000
_SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("size", pa.int64()),
        ("version", pa.string()),
        ("schema", pa.dictionary(pa.int32(), pa.binary())),
        *((name, pa.list_(pa.int64())) for name in _GROUP_COLUMNS),
    ],
    metadata={_VERSION_KEY: _VERSION},
)


def read_file_metadata(shard: Shard, options: Mapping[str, object] | None = None) -> FileMetadata:
    """Ask a file what it holds.

    Args:
        shard: the file.
        options: fsspec options of its store.

    Raises:
        InputFault: the file is empty, cannot be read, is or is not of its format.
    """
    if shard.size == 0 and not is_text(shard.relative):
        raise InputFault(shard.file, "the file is empty (0 bytes)", "write it again or remove it")
    try:
        with closing(open_shard(shard, options)) as reader:
            return reader.metadata()
    except (pa.ArrowException, OSError, JobError) as error:
        raise InputFault(
            shard.file, f"it cannot be read ({reason_of(error)})", "write it again or remove it"
        ) from error


class MetadataCache:
    """Metadata of input files, by file. Not safe for several threads at once.

    Args:
        recorded: what `to_bytes` returned earlier, or None. Anything else counts as None.

    Attributes:
        changed: whether `put` was called.
    """

    def __init__(self, recorded: bytes | None = None) -> None:
        self._parts: list[pa.Table] = []
        self._fresh: list[dict[str, object]] = []
        self._where: dict[str, tuple[int, int]] = {}
        self.changed = False
        table = _table(recorded)
        if table is not None:
            self._append(table)

    def get(self, shard: Shard) -> FileMetadata | None:
        """The recorded metadata of a file, or None if there is none or the file has changed."""
        part, row = self._where.get(shard.file, (0, -1))
        if row < 0:
            return None
        if part == len(self._parts):
            self._settle()
        table = self._parts[part]
        if table["version"][row].as_py() != shard.version or table["size"][row].as_py() != shard.size:
            return None
        groups = (tuple(table[name][row].values.to_pylist()) for name in _GROUP_COLUMNS)
        return FileMetadata(table["schema"][row].as_py(), *groups)

    def put(self, shard: Shard, metadata: FileMetadata) -> None:
        """Record the metadata of a file."""
        self.changed = True
        self._where[shard.file] = (len(self._parts), len(self._fresh))
        self._fresh.append(
            {
                "file": shard.file,
                "size": shard.size,
                "version": shard.version,
                "schema": metadata.schema,
                **{name: getattr(metadata, name) for name in _GROUP_COLUMNS},
            }
        )
        if len(self._fresh) >= _PART_ROWS:
            self._settle()

    def to_bytes(self) -> bytes:
        """The record as an Arrow file."""
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
        """Turn the rows that were put since the last call into a table."""
        if self._fresh:
            self._parts.append(pa.Table.from_pylist(self._fresh, _SCHEMA))
            self._fresh = []


def _table(recorded: bytes | None) -> pa.Table | None:
    if recorded is None:
        return None
    try:
        table = read_arrow_file(recorded)
        if (table.schema.metadata or {}).get(_VERSION_KEY) != _VERSION:
            return None
        return table.cast(_SCHEMA).combine_chunks()
    except (pa.ArrowException, OSError, ValueError):
        return None
