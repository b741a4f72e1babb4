"""Arrow files and streams: the batches of a file are row groups, a stream is one."""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.feather as feather
import pytest

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers.arrow import ArrowReader
from dlcot_ray.inputs.readers.protocol import read_table

TABLE = pa.table(
    {
        "id": [f"r{number}" for number in range(10)],
        "kind": pa.array(["a", "b"] * 5).dictionary_encode(),
        "reasoning": ["So 1 + 1 = 2."] * 10,
    }
)


def file(compression: str | None = None) -> bytes:
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_file(sink, TABLE.schema, options=options) as writer:
        writer.write_table(TABLE, max_chunksize=4)
    return sink.getvalue()


def stream() -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=4)
    return sink.getvalue()


def opened(data: bytes) -> ArrowReader:
    return ArrowReader(io.BytesIO(data), "a.arrow")


@pytest.mark.parametrize("compression", [None, "lz4", "zstd"])
def test_the_batches_of_a_file_are_its_row_groups(compression: str | None) -> None:
    reader = opened(file(compression))
    found = reader.metadata()
    assert found.group_rows == (4, 4, 2)
    assert found.arrow_schema == TABLE.schema
    assert read_table(reader).equals(TABLE)
    assert pa.Table.from_batches(list(reader.batches(range(1, 3)))).equals(TABLE.slice(4))
    assert [batch.num_rows for batch in reader.batches(max_rows=3)] == [3, 1, 3, 1, 2]
    assert read_table(reader, ["reasoning", "id"]).equals(TABLE.select(["reasoning", "id"]))


def test_a_stream_is_one_row_group() -> None:
    reader = opened(stream())
    assert reader.metadata().group_rows == (10,)
    assert read_table(reader).equals(TABLE)
    assert read_table(reader, ["id"]).equals(TABLE.select(["id"]))


def test_feather_is_an_arrow_file() -> None:
    sink = io.BytesIO()
    feather.write_feather(TABLE, sink, chunksize=5)
    assert opened(sink.getvalue()).metadata().group_rows == (5, 5)


@pytest.mark.parametrize("data", [b"", b"no arrow", file()[:-30], b"ARROW1"])
def test_what_is_no_arrow_file_is_a_fault(data: bytes) -> None:
    with pytest.raises(InputFault, match="not a readable Arrow file"):
        opened(data)


def test_a_damaged_body_is_a_fault() -> None:
    data = stream()
    with pytest.raises(InputFault, match="not a readable Arrow file"):
        opened(data[: len(data) // 2]).metadata()


def test_a_file_without_rows_or_columns() -> None:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE.slice(0, 0))
    assert opened(sink.getvalue()).metadata().rows == 0
