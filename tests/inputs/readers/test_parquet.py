"""Parquet files of other writers: times of the old type INT96."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers.parquet import ParquetReader
from dlcot_ray.inputs.readers.protocol import read_table

SENTINELS = [
    datetime.datetime(1, 1, 1),
    datetime.datetime(1677, 9, 21),
    None,
    datetime.datetime(2024, 5, 1, 12, 30, 15, 123456),
    datetime.datetime(9999, 12, 31, 23, 59, 59, 999999),
]
"""Times as databases use them for "never" and "always", beside an ordinary one."""
MICROSECONDS = pa.timestamp("us")


def int96(table: pa.Table, **options: Any) -> ParquetReader:
    """A file of Spark, or of another writer of INT96."""
    sink = io.BytesIO()
    pq.write_table(table, sink, use_deprecated_int96_timestamps=True, row_group_size=2, **options)
    assert pq.ParquetFile(sink).schema.column(0).physical_type == "INT96"
    return ParquetReader(io.BytesIO(sink.getvalue()), "x.parquet")


def times() -> pa.Table:
    return pa.table(
        {
            "at": pa.array(SENTINELS, MICROSECONDS),
            "all": pa.array([[time, time] for time in SENTINELS], pa.list_(MICROSECONDS)),
            "span": pa.array([{"from": time} for time in SENTINELS], pa.struct([("from", MICROSECONDS)])),
            "id": pa.array(range(5)),
        }
    )


@pytest.mark.parametrize("store_schema", [False, True])
def test_int96_times_of_any_year_are_read_exactly(store_schema: bool) -> None:
    reader = int96(times(), store_schema=store_schema)
    found = read_table(reader)
    assert found.schema.types == reader.metadata().arrow_schema.types
    for name in times().column_names:
        assert found[name].to_pylist() == times()[name].to_pylist()
    assert [batch.num_rows for batch in reader.batches(range(1, 2))] == [2]


def test_int96_times_of_a_file_in_nanoseconds_keep_them() -> None:
    table = pa.table({"at": pa.array([1, -1, 1_700_000_000_123_456_789], pa.timestamp("ns"))})
    assert read_table(int96(table)).equals(table)


@pytest.mark.parametrize("nested", [False, True])
def test_nanoseconds_are_never_dropped(nested: bool) -> None:
    at = pa.array([0, 1_000, 2_000, 3_001, None], pa.timestamp("ns"))
    if nested:
        at = pa.ListArray.from_arrays(pa.array(range(6), pa.int32()), at)
    reader = int96(pa.table({"at": at, "id": pa.array(range(5))}), store_schema=False)
    assert sum(batch.num_rows for batch in reader.batches(range(1))) == 2
    assert sum(batch.num_rows for batch in reader.batches(columns=["id"])) == 5
    for groups in (None, range(1, 3)):
        with pytest.raises(InputFault, match=r"x\.parquet: row 3: column at has .*nanoseconds.*TIMESTAMP"):
            list(reader.batches(groups))
