"""Rows that share an id: only a row whose text repeats too is a duplicate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.plan.duplicate_ids import Duplicates, find_duplicates
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.plan.tasks import NOT_COMPARED, OTHER_TEXT
from dlcot_ray.work.unit_input import UnitInput


def planned(folder: Path, files: dict[str, list[tuple[Any, str]]]) -> Plan:
    """A plan of files with rows of (id, reasoning)."""
    for name, rows in files.items():
        ids, texts = zip(*rows, strict=True)
        pq.write_table(
            pa.table({"id": ids, "problem": ["How many?"] * len(ids), "reasoning": texts}),
            folder / f"{name}.parquet",
        )
    preset = load_preset("plain")
    return make_plan(find_shards(str(folder)), preset, rows_per_unit=100, bytes_per_unit=1 << 26)


def ids_of(plan: Plan, found: Duplicates) -> list[str]:
    """The ids that the job gives the rows; ``-`` for a rejected one."""
    names = []
    for number, file in enumerate(plan.files):
        table = pq.read_table(Path(file.shard.store_url) / file.shard.relative)
        place: dict[str, Any] = {"file": file.shard.file, "shard_name": file.shard.name, "first_row": 0}
        repeats = found.within(number, 0, file.rows)
        unit = UnitInput.parse(table, file.columns, **place, duplicate_rows=repeats)
        traces = {unit.items[at].slot.row: trace.trace_id for at, trace in unit.traces}
        assert all(isinstance(fault, RowFault) for fault in unit.faults)
        names += [traces.get(row, "-") for row in range(file.rows)]
    return names


def test_ids_that_restart_in_every_file_keep_every_row(tmp_path: Path) -> None:
    plan = planned(tmp_path, {"a": [(0, "one"), (1, "two")], "b": [(0, "three"), (1, "four")]})
    names = ids_of(plan, find_duplicates(plan.files))
    assert names[:2] == ["0", "1"]
    assert [name.partition("~")[0] for name in names[2:]] == ["0", "1"]
    assert len(set(names)) == 4


def test_several_replies_under_one_id_are_kept_and_a_repeated_text_is_rejected(tmp_path: Path) -> None:
    rows = [("q", "one"), ("q", "two"), ("q", "one"), ("q", "three"), ("q", "two"), ("r", "one")]
    plan = planned(tmp_path, {"a": rows})
    found = find_duplicates(plan.files)
    assert found.within(0, 0, 6) == {
        1: OTHER_TEXT, 2: f"{plan.shards[0].file}, row 0", 3: OTHER_TEXT, 4: f"{plan.shards[0].file}, row 0",
    }  # fmt: skip
    names = ids_of(plan, found)
    assert [name.partition("~")[0] for name in names] == ["q", "q", "-", "q", "-", "r"]
    assert len(set(names)) == 5


def test_an_id_depends_on_the_text_and_not_on_the_place(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = planned(tmp_path / "one", {"a": [("q", "one"), ("q", "two"), ("q", "three")]})
    two = planned(tmp_path / "two", {"a": [("q", "one"), ("z", "new"), ("q", "three"), ("q", "two")]})
    before, after = (ids_of(plan, find_duplicates(plan.files)) for plan in (one, two))
    assert set(after) == {*before, "z"}


def test_beyond_the_limit_no_text_is_read_and_every_row_is_kept(tmp_path: Path) -> None:
    plan = planned(tmp_path, {"a": [("q", "one"), ("q", "one")]})
    found = find_duplicates(plan.files, most_text_bytes=10)
    assert found.within(0, 0, 2) == {1: NOT_COMPARED}
    assert ids_of(plan, found) == ["q", f"q~{plan.shards[0].name}#1"]


def test_what_was_found_is_stored_and_read_back(tmp_path: Path) -> None:
    plan = planned(tmp_path, {"a": [("q", "one"), ("q", "two"), ("q", "one")]})
    found = find_duplicates(plan.files)
    again = Duplicates.from_bytes(found.to_bytes(plan), plan)
    assert again is not None
    assert again.within(0, 0, 3) == found.within(0, 0, 3)


@pytest.mark.parametrize("rows_per_pass", [1, 2, 100])
def test_the_number_of_passes_changes_nothing(tmp_path: Path, rows_per_pass: int) -> None:
    rows = [(str(n % 3), f"text {n % 4}") for n in range(24)]
    plan = planned(tmp_path, {"a": rows[:11], "b": rows[11:]})
    found = find_duplicates(plan.files, rows_per_pass=rows_per_pass)
    kept = ids_of(plan, found)
    assert sum(name != "-" for name in kept) == len(set(rows))
    assert len({name for name in kept if name != "-"}) == len(set(rows))
