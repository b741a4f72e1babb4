"""A job decides the layout of each set of columns once; other files keep their own faults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.commands.inspect.command import inspect_inputs
from dlcot_ray.config.view_settings import load_inspect
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.layouts.deciding import LayoutDecider
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import assign_names, make_plan
from tests.support.public_layouts import chat, problem, table_of, whole, write_layout


def planned(folder: Path, recorded: Any = ()) -> tuple[Plan, LayoutDecider]:
    shards = find_shards(str(folder))
    decider = LayoutDecider(load_preset("auto"), shards, None, recorded)
    plan = make_plan(
        assign_names(shards, {}),
        load_preset("auto"),
        rows_per_unit=4,
        bytes_per_unit=1 << 20,
        decider=decider,
    )
    return plan, decider


def presets_of(plan: Plan) -> dict[str, str]:
    return {shard.name: columns.preset for shard, columns in zip(plan.shards, plan.columns, strict=True)}


def test_every_set_of_columns_has_its_own_layout(tmp_path: Path) -> None:
    for name in ("s1k", "question_reasoning_answer"):
        write_layout(name, tmp_path)
    plan, decider = planned(tmp_path)
    assert presets_of(plan) == {"s1k": "s1k", "question_reasoning_answer": "plain"}
    assert len(decider.recorded()) == 2


def test_files_without_a_layout_are_left_out_and_the_others_read(tmp_path: Path) -> None:
    write_layout("plain", tmp_path)
    pq.write_table(pa.table({"id": ["z"], "problem": ["?"]}), tmp_path / "missing.parquet")
    pq.write_table(pa.table({"problem": ["?"], "reasoning": [7]}), tmp_path / "number.parquet")
    plan, decider = planned(tmp_path)
    assert presets_of(plan) == {"plain": "plain"}
    assert [Path(fault.file).stem for fault in plan.faults] == ["missing", "number"]
    assert all("no layout fits its columns" in fault.message for fault in plan.faults)
    assert len(decider.recorded()) == 1


def test_damaged_and_short_rows_speak_against_no_layout(tmp_path: Path) -> None:
    data = pa.array([b"fine", b"\xff\xfe"], pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, data.buffers())
    pq.write_table(pa.table({"problem": ["?", "?"], "reasoning": text}), tmp_path / "a.parquet")
    assert presets_of(planned(tmp_path)[0]) == {"a": "plain"}


def test_a_recorded_decision_holds_whatever_the_rows_say_now(tmp_path: Path) -> None:
    table = table_of("question_reasoning_answer")
    pq.write_table(table, tmp_path / "a.parquet")
    first, decider = planned(tmp_path)
    values = table.set_column(table.column_names.index("answer"), "answer", pa.array(["12"] * 6))
    pq.write_table(values, tmp_path / "a.parquet")
    assert planned(tmp_path, decider.recorded())[0].columns == first.columns
    assert planned(tmp_path)[0].columns != first.columns


def test_the_same_columns_with_other_fields_inside_are_decided_apart(tmp_path: Path) -> None:
    pairs = [{"conversation": [{"human": problem(n), "assistant": whole(n)}]} for n in range(6)]
    turns = [{"conversation": chat(("user", problem(n)), ("assistant", whole(n)))} for n in range(6)]
    unread = [{"conversation": [{"here": n, "there": n}]} for n in range(6)]
    for name, rows in (("a_unread", unread), ("b_pairs", pairs), ("c_turns", turns), ("d_turns", turns)):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"{name}.parquet")
    plan, decider = planned(tmp_path)
    found = {"b_pairs": "by_content", "c_turns": "messages", "d_turns": "messages"}
    assert presets_of(plan) == found
    assert presets_of(planned(tmp_path, decider.recorded())[0]) == found
    figures = inspect_inputs(load_inspect([f"input={tmp_path}"]))
    assert [group["layout"] for group in figures["layouts"]] == [None, "by_content", "messages"]
    assert figures["layouts"][2]["files"] == 2
