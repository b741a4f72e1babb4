"""Files of every format go through planning, the search for repeated ids, a sample and whole units."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.commands.verify.reading import InputSource
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers import rows as rows_module
from dlcot_ray.inputs.readers.protocol import BAD_LINES
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.plan.duplicate_ids import find_duplicates
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.plan.sample import take_sample
from dlcot_ray.plan.tasks import OTHER_TEXT
from dlcot_ray.storage.store import Store
from dlcot_ray.work.processor import Processor
from dlcot_ray.work.reading import read_units
from dlcot_ray.work.unit_input import UnitInput
from tests.support.unit_steps import spec, tasks_of

CASES = Path(__file__).parents[4] / "shared" / "cases" / "files"


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"t{number % (count - 1)}",
            "problem": "What is 40 + 2?",
            "reasoning": f"Row {number}: 40 + 2 = 42.\n\nThe answer is 42.",
            "ground_truth": 42 if number % 2 else "42",
        }
        for number in range(count)
    ]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(rows_module, "GROUP_ROWS", 4)
    monkeypatch.setattr(rows_module, "GROUP_BYTES", 1)
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def json_lines(count: int) -> bytes:
    text = [json.dumps(row) for row in rows(count)]
    text[2] = '{"id": "t2", "problem": '
    return "\n".join(text).encode()


@pytest.mark.parametrize(("name", "pack"), [("a.JSONL", bytes), ("a.jsonl.gz", gzip.compress)])
def test_json_lines_from_plan_to_unit(folder: Path, name: str, pack: Any) -> None:
    (folder / name).write_bytes(pack(json_lines(11)))
    (shard,) = find_shards(str(folder))
    assert shard.name == "a"
    cache = MetadataCache()
    plan = make_plan([shard], load_preset("auto"), rows_per_unit=3, bytes_per_unit=1 << 20, metadata=cache)
    assert (plan.rows, plan.faults) == (11, ())
    assert MetadataCache(cache.to_bytes()).get(shard) == plan.known[0]
    assert find_duplicates(plan.files).within(0, 0, 11) == {10: OTHER_TEXT}
    sample = take_sample(plan, 11, metadata=cache)
    assert (sample.rows, len(sample.traces), sample.unusable) == (11, 10, 1)

    settings = spec(folder.parent)
    processor = Processor(settings)
    made: list[UnitOutput] = []
    try:
        for task in tasks_of(folder, 3):
            for read in read_units(task, settings):
                assert read.error == ""
                output = asyncio.run(processor(read))
                assert isinstance(output, UnitOutput)
                made.append(output)
    finally:
        processor.close()
    enhanced = [row for output in made for row in output.enhanced.to_pylist()]
    assert [row["trace_id"] for row in enhanced] == [f"t{number % 10}" for number in range(11) if number != 2]
    assert BAD_LINES not in enhanced[0]
    (rejected,) = (
        row for output in made if output.rejected is not None for row in output.rejected.to_pylist()
    )
    assert (rejected["input_file"], rejected["input_row"]) == (shard.file, 2)
    assert (rejected["stage"], rejected["cause"]) == ("read", "bad_line")
    assert rejected["message"].startswith("line 3: Expecting value")
    assert rejected["raw_reply"] == '{"id": "t2", "problem":'

    source = InputSource(Store(str(folder)), name, shard.file)
    table = source.take(1, 4)
    source.close()
    assert table is not None
    assert table["id"].to_pylist() == ["t1", None, "t3"]
    assert table["ground_truth"].to_pylist() == ["42", None, "42"]
    assert table.column_names == ["id", "problem", "reasoning", "ground_truth"]


def test_a_task_carries_only_its_own_row_groups(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(json_lines(11))
    tasks = tasks_of(folder, 4)
    assert [(task.first_group, task.stop_group, task.first_row) for task in tasks] == [
        (0, 1, 0),
        (0, 1, 4),
        (0, 1, 8),
    ]
    known = [task.known for task in tasks]
    assert [found.group_rows for found in known if found is not None] == [(4,), (4,), (3,)]


def test_a_folder_of_several_formats_is_one_job(folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(json_lines(5))
    (folder / "b.json").write_text(json.dumps(rows(5)))
    (folder / "c.ndjson").write_text("not json")
    shards = find_shards(str(folder))
    plan = make_plan(shards, load_preset("auto"), rows_per_unit=3, bytes_per_unit=1 << 20)
    assert [shard.name for shard in plan.shards] == ["a", "b"]
    (fault,) = plan.faults
    assert fault.file.endswith("c.ndjson")
    assert "no line is a JSON object" in fault.message
    left = plan.without(0, fault)
    assert left.known == {0: plan.known[1]}


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv"])
def test_the_shared_cases_read_like_their_rows(name: str) -> None:
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not here")
    shards = find_shards(str(CASES / name))
    plan = make_plan(shards, load_preset("auto"), rows_per_unit=100, bytes_per_unit=1 << 26)
    assert plan.faults == ()
    lines = [json.loads(line) for line in (CASES / "x.jsonl").read_text().splitlines() if line.strip()]
    assert plan.rows == len(lines)
    for task in tasks_of(CASES / name, 100):
        for read in read_units(task, spec(Path("/nowhere"))):
            assert read.table is not None
            columns = resolve_columns(load_preset("auto"), read.table.schema, name)
            items = traces_of(read.table, columns, file=name, first_row=0, shard_name="x")
            found = [item.found for item in items]
            unit = UnitInput.parse(read.table, columns, file=name, shard_name="x", first_row=0)
            assert not any(isinstance(row, RowFault) for row in found)
            assert len(unit.traces) == len(lines)
            for row, line in zip(found, lines, strict=True):
                assert isinstance(row, Trace)
                assert (row.trace_id, row.problem, row.reasoning) == (
                    line["id"],
                    line["problem"],
                    line["reasoning"],
                )
