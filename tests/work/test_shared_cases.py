"""Awkward inputs from `../shared/cases`, judged and edited; skipped where they are missing."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.inputs.layouts.choosing import choose_layout
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.equivalence import AnswerChecker, Verdict
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support import REPO

CASES = REPO.parent / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CASES / name).read_text(encoding="utf-8").splitlines()]


def enhanced(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of `enhanced/`, each with its source row under `source`."""
    columns = choose_layout(load_preset("auto"), Sample(table), "in/x").fit.columns
    assert columns is not None
    unit = UnitInput.parse(table, columns, file="in/x", shard_name="x", first_row=0)
    options = UnitOptions(parse_policy(DEFAULT_POLICY), estimate_tokens)
    output = asyncio.run(enhance_unit(unit, RulesJudge(), options))
    sources = table.to_pylist()
    return [{**row, "source": sources[row["input_row"]]} for row in output.enhanced.to_pylist()]


@cache
def contents() -> dict[str, dict[str, Any]]:
    return {row["trace_id"]: row for row in enhanced(pa.Table.from_pylist(lines("content.jsonl")))}


@pytest.mark.parametrize("letter", "ABCD")
def test_every_option_is_treated_alike(letter: str) -> None:
    row = contents()[f"C01_choice_{letter}"]
    assert row["solved"]
    assert "energy" in row["source"]["reasoning"]
    assert "energy" not in row["enhanced_reasoning"]


@pytest.mark.parametrize(
    ("name", "solved"),
    [
        ("C03_code_trunk", None),
        ("C05_only_conclusion", True),
        ("C06_intermediate_solution", True),
        ("C07_negated_mention", False),
        ("C12_yes_bold", True),
        ("C14_wrong_unit", False),
        ("C16_tags_in_reasoning", True),
        ("C18_display_next_line", True),
    ],
)
def test_a_trace_is_solved_where_it_arrives_at_its_truth(name: str, solved: bool | None) -> None:
    assert contents()[name]["solved"] is solved


def test_code_stays_whole_and_tags_are_not_nested() -> None:
    window = contents()["C03_code_trunk"]
    assert window["enhanced_reasoning"] == window["source"]["reasoning"]
    fence = contents()["C04_inline_fence"]["enhanced_reasoning"]
    assert fence.count("```") % 2 == 0
    said = contents()["C16_tags_in_reasoning"]["messages"][-1]["content"]
    assert (said.count("<think>"), said.count("</think>")) == (1, 1)


def case(name: str) -> list[dict[str, Any]]:
    (path,) = (CASES / "layouts").glob(f"{name}*.parquet")
    return enhanced(pq.read_table(path).replace_schema_metadata(None))


def turns_of(cell: Any) -> list[Any]:
    turns: list[Any] = json.loads(cell) if isinstance(cell, str) else cell
    return turns


@pytest.mark.parametrize("name", ["L01", "L02", "L03", "L04", "L06", "L45"])
def test_conversations_differ_in_their_last_thinking_alone(name: str) -> None:
    (row,) = case(name)
    old, new = turns_of(row["source"]["messages"]), turns_of(row["messages"])
    assert row["status"] == "enhanced"
    assert new[:-1] == old[:-1]
    (changed,) = {key for key in old[-1] if old[-1][key] != new[-1][key]}
    if changed == "content":
        (before, reply), (there, answer) = (
            (text.partition("<think>")[0], text.rpartition("</think>")[2])
            for text in (old[-1][changed], new[-1][changed])
        )
        assert (before, reply) == (there, answer)
    else:
        assert changed == "thinking"


def test_tags_and_system_prompts_of_columns_come_back() -> None:
    (row,) = case("L20")
    system, _, said = row["messages"]
    assert system["value"] == row["source"]["system"]
    assert said["value"].count("<|begin_of_thought|>") == said["value"].count("<|end_of_solution|>") == 1
    (alpaca,) = case("L49")
    assert [turn["role"] for turn in alpaca["messages"]] == ["system", "user", "assistant"]


def test_prompt_and_completion_come_back_as_turns() -> None:
    (row,) = case("L34")
    assert row["messages"][:-1] == row["source"]["prompt"]


@pytest.mark.parametrize("name", ["L08", "L41"])
def test_without_a_visible_reply_no_messages_end_at_the_thinking(name: str) -> None:
    assert {row["messages"] is None for row in case(name)} == {True}


def test_a_placeholder_leaves_the_trace_unchanged_and_says_so() -> None:
    rows = case("L53")
    assert {(row["status"], row["status_reason"], row["solved"]) for row in rows} == {
        ("unchanged", "no_reference", None)
    }


def test_what_can_be_read_of_malformed_tags_is_read() -> None:
    rows = {row["trace_id"]: row for row in case("L21")}
    assert len(rows) >= 15
    for row in rows.values():
        if row["messages"] is not None:
            old, new = row["source"]["messages"][-1]["content"], row["messages"][-1]["content"]
            assert new.splitlines()[-1] == old.splitlines()[-1]
    assert rows["unclosed"]["messages"] is None
    assert rows["empty_think"]["status_reason"] == "no_thinking"


@pytest.mark.timeout(300)
def test_answers_are_compared_as_the_pairs_say() -> None:
    with AnswerChecker(timeout_seconds=20) as checker:
        wrong = [
            pair
            for pair in lines("equivalence.jsonl")
            if (checker.verdict(pair["answer"], pair["reference"]) is Verdict.EQUAL) is not pair["equal"]
        ]
    assert not wrong
