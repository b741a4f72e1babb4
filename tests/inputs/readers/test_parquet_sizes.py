"""Units and batches are bounded by what rows are when they are decoded, whatever the file shares."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.inputs.readers.parquet import ParquetReader
from dlcot_ray.inputs.readers.parquet_sizes import dictionary_of
from dlcot_ray.inputs.readers.protocol import BATCH_BYTES
from dlcot_ray.work.reading import read_units
from tests.support.unit_steps import spec, tasks_of

ROWS = 40
LONG = "so it is 2. " * (1 << 19)
UNIT_BYTES = 1 << 26


class Counting(io.BytesIO):
    """A file that counts what is read of it."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.bytes_read += len(data)
        return data


def shared(values: pa.Array, rows: list[int] | None = None) -> pa.DictionaryArray:
    """A column whose rows have these texts, by default all of them the first one."""
    return pa.DictionaryArray.from_arrays(
        pa.array(rows if rows is not None else [0] * ROWS, pa.int32()), values
    )


def in_lists(values: pa.Array) -> pa.ListArray:
    turns = pa.StructArray.from_arrays([shared(pa.array(["user"])), shared(values)], ["role", "content"])
    return pa.ListArray.from_arrays(pa.array(range(ROWS + 1), pa.int32()), turns)


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **{"compression": "zstd", **options})
    return sink.getvalue()


def opened(data: bytes) -> ParquetReader:
    return ParquetReader(io.BytesIO(data), "x.parquet")


@pytest.mark.parametrize(
    ("column", "options"),
    [
        (shared(pa.array([LONG])), {"store_schema": False}),
        (shared(pa.array([LONG])), {}),
        (shared(pa.array([LONG, LONG[1:]]), [0, 1] * (ROWS // 2)), {"store_schema": False}),
        (shared(pa.array([LONG], pa.large_string())), {"store_schema": False, "compression": "snappy"}),
        (pa.array([LONG.encode()] * ROWS), {"dictionary_pagesize_limit": 1 << 27}),
        (in_lists(pa.array([LONG])), {"store_schema": False}),
    ],
)
def test_a_text_that_rows_share_counts_for_each_of_them(column: pa.Array, options: dict[str, Any]) -> None:
    data = written(pa.table({"id": [str(row) for row in range(ROWS)], "a.b": column}), **options)
    reader = opened(data)
    (size,) = reader.metadata().group_bytes
    assert ROWS * len(LONG) <= size + ROWS < 1.2 * ROWS * len(LONG)
    batches = list(reader.batches())
    assert sum(batch.num_rows for batch in batches) == ROWS
    assert max(batch.nbytes for batch in batches) <= BATCH_BYTES + len(LONG)
    assert [batch.num_rows for batch in reader.batches(columns=["id"])] == [ROWS]


def test_rows_without_a_text_do_not_count() -> None:
    column = shared(pa.array([LONG]), [0, 0, *[None] * (ROWS - 2)])  # type: ignore[list-item]
    (size,) = opened(written(pa.table({"a": column}), store_schema=False)).metadata().group_bytes
    assert size < 3 * len(LONG)


def test_lists_of_a_million_nulls_count() -> None:
    nulls = pa.array([[None] * 1_000_000] * 4, pa.list_(pa.int64()))
    data = written(pa.table({"id": list("abcd"), "a": nulls}))
    assert len(data) < 10_000
    assert opened(data).metadata().group_bytes[0] >= 4 * 8_000_000


def test_ordinary_files_keep_the_sizes_of_their_footers_and_nothing_else_is_read() -> None:
    texts = [f"{row} {'is a number. ' * 900}" for row in range(600)]
    table = pa.table(
        {
            "id": [f"row-{row}" for row in range(600)],
            "problem": [f"What is {row}? {'Think well. ' * 20}" for row in range(600)],
            "reasoning": texts,
            "source": ["a", "b", "c"] * 200,
        }
    )
    for rows in (300, 20):
        data = written(table, row_group_size=rows)
        source = Counting(data)
        reader = ParquetReader(source, "x.parquet")
        footer = pq.ParquetFile(io.BytesIO(data)).metadata
        groups = range(footer.num_row_groups)
        assert reader.metadata().group_bytes == tuple(footer.row_group(at).total_byte_size for at in groups)
        assert source.bytes_read <= 65_536 + 8
        assert [batch.num_rows for batch in reader.batches(max_rows=256)] == [256, 256, 88]


def test_planning_reads_heads_of_dictionaries_only() -> None:
    column = shared(pa.array([LONG + "".join(chr(33 + at * at % 89) for at in range(500_000))]))
    data = written(pa.table({"a": column}), store_schema=False, compression="none")
    source = Counting(data)
    ParquetReader(source, "x.parquet").metadata()
    assert source.bytes_read <= 65_536 + 8 + 64


@pytest.mark.parametrize(
    "head", [b"", b"\x15", b"\x15\x04\x15", b"PAR1PAR1", b"\x15\x04\x15\xff\xff\xff\xff\xff\xff"]
)
def test_a_head_that_is_no_page_header_tells_nothing(head: bytes) -> None:
    assert dictionary_of(head) is None


def test_units_of_shared_texts_are_small_and_all_rows_arrive(tmp_path: Path) -> None:
    ids = [f"t{row}" for row in range(ROWS)]
    table = pa.table({"id": ids, "problem": ["What is 1 + 1?"] * ROWS, "reasoning": shared(pa.array([LONG]))})
    source = tmp_path / "in" / "a.parquet"
    source.parent.mkdir()
    source.write_bytes(written(table, store_schema=False))
    assert source.stat().st_size < 20_000
    read = [unit for task in tasks_of(source.parent, 256) for unit in read_units(task, spec(tmp_path))]
    tables = [unit.table for unit in read if unit.table is not None]
    assert len(tables) == len(read) >= ROWS * len(LONG) // UNIT_BYTES
    assert max(table.nbytes for table in tables) <= UNIT_BYTES
    assert [row for table in tables for row in table["id"].to_pylist()] == ids
    assert all(row == LONG for table in tables for row in table["reasoning"].to_pylist())


def test_a_unit_that_is_larger_than_it_looks_costs_only_itself(tmp_path: Path) -> None:
    # One long text among 2,000 short ones has most of the rows of the second unit: a mean tells nothing.
    texts = pa.array([LONG[: 3 << 19], *(f"{row} is a number" for row in range(2_000))])
    rows = [*range(1, 257), *[0] * 256, *range(257, 513)]
    table = pa.table(
        {
            "id": [f"t{row}" for row in range(len(rows))],
            "problem": ["What is 1 + 1?"] * len(rows),
            "reasoning": shared(texts, rows),
        }
    )
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.parquet").write_bytes(written(table, store_schema=False))
    read = [unit for task in tasks_of(tmp_path / "in", 256) for unit in read_units(task, spec(tmp_path))]
    assert [unit.table is None for unit in read] == [False, True, False]
    assert "its 256 rows decode to 384 MiB" in read[1].error
    assert "run with rows_per_unit=42 and another output" in read[1].error
    small = (unit for task in tasks_of(tmp_path / "in", 42) for unit in read_units(task, spec(tmp_path)))
    assert sum(unit.table.num_rows for unit in small if unit.table is not None) == len(rows)
