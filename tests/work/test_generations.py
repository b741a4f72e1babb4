"""A unit whose rows hold several traces: nothing is lost, and an audit finds where something is."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.inputs.choices import Choices, Generations
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.audit.source import compare_rows
from dlcot_ray.outputs.audit.stored import Expected, StoredUnit
from dlcot_ray.outputs.audit.unit import audit_unit
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.work.process import derive_unit, enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support.snapshots import trace

PRESET = (
    "id: [id]\nproblem: [problem]\nreasoning: [thoughts.*]\nground_truth: [answer]\ncorrectness: [good]\n"
)
JUDGE = RulesJudge()
OPTIONS = UnitOptions(parse_policy("keep_first"), estimate_tokens)


def chosen(tmp_path: Path, generations: str = "all") -> DatasetPreset:
    (tmp_path / "mine.yaml").write_text(PRESET)
    return load_preset(str(tmp_path / "mine.yaml"), Choices(Generations(generations)))


def rows() -> pa.Table:
    texts = [str(trace(number)["reasoning"]) for number in range(6)]
    return (
        pa.Table.from_pylist(
            [
                {"id": "a", "thoughts": texts[:3], "good": [True, True, False]},
                {"id": "b", "thoughts": [texts[3], " "], "good": [False, False]},
                {"id": "c", "thoughts": texts[4:5], "good": [True]},
            ]
        )
        .append_column("problem", pa.array(["What is it?"] * 3))
        .append_column("answer", pa.array(["24"] * 3))
    )


def parsed(preset: DatasetPreset) -> UnitInput:
    table = rows()
    columns = resolve_columns(preset, table.schema, "in/x.parquet")
    return UnitInput.parse(table, columns, file="in/x.parquet", shard_name="x", first_row=10)


def findings(output: UnitOutput, preset: DatasetPreset) -> list[str]:
    unit = StoredUnit(
        "x.r000000010-000000013", "in/x.parquet", 10, 13, output.stats, output.enhanced, output.rejected,
        output.annotations, None,
    )  # fmt: skip
    expected = Expected(preset, JUDGE.identity, OPTIONS.policy.expression, True)
    return [str(found) for found in (*audit_unit(unit, expected), *compare_rows(unit, rows(), preset))]


def test_every_trace_has_a_row_with_the_columns_of_its_own(tmp_path: Path) -> None:
    preset = chosen(tmp_path)
    made = asyncio.run(enhance_unit(parsed(preset), JUDGE, OPTIONS))
    kept = made.enhanced.select(["id", "trace_id", "input_row", "input_part", "thoughts"]).to_pylist()
    assert [tuple(row.values())[:4] for row in kept] == [
        ("a", "a/0", 10, 0), ("a", "a/1", 10, 1), ("a", "a/2", 10, 2), ("b", "b/0", 11, 0), ("c", "c", 12, 0),
    ]  # fmt: skip
    assert [row["thoughts"] for row in kept[:3]] == [rows()["thoughts"][0].as_py()] * 3
    (fault,) = made.rejected.to_pylist()
    assert (fault["id"], fault["trace_id"], fault["input_row"], fault["input_part"]) == ("b", "b/1", 11, 1)
    assert fault["cause"] == "empty_reasoning"
    assert made.annotations["trace_id"].to_pylist() == ["a/0", "a/1", "a/2", "b/0", "c"]
    assert (made.stats.rows, made.stats.traces, made.stats.rejected) == (3, 6, 1)
    assert not findings(made, preset)


@pytest.mark.parametrize(
    ("generations", "ids", "passed"),
    [
        ("correct", ["a/0", "a/1", "c"], {"flagged_incorrect": 3}),
        ("first", ["a/0", "b/0", "c"], {"not_first": 3}),
    ],
)
def test_what_is_not_chosen_is_counted(
    tmp_path: Path, generations: str, ids: list[str], passed: dict[str, int]
) -> None:
    preset = chosen(tmp_path, generations)
    made = asyncio.run(enhance_unit(parsed(preset), JUDGE, OPTIONS))
    assert made.enhanced["trace_id"].to_pylist() == ids
    assert made.rejected.num_rows == 0
    assert (made.stats.rows, dict(made.stats.by_passed)) == (3, passed)
    assert not findings(made, preset)


def test_an_audit_finds_a_lost_a_doubled_and_an_uncounted_trace(tmp_path: Path) -> None:
    preset = chosen(tmp_path, "correct")
    made = asyncio.run(enhance_unit(parsed(preset), JUDGE, OPTIONS))
    lost = replace(made, enhanced=made.enhanced.slice(1), annotations=made.annotations.slice(1))
    assert any("row 10: trace 0 is lacking 1 times" in found for found in findings(lost, preset))
    first = made.enhanced.slice(0, 1)
    doubled = replace(made, enhanced=pa.concat_tables([first, made.enhanced]))
    assert any("trace 0 of input row 10 is repeated" in found for found in findings(doubled, preset))
    uncounted = replace(made, stats=replace(made.stats, by_passed=()))
    assert any("counts 0 traces that were not chosen" in found for found in findings(uncounted, preset))


def test_annotations_are_found_again_even_under_one_id(tmp_path: Path) -> None:
    preset = chosen(tmp_path)
    unit = parsed(preset)
    made = asyncio.run(enhance_unit(unit, JUDGE, OPTIONS))
    again = asyncio.run(derive_unit(unit, made.annotations, OPTIONS))
    assert again.enhanced.equals(made.enhanced)
    same = replace(unit, traces=[(place, replace(item, trace_id="q")) for place, item in unit.traces])
    made = asyncio.run(enhance_unit(same, JUDGE, OPTIONS))
    backwards = made.annotations.take(pa.array(range(made.annotations.num_rows - 1, -1, -1)))
    again = asyncio.run(derive_unit(same, backwards, OPTIONS))
    assert again.enhanced.equals(made.enhanced)


def test_an_empty_thinking_block_passes_through_and_stops_no_gate() -> None:
    chat = [
        {"role": "user", "content": "2 + 3?"},
        {"role": "assistant", "content": "<think>\n\n</think>\n\n5"},
    ]
    table = pa.table({"messages": [chat]})
    preset = load_preset("messages")
    columns = resolve_columns(preset, table.schema, "in/x.parquet")
    unit = UnitInput.parse(table, columns, file="in/x.parquet", shard_name="x", first_row=0)
    (row,) = asyncio.run(enhance_unit(unit, JUDGE, OPTIONS)).enhanced.to_pylist()
    assert (row["status"], row["status_reason"], row["gates"]) == ("unchanged", "no_thinking", [])
    assert row["messages"] == chat
