"""Every encoding gives back the table that went in."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest
from datasets import load_dataset

from dlcot_ray.storage.tables import (
    read_arrow_file,
    read_arrow_stream,
    read_parquet,
    read_parquet_metadata,
    schema_from_bytes,
    schema_to_bytes,
    to_arrow_file,
    to_arrow_stream,
    to_parquet,
)

TABLE = pa.table(
    {"name": ["a", None, "ä"], "rows": pa.array([1, 2, 3], pa.int64()), "parts": [[1], [], [2, 3]]}
)


@pytest.mark.parametrize("table", [TABLE, TABLE.slice(0, 0), TABLE.slice(1, 1)])
def test_each_encoding_returns_the_same_table(table: pa.Table) -> None:
    assert read_parquet(to_parquet(table)).equals(table)
    assert read_arrow_stream(to_arrow_stream(table)).equals(table)
    for compression in ("zstd", None):
        assert read_arrow_file(to_arrow_file(table, compression)).equals(table)


def test_a_table_without_rows_does_not_keep_datasets_from_reading_the_others(tmp_path: Path) -> None:
    for name, table in (("a", TABLE.slice(0, 0)), ("b", TABLE), ("c", TABLE.slice(0, 0))):
        (tmp_path / f"{name}.parquet").write_bytes(to_parquet(table, {"rows": "n"}))
    files = str(tmp_path / "*.parquet")
    data = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert data["name"][:] == TABLE["name"].to_pylist()


def test_metadata_is_stored_in_parquet_footers_and_arrow_files() -> None:
    data = to_parquet(TABLE, {"rows": "3"}, rows_per_group=2)
    assert read_parquet_metadata(data) == {"rows": "3"}
    assert read_parquet_metadata(to_parquet(TABLE)) == {}
    marked = TABLE.replace_schema_metadata({"rows": "3"})
    assert read_arrow_file(to_arrow_file(marked)).schema.metadata == {b"rows": b"3"}


def test_a_schema_comes_back_without_its_metadata() -> None:
    schema = TABLE.schema.with_metadata({"rows": "3"})
    assert schema_to_bytes(schema) == schema_to_bytes(TABLE.schema)
    assert schema_from_bytes(schema_to_bytes(schema)).equals(TABLE.schema, check_metadata=True)


@pytest.mark.parametrize("read", [read_parquet, read_arrow_file, read_arrow_stream, read_parquet_metadata])
def test_other_bytes_are_an_arrow_error(read: object) -> None:
    assert callable(read)
    with pytest.raises(pa.ArrowException):
        read(pa.py_buffer(b"not a table") if read is read_arrow_stream else b"not a table")


def test_content_defined_chunks_read_back_and_share_bytes_after_a_change() -> None:
    words = random.Random(1)
    rows = [{"id": i, "text": words.randbytes(8_000).hex()} for i in range(600)]
    one = pa.Table.from_pylist(rows)
    other = pa.Table.from_pylist([{"id": -1, "text": words.randbytes(150_000).hex()}, *rows])
    chunked = [to_parquet(table, chunked=True) for table in (one, other)]
    plain = [to_parquet(table) for table in (one, other)]
    assert read_parquet(chunked[1]).equals(other)

    def shared(a: bytes, b: bytes) -> float:
        places = range(0, len(a) - 512, 65_536)
        return sum(a[at : at + 64] in b for at in places) / len(places)

    assert shared(*chunked) > 0.7 > shared(*plain)
