"""The traces of a folder of Parquet files as a table, and any number of them under new ids."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = ("id", "problem", "reasoning", "response", "answer_text", "ground_truth")


def read_traces(source: Path) -> pa.Table:
    """All traces below a folder, with those columns that the `auto` preset understands."""
    files = sorted(source.glob("**/*.parquet"))
    tables = [pq.read_table(f, columns=[c for c in COLUMNS if c in pq.read_schema(f).names]) for f in files]
    return pa.concat_tables(tables, promote_options="default").combine_chunks()


def repeated(table: pa.Table, first: int, stop: int) -> pa.Table:
    """Rows `[first, stop)` of the endless repetition of `table`, each with an id of its own."""
    # A prime stride: every shard mixes sources, and no two shards are alike.
    picked = table.take(pa.array([row * 7919 % table.num_rows for row in range(first, stop)]))
    ids = pa.array([f"{first + i}-{old}" for i, old in enumerate(picked.column("id").to_pylist())])
    return picked.set_column(0, "id", ids)
