"""Reading units back from files: exact rows, one sweep, and faults as values."""

from __future__ import annotations

import errno
import time
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow.parquet as pq
import pytest

from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.storage.local_files import LocalBackend
from dlcot_ray.work.reading import read_units
from tests.support.unit_steps import spec, tasks_of, write


@pytest.mark.parametrize(("rows_per_group", "rows_per_unit"), [(100, 7), (3, 10), (5, 5), (1, 1), (7, 3)])
def test_units_hold_exactly_their_rows(tmp_path: Path, rows_per_group: int, rows_per_unit: int) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 23, rows_per_group)
    seen: list[str] = []
    for task in tasks_of(source, rows_per_unit):
        for unit in read_units(task, spec(tmp_path)):
            assert unit.table is not None
            assert unit.table.num_rows == unit.task.stop - unit.task.start
            assert unit.table["id"][0].as_py() == f"t{unit.task.start}"
            seen += unit.table["id"].to_pylist()
    assert seen == [f"t{i}" for i in range(23)]


def test_units_that_are_done_are_left_out_of_the_sweep(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 20, 100)
    (task,) = tasks_of(source, 5)
    left = ReadTask(task.store_url, task.relative, 0, 1, 0, (task.units[1], task.units[3]))
    read = list(read_units(left, spec(tmp_path)))
    assert [unit.table["id"][0].as_py() for unit in read if unit.table is not None] == ["t5", "t15"]


def test_a_damaged_page_costs_its_row_group_only(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 9, 3)
    column = pq.ParquetFile(source / "a.parquet").metadata.row_group(1).column(2)
    content = bytearray((source / "a.parquet").read_bytes())
    start = column.data_page_offset
    content[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    (source / "a.parquet").write_bytes(content)
    read = [unit for task in tasks_of(source, 3) for unit in read_units(task, spec(tmp_path))]
    assert [bool(unit.error) for unit in read] == [False, True, False]
    assert "cannot be read" in read[1].error


def test_a_vanished_file_is_an_error_of_each_unit(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 6, 100)
    (task,) = tasks_of(source, 3)
    (source / "a.parquet").unlink()
    assert [bool(unit.error) for unit in read_units(task, spec(tmp_path))] == [True, True]


class Failing:
    """A file that raises an error in its first reads."""

    def __init__(self, file: BinaryIO, errors: list[OSError]) -> None:
        self._file, self._errors = file, errors

    def read(self, size: int = -1) -> bytes:
        if self._errors:
            raise self._errors.pop()
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def failing_opens(monkeypatch: pytest.MonkeyPatch, at: str, errors: list[OSError]) -> list[str]:
    """Make opens (or reads of opened files) of local objects raise `errors`; returns the names opened."""
    opened: list[str] = []
    real = LocalBackend.open

    def open_failing(self: LocalBackend, relative: str) -> Any:
        opened.append(relative)
        if at == "open" and errors:
            raise errors.pop()
        return Failing(real(self, relative), errors)

    monkeypatch.setattr(LocalBackend, "open", open_failing)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return opened


@pytest.mark.parametrize("at", ["open", "read"])
def test_a_refused_read_is_never_repeated(at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 6, 100)
    (task,) = tasks_of(source, 3)
    opened = failing_opens(monkeypatch, at, [PermissionError(errno.EACCES, "denied") for _ in range(9)])
    units = list(read_units(task, spec(tmp_path, retries=3)))
    assert [bool(unit.error) for unit in units] == [True, True]
    assert len(opened) == 1


@pytest.mark.parametrize("at", ["open", "read"])
def test_a_transient_error_is_followed_by_another_attempt(
    at: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "in"
    write(source / "a.parquet", 6, 100)
    (task,) = tasks_of(source, 3)
    opened = failing_opens(
        monkeypatch, at, [ConnectionResetError(errno.ECONNRESET, "reset") for _ in range(2)]
    )
    units = list(read_units(task, spec(tmp_path, retries=2)))
    assert [unit.error for unit in units] == ["", ""]
    assert len(opened) == 3
