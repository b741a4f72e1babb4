"""Units and batches are bounded by what rows are when they are decoded, whatever the file shares."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.inputs.readers.parquet import ParquetReader
from dlcot_ray.inputs.readers.parquet_sizes import HIDDEN_BYTES
from dlcot_ray.inputs.readers.protocol import BATCH_BYTES
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.work.reading import read_units
from tests.support.unit_steps import spec, tasks_of

ROWS = 40
LONG = "so it is 2. " * (HIDDEN_BYTES // 8)
UNIT_BYTES = 1 << 26


def shared(values: pa.Array | None = None, count: int = ROWS) -> pa.DictionaryArray:
    """A column in which every row has the same long text."""
    return pa.DictionaryArray.from_arrays(
        pa.array([0] * count, pa.int32()), values if values is not None else pa.array([LONG])
    )


def in_lists() -> pa.ListArray:
    turns = pa.StructArray.from_arrays([shared(pa.array(["user"])), shared()], ["role", "content"])
    return pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), turns)


def written(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", **options)
    return sink.getvalue()


def opened(data: bytes) -> ParquetReader:
    return ParquetReader(io.BytesIO(data), "x.parquet")


@pytest.mark.parametrize(
    ("column", "options"),
    [
        (shared(), {"store_schema": False}),
        (shared(), {}),
        (shared(pa.array([LONG], pa.large_string())), {"store_schema": False}),
        (shared(pa.array([LONG.encode()])).cast(pa.binary()), {"dictionary_pagesize_limit": 1 << 27}),
        (pa.array([LONG] * ROWS, pa.large_string()), {"dictionary_pagesize_limit": 1 << 27}),
        (in_lists(), {"store_schema": False}),
        (pa.array([LONG] * ROWS), {"use_dictionary": False, "column_encoding": {"a.b": "DELTA_BYTE_ARRAY"}}),
    ],
)
def test_a_text_that_rows_share_counts_for_each_of_them(column: pa.Array, options: dict[str, object]) -> None:
    data = written(pa.table({"id": [str(row) for row in range(ROWS)], "a.b": column}), **options)
    assert len(data) < 100_000
    reader = opened(data)
    (size,) = reader.metadata().group_bytes
    assert ROWS * len(LONG) <= size < 1.2 * ROWS * len(LONG)
    batches = list(reader.batches())
    assert sum(batch.num_rows for batch in batches) == ROWS
    assert max(batch.num_rows for batch in batches) <= BATCH_BYTES // len(LONG)
    assert [batch.num_rows for batch in reader.batches(columns=["id"])] == [ROWS]


def test_lists_of_a_million_nulls_count(tmp_path: Path) -> None:
    nulls = pa.array([[None] * 1_000_000] * 4, pa.list_(pa.int64()))
    data = written(pa.table({"id": list("abcd"), "a": nulls}))
    assert len(data) < 10_000
    assert opened(data).metadata().group_bytes[0] >= 4 * 8_000_000


def test_ordinary_groups_keep_the_size_of_the_footer() -> None:
    texts = [f"{row} {'is a number. ' * 900}" for row in range(600)]
    data = written(pa.table({"a": texts, "b": [f"{row}" for row in range(600)]}), row_group_size=300)
    footer = pq.ParquetFile(io.BytesIO(data)).metadata
    assert footer.row_group(0).total_byte_size > 3_000_000
    assert opened(data).metadata().group_bytes == tuple(footer.row_group(at).total_byte_size for at in (0, 1))


def test_units_of_shared_texts_are_small_and_all_rows_arrive(tmp_path: Path) -> None:
    ids = [f"t{row}" for row in range(ROWS)]
    table = pa.table({"id": ids, "problem": ["What is 1 + 1?"] * ROWS, "reasoning": shared()})
    source = tmp_path / "in" / "a.parquet"
    source.parent.mkdir()
    source.write_bytes(written(table, store_schema=False))
    assert source.stat().st_size < 20_000
    tasks: list[ReadTask] = tasks_of(source.parent, 256)
    found = [read.table for task in tasks for read in read_units(task, spec(tmp_path))]
    tables = [table for table in found if table is not None]
    assert len(tables) == len(found) > ROWS * len(LONG) // UNIT_BYTES
    assert max(table.nbytes for table in tables) <= UNIT_BYTES
    assert [row for table in tables for row in table["id"].to_pylist()] == ids
    assert all(row == LONG for table in tables for row in table["reasoning"].to_pylist())
