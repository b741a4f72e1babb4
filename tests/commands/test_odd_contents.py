"""Odd inputs that are right all the same: a job keeps them, and its output stays one sound data set."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from dlcot_ray.commands.verify.command import verify
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.schemas import OUTPUT_COLUMNS
from dlcot_ray.storage.store import Store
from tests.support import SUPPORT
from tests.support.finished_job import sum_trace
from tests.support.plain_run import run_without_ray

TIMES = [datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31), None, datetime.datetime(2024, 5, 1)]


def traces(first: int) -> pa.Table:
    rows = [{**sum_trace(first + number)} for number in range(4)]
    columns = ("problem", "reasoning", "answer")
    table = pa.table({name: [row[name] for row in rows] for name in columns})
    ids = pa.array([Decimal(first + number) for number in range(4)], pa.decimal128(38, 18))
    return table.append_column("id", ids)


def run(source: Path, out: Path, *words: str) -> ds.Dataset:
    """Run a job, audit its output, and open its rows as one data set."""
    run_without_ray([f"input={source}", f"output={out}", "rows_per_unit=3", *words])
    audit = verify(Output(Store(str(out))))
    # Only the job itself writes a manifest.
    assert [str(finding) for finding in audit.findings] == [
        "manifest.json: there is none: the job is not finished"
    ]
    assert audit.compared == audit.rows
    return ds.dataset(out / "enhanced", partitioning="hive")


def test_times_of_spark_and_ids_of_decimals_are_carried(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    table = traces(0).append_column("created", pa.array(TIMES, pa.timestamp("us")))
    table = table.append_column("score", pa.array([float("nan"), 1.0, None, 2.0]))
    pq.write_table(
        table, tmp_path / "in" / "a.parquet", use_deprecated_int96_timestamps=True, store_schema=False
    )
    found = run(tmp_path / "in", tmp_path / "out").to_table().sort_by("input_row")
    assert found["created"].to_pylist() == TIMES
    assert found["trace_id"].to_pylist() == ["0", "1", "2", "3"]
    assert found["id"].to_pylist() == table["id"].to_pylist()


def test_columns_and_partitions_with_names_of_ours_are_kept_apart(tmp_path: Path) -> None:
    for number, key in enumerate(["status=ok", "status=bad", "lang=en/input_row=7"]):
        path = tmp_path / "in" / key / "part.parquet"
        path.parent.mkdir(parents=True)
        mine = pa.array([f"mine {row}" for row in range(4)])
        table = (
            traces(4 * number).append_column("source_judge", mine).append_column("source_source_edits", mine)
        )
        pq.write_table(table.append_column("policy", mine), path)
    found = run(tmp_path / "in", tmp_path / "out")
    assert {"source_status", "source_input_row", "lang"} <= set(found.schema.names)
    rows = found.to_table().to_pylist()
    assert len(rows) == 12
    assert {row["source_status"] for row in rows} == {"ok", "bad", None}
    assert {row["status"] for row in rows} <= {"enhanced", "unchanged"}
    assert {row["source_judge"] for row in rows} == {f"mine {row}" for row in range(4)}
    for name in ("enhanced", "annotations"):
        assert pq.read_table(tmp_path / "out" / name).num_rows == 12


def test_every_column_of_ours_is_known_to_partitions(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pq.write_table(traces(0), tmp_path / "in" / "a.parquet")
    run(tmp_path / "in", tmp_path / "out")
    for folder in ("enhanced", "annotations"):
        names = set(pq.read_table(tmp_path / "out" / folder).column_names) - set(traces(0).column_names)
        assert names <= OUTPUT_COLUMNS


def test_long_names_of_files_and_empty_shards(tmp_path: Path) -> None:
    folder = tmp_path / "in" / ("k=" + "v" * 253)
    folder.mkdir(parents=True)
    names = ["a" * 232, "a" * 231 + "b", "あ" * 77]
    for number, name in enumerate(names):
        pq.write_table(traces(4 * number), folder / f"{name}.parquet")
    pq.write_table(traces(0).slice(0, 0), folder / "part-00003.parquet")
    found = run(tmp_path / "in", tmp_path / "out")
    assert sorted(int(row) for row in found.to_table()["trace_id"].to_pylist()) == list(range(12))
    assert all(len(path.name.encode()) <= 255 for path in (tmp_path / "out").rglob("*"))


def test_a_row_that_is_rejected_for_its_time_is_no_finding(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    rows = [sum_trace(number) for number in range(4)]
    rows[1]["problem"] += " LOOP"
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    judge = (f"judge={SUPPORT / 'faulty.yaml'}", "allow_code=true", "row_seconds=0.3", "slow_rows=reject")
    found = run(tmp_path / "in", tmp_path / "out", *judge).to_table()
    assert sorted(found["trace_id"].to_pylist()) == ["sum-0", "sum-2", "sum-3"]
    (rejected,) = pq.read_table(tmp_path / "out" / "rejected").to_pylist()
    assert (rejected["trace_id"], rejected["cause"]) == ("sum-1", "too_slow")
