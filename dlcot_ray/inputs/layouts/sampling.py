"""Takes a few rows from files of one layout, at even distances, with a limit on what is read."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing

import pyarrow as pa

from dlcot_ray.inputs.columns import layout_keys
from dlcot_ray.inputs.files.shards import Shard, open_shard
from dlcot_ray.inputs.readers.protocol import READ_ERRORS, FileMetadata, Reader
from dlcot_ray.inputs.readers.registry import open_source, suffix_of
from dlcot_ray.inputs.readers.text_sources import TextSource
from dlcot_ray.storage.parallel import map_in_order
from dlcot_ray.storage.store import Store

MOST_ROWS = 96
"""Rows of a sample."""
MOST_FILES = 8
"""Files that a sample of one layout is taken from."""
_MOST_GROUPS = 4
_MOST_BYTES = 64 << 20
_BATCH_ROWS = 64
_HEAD_BYTES = 32 << 20
"""Bytes at the start of a text file, decompressed, that a sample is taken from."""


def some_shards(shards: Sequence[Shard], count: int, seed: str) -> list[Shard]:
    """At most `count` of the files, in their order; the same seed gives the same ones."""
    if len(shards) <= count:
        return list(shards)
    return [shards[place] for place in sorted(random.Random(seed).sample(range(len(shards)), count))]


def sample_rows(
    shards: Sequence[Shard],
    key: str,
    options: Mapping[str, object] | None = None,
    *,
    rows: int = MOST_ROWS,
    known: Mapping[str, FileMetadata] | None = None,
) -> pa.Table | None:
    """Rows of those files that have one layout; None if nothing can be read.

    A file that cannot be read is left out, because the job reports it.

    Args:
        shards: the files.
        key: the layout, as one of `layout_keys` gives it. Files of another one are left out.
        options: fsspec options of the inputs.
        rows: the most rows of all files together.
        known: metadata of files, by their names, that need not be found again.
    """
    share = -(-rows // max(len(shards), 1))

    def read(shard: Shard) -> pa.Table | None:
        try:
            with closing(open_sample(shard, options, (known or {}).get(shard.file))) as reader:
                found = reader.metadata()
                if key not in layout_keys(found.arrow_schema):
                    return None
                return _table(list(_rows(reader, found, share)))
        except READ_ERRORS:
            return None

    tables = [table for table in map_in_order(read, shards) if table is not None]
    if not tables:
        return None
    first = tables[0].schema
    return pa.concat_tables([tables[0], *(table for table in tables[1:] if table.schema == first)])


def open_sample(
    shard: Shard, options: Mapping[str, object] | None = None, known: FileMetadata | None = None
) -> Reader:
    """Open a file for a look at some rows; of JSON lines only the start is read, not the whole file.

    Raises:
        InputFault: it cannot be read.
    """
    suffix = (suffix_of(shard.relative) or "").lower()
    if known is not None or not suffix.startswith((".jsonl", ".ndjson")):
        return open_shard(shard, options, known)
    store = Store(shard.store_url, options)
    with store.open(shard.relative) as source:
        text = TextSource(source, shard.file)
        if text.first_character() == b"[":
            return open_shard(shard, options)
        head = b"".join(text.chunks(0, _HEAD_BYTES))
    if len(head) == _HEAD_BYTES:
        head = head[: head.rfind(b"\n") + 1]
    return open_source(io.BytesIO(head), shard.relative, shard.file)


def _table(batches: Sequence[pa.RecordBatch]) -> pa.Table | None:
    return pa.Table.from_batches(batches).replace_schema_metadata(None) if batches else None


def _rows(reader: Reader, found: FileMetadata, count: int) -> Iterator[pa.RecordBatch]:
    """About `count` rows, from at most `_MOST_GROUPS` row groups at even distances."""
    groups = [number for number, rows in enumerate(found.group_rows) if rows]
    picked = groups if len(groups) <= _MOST_GROUPS else _evenly(groups, _MOST_GROUPS)
    share = -(-count // max(len(picked), 1))
    for group in picked:
        left, read_bytes = share, 0
        for batch in reader.batches(range(group, group + 1), max_rows=_BATCH_ROWS):
            most = share if found.group_rows[group] <= _BATCH_ROWS else -(-share // 2)
            chosen = _evenly(list(range(batch.num_rows)), min(left, most, batch.num_rows))
            yield from (batch.slice(row, 1) for row in chosen)
            left, read_bytes = left - len(chosen), read_bytes + batch.nbytes
            if left <= 0 or read_bytes > _MOST_BYTES:
                break


def _evenly(items: Sequence[int], count: int) -> list[int]:
    """`count` of the items, at even distances."""
    return [items[place * len(items) // count] for place in range(count)]
