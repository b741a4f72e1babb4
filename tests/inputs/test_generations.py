"""One row with several generations becomes several traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, RowFault
from dlcot_ray.inputs.choices import Choices, Generations
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.items import Item, Passed, Slot
from dlcot_ray.inputs.presets import DatasetPreset, load_preset
from dlcot_ray.inputs.traces import traces_of

TAGS = '[["<think>", "</think>"]]'
REPLIES = ["<think>2 and 3 make 6</think>6", "<think>2 and 3 make 5, of course</think>5", "<think>5</think>5"]


def preset(tmp_path: Path, text: str, generations: str = "all") -> DatasetPreset:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return load_preset(str(path), Choices(Generations(generations)))


def items(table: pa.Table, used: DatasetPreset) -> list[Item]:
    columns = resolve_columns(used, table.schema, "in/x.parquet")
    return traces_of(table, columns, file="in/x.parquet", first_row=40, shard_name="x")


def shown(found: list[Item]) -> list[tuple[str | None, str]]:
    """Id and reasoning, cause or reason of each item."""
    texts: list[tuple[str | None, str]] = []
    for item in found:
        match item.found:
            case Trace(trace_id, _, reasoning):
                texts.append((trace_id, reasoning))
            case RowFault(trace_id=trace_id, cause=cause):
                texts.append((trace_id, f"fault {cause}"))
            case Passed(trace_id, reason):
                texts.append((trace_id, f"passed {reason}"))
    return texts


LISTED = (
    f"id: [key]\nproblem: [ask]\ntagged: [replies.*]\nthinking: {TAGS}\ncorrectness: [by_rule, by_model]\n"
)


def listed(**columns: Any) -> pa.Table:
    return pa.Table.from_pylist([{"key": "a", "ask": "2 + 3?", "replies": REPLIES, **columns}])


def test_every_element_of_a_list_is_a_trace(tmp_path: Path) -> None:
    table = pa.concat_tables([listed(), listed(key="b", replies=REPLIES[:1]), listed(key="c")])
    found = items(table, preset(tmp_path, LISTED))
    assert [item.slot for item in found] == [
        Slot(0, 0, 3), Slot(0, 1, 3), Slot(0, 2, 3), Slot(1, 0, 1), Slot(2, 0, 3), Slot(2, 1, 3), Slot(2, 2, 3),
    ]  # fmt: skip
    assert [name for name, _ in shown(found)] == ["a/0", "a/1", "a/2", "b", "c/0", "c/1", "c/2"]
    assert found[1].found == Trace("a/1", "2 + 3?", "2 and 3 make 5, of course", None, "5")


def test_rows_without_an_id_are_named_by_their_row(tmp_path: Path) -> None:
    found = items(listed().drop(["key"]), preset(tmp_path, LISTED))
    assert [name for name, _ in shown(found)] == ["x#40/0", "x#40/1", "x#40/2"]


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.string(), 3)]
)
def test_every_list_type_reads_the_same(tmp_path: Path, kind: pa.DataType) -> None:
    table = listed().drop(["replies"]).append_column("replies", pa.array([REPLIES], kind))
    assert shown(items(table, preset(tmp_path, LISTED))) == shown(items(listed(), preset(tmp_path, LISTED)))


@pytest.mark.parametrize(
    ("generations", "flags", "expected"),
    [
        ("all", {"by_rule": [False, True, True]}, ["trace", "trace", "trace"]),
        ("correct", {"by_rule": [False, True, True]}, ["passed flagged_incorrect", "trace", "trace"]),
        ("correct", {"by_rule": [False, None, False], "by_model": [None, None, True]},
         ["passed flagged_incorrect", "passed not_flagged", "trace"]),
        ("correct", {"by_rule": None, "by_model": [True, False, False]},
         ["trace", "passed flagged_incorrect", "passed flagged_incorrect"]),
        ("correct", {"by_rule": [0, 1, 1]}, ["passed flagged_incorrect", "trace", "trace"]),
        ("correct", {"by_rule": ["no", "yes", "Correct"]}, ["passed flagged_incorrect", "trace", "trace"]),
        ("correct", {"by_rule": [True]}, ["trace", "passed not_flagged", "passed not_flagged"]),
        ("first", {"by_rule": [False, True, True]}, ["trace", "passed not_first", "passed not_first"]),
        ("shortest_correct", {"by_rule": [False, True, True]}, ["passed flagged_incorrect", "passed longer", "trace"]),
        ("shortest_correct", {"by_rule": [True, True, False]}, ["trace", "passed longer", "passed flagged_incorrect"]),
    ],
)  # fmt: skip
def test_the_setting_chooses(tmp_path: Path, generations: str, flags: Any, expected: list[str]) -> None:
    found = items(listed(**flags), preset(tmp_path, LISTED, generations))
    texts = [text if text.startswith(("passed", "fault")) else "trace" for _, text in shown(found)]
    assert texts == expected


def test_the_first_that_can_be_read_is_taken_and_unreadable_ones_before_it_are_faults(tmp_path: Path) -> None:
    table = listed(replies=["nothing here", *REPLIES[1:], "no tags"])
    found = shown(items(table, preset(tmp_path, LISTED, "first")))
    assert found == [
        ("a/0", "fault no_thinking"), ("a/1", "2 and 3 make 5, of course"), ("a/2", "passed not_first"),
        ("a/3", "passed not_first"),
    ]  # fmt: skip


def test_an_unreadable_generation_that_is_flagged_correct_is_a_fault(tmp_path: Path) -> None:
    table = listed(replies=["no tags", "no tags either"], by_rule=[True, False])
    found = shown(items(table, preset(tmp_path, LISTED, "shortest_correct")))
    assert found == [("a/0", "fault no_thinking"), ("a/1", "passed flagged_incorrect")]


def test_elements_that_are_null_are_no_generations_and_a_row_without_any_is_one_fault(tmp_path: Path) -> None:
    table = listed(replies=[None, REPLIES[1], None])
    assert shown(items(table, preset(tmp_path, LISTED))) == [("a/1", "2 and 3 make 5, of course")]
    for nothing in ([], None, [None, None]):
        column = pa.array([nothing], pa.list_(pa.string()))
        table = listed().drop(["replies"]).append_column("replies", column)
        assert shown(items(table, preset(tmp_path, LISTED))) == [("a", "fault null_reasoning")]


def test_a_choice_by_flags_without_flags_is_refused(tmp_path: Path) -> None:
    used = preset(tmp_path, LISTED, "correct")
    with pytest.raises(
        InputFault, match=r"needs correctness flags.*looked for by_rule, by_model.*generations=all"
    ):
        items(listed(), used)


def test_a_choice_by_flags_means_nothing_where_rows_have_one_trace() -> None:
    table = pa.table({"id": ["a"], "problem": ["p"], "reasoning": ["r"]})
    used = load_preset("plain", Choices(Generations.CORRECT))
    assert shown(items(table, used)) == [("a", "r")]


def test_columns_of_one_pattern_are_traces_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    text = "problem: [ask]\nreasoning: [try_*]\nground_truth: [key]\n"
    row = {"ask": "2 + 3?", "key": 5, "try_10": "ten", "try_2": "two", "try_1": None, "tryst": "no"}
    found = items(pa.Table.from_pylist([row]), preset(tmp_path, text))
    assert shown(found) == [("x#40/1", "two"), ("x#40/2", "ten")]
    assert [item.found.ground_truth for item in found if isinstance(item.found, Trace)] == ["5", "5"]


def test_parallel_columns_belong_together_by_what_the_star_stands_for(tmp_path: Path) -> None:
    text = "problem: [ask]\nreasoning: ['*_trace']\nresponse: ['*_reply']\n"
    row = {
        "ask": "?",
        "b_reply": "of b",
        "a_trace": "t a",
        "b_trace": "t b",
        "c_trace": "t c",
        "a_reply": "of a",
    }
    found = items(pa.Table.from_pylist([row]), preset(tmp_path, text))
    traces = [item.found for item in found if isinstance(item.found, Trace)]
    assert [(trace.reasoning, trace.response) for trace in traces] == [
        ("t a", "of a"), ("t b", "of b"), ("t c", None),
    ]  # fmt: skip


def test_fields_inside_the_elements_and_parallel_lists(tmp_path: Path) -> None:
    text = (
        "problem: [ask]\nreasoning: ['runs[].deep.thought']\nresponse: [runs.*.say]\nground_truth: [gold]\n"
    )
    runs = [{"deep": {"thought": "one"}, "say": "1"}, {"deep": {"thought": "two"}, "say": None}]
    table = pa.Table.from_pylist(
        [{"ask": "?", "gold": "5", "runs": runs}, {"ask": "?", "gold": "6", "runs": None}]
    )
    found = items(table, preset(tmp_path, text))
    assert [item.found for item in found][:2] == [
        Trace("x#40/0", "?", "one", "5", "1"), Trace("x#40/1", "?", "two", "5", None),
    ]  # fmt: skip
    assert shown(found)[2:] == [("x#41", "fault null_reasoning")]


def test_a_generation_that_is_no_utf8_rejects_no_other(tmp_path: Path) -> None:
    replies = pa.array([[b"<think>a</think>", b"\xff", b"<think>c</think>"]], pa.list_(pa.binary()))
    table = listed().drop(["replies"]).append_column("replies", replies)
    assert [text for _, text in shown(items(table, preset(tmp_path, LISTED)))] == [
        "a",
        "fault invalid_utf8",
        "c",
    ]


@pytest.mark.parametrize(
    "flags", [["true", "False"], [1, 0], [1.0, 0.0], ["correct", "wrong"], ["pass", "fail"], ["yes", None]]
)
def test_flags_may_be_words_or_numbers(tmp_path: Path, flags: list[Any]) -> None:
    table = listed(by_rule=flags, by_model=[None, None], replies=REPLIES[:2])
    found = items(table, preset(tmp_path, LISTED, "correct"))
    assert [isinstance(item.found, Trace) for item in found] == [True, False]
