"""Layouts in odd clothes: read where it is certain, else refused with a remedy that works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.inputs.layouts.choosing import choose_layout
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import read_table
from dlcot_ray.inputs.readers.registry import open_source
from tests.support.odd_rows import read_as, roles_of
from tests.support.public_layouts import answer, chat, problem, reply, thought, whole


def test_the_worse_reply_of_a_pair_is_never_the_trace() -> None:
    pairs = [{"prompt": problem(n), "chosen": whole(n), "rejected": whole(n, 1)} for n in range(6)]
    assert roles_of(read_as(*pairs)) == {"problem": "prompt", "tagged": "chosen"}
    only = [{"prompt": problem(n), "rejected": whole(n)} for n in range(6)]
    assert read_as(*only).refusal


def test_the_steps_of_a_list_are_not_guessed_to_be_traces() -> None:
    rows = [{"problem": problem(n), "reasoning": thought(n).split("\n\n")} for n in range(6)]
    choice = read_as(*rows)
    assert "column reasoning (reasoning) is list<" in choice.refusal


def test_a_whole_reply_is_read_where_the_thinking_beside_it_has_no_reply() -> None:
    rows = [{"problem": problem(n), "reasoning": thought(n), "response": whole(n)} for n in range(6)]
    choice = read_as(*rows)
    assert roles_of(choice) == {"problem": "problem", "tagged": "response"}
    assert [trace.response for trace in choice.fit.traces] == [f"\n\n{reply(n)}" for n in range(6)]


@pytest.mark.parametrize("tags", [("<thinking>", "</thinking>"), ("<scratchpad>", "</scratchpad>")])
@pytest.mark.parametrize("before", ["", "Sure!\n"])
def test_words_of_thinking_in_brackets_are_tags(tags: tuple[str, str], before: str) -> None:
    rows = [{"problem": problem(n), "output": before + whole(n, 0, *tags)} for n in range(6)]
    choice = read_as(*rows)
    if before and tags[0] == "<scratchpad>":
        # Only at the start of a reply is an unknown word a tag.
        assert not choice.fit.traces[0].response
        return
    assert [trace.reasoning.strip() for trace in choice.fit.traces] == [thought(n) for n in range(6)]
    assert [(trace.response or "").strip() for trace in choice.fit.traces] == [reply(n) for n in range(6)]


def test_ids_may_be_floats_but_no_truth_values() -> None:
    rows = [{"id": float(n), "problem": problem(n), "reasoning": thought(n)} for n in range(6)]
    assert [trace.trace_id for trace in read_as(*rows).fit.traces] == list("012345")
    flags = [{**row, "id": n % 2 == 0} for n, row in enumerate(rows)]
    assert [trace.trace_id for trace in read_as(*flags).fit.traces] == [f"row#{n}" for n in range(6)]


@pytest.mark.parametrize(
    ("rows", "remedy", "mended", "choices"),
    [
        (
            lambda n: {"problem": problem(n), "output": f"{whole(n)}<|im_end|>"},
            "set markup=keep, or escape the control word in the data",
            lambda n: {"problem": problem(n), "output": f"{whole(n)}<|im_end|>"},
            {"markup": "keep"},
        ),
        (
            lambda n: {"problem": problem(n), "output": f"{whole(n)}<|im_end|>"},
            "set markup=keep, or escape the control word in the data",
            lambda n: {"problem": problem(n), "output": whole(n)},
            {},
        ),
        (
            lambda n: {"messages": str(chat(("user", problem(n)), ("assistant", whole(n))))},
            "store the conversation as a list of messages (role, content), or as JSON text of it",
            lambda n: {"messages": json.dumps(chat(("user", problem(n)), ("assistant", whole(n))))},
            {},
        ),
        (
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", f"{whole(n)}<think>So"))},
            "close every block and begin each on a line of its own",
            lambda n: {
                "messages": chat(("user", problem(n)), ("assistant", f"{whole(n)}\n<think>So</think>!"))
            },
            {},
        ),
        (
            lambda n: {
                "messages": [{**turn, "thinking": thought(n)} for turn in chat(("assistant", whole(n)))]
            },
            "keep the thinking of a turn in one place",
            lambda n: {
                "messages": [{**turn, "thinking": thought(n)} for turn in chat(("assistant", reply(n)))]
            },
            {},
        ),
        (
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", f"{whole(n)} Write <think>."))},
            "or put a tag that is text into backticks",
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", f"{whole(n)} Write `<think>`."))},
            {"markup": "keep"},
        ),
        (
            lambda n: {"messages": chat(("user", problem(n)), ("sage", whole(n)))},
            "add an assistant message, or list its role name in the preset",
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {
                "text": f"<|im_start|>user\n{problem(n)}<|im_end|>\n<|im_start|>assistant\n{whole(n)}"
            },
            "turn the rendered conversations into lists of messages",
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {"messages": {"role": ["user", "assistant"], "content": [problem(n), whole(n)]}},
            "turn column messages, a struct of lists, into a list of structs",
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {"problem": problem(n), "generations": json.dumps([whole(n), whole(n, 1)])},
            "turn the text of column generations into lists and structs",
            lambda n: {"problem": problem(n), "generations": [whole(n)]},
            {},
        ),
        (
            lambda n: {"prompt": json.dumps(chat(("user", problem(n)))), "response": whole(n)},
            "turn the text of column prompt into lists and structs",
            lambda n: {"prompt": chat(("user", problem(n))), "response": whole(n)},
            {},
        ),
        (
            lambda n: {"prompt": problem(n), "completion": str(chat(("assistant", whole(n))))},
            "turn the text of column completion into lists and structs",
            lambda n: {"prompt": problem(n), "completion": chat(("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {"runs": [chat(("user", problem(n)), ("assistant", whole(n)))]},
            "give each inner list of column runs a row of its own",
            lambda n: {"runs": chat(("user", problem(n)), ("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {"turns": [["user", problem(n)], ["assistant", whole(n)]]},
            "or make each a struct",
            lambda n: {"turns": chat(("user", problem(n)), ("assistant", whole(n)))},
            {},
        ),
        (
            lambda n: {"problem": problem(n), "steps": thought(n).split("\n\n")},
            "set dataset= to a preset, or to a YAML file that names the columns",
            lambda n: {"problem": problem(n), "reasoning": thought(n)},
            {},
        ),
    ],
)
def test_the_remedy_of_a_refusal_works(
    rows: Callable[[int], dict[str, object]],
    remedy: str,
    mended: Callable[[int], dict[str, object]],
    choices: dict[str, str],
) -> None:
    refused = read_as(*map(rows, range(6)))
    assert refused.refusal
    assert remedy in refused.remedy
    choice = read_as(*map(mended, range(6)), **choices)
    assert len(choice.fit.traces) == 6
    assert not choice.fit.faults


def test_marks_of_an_unknown_kind_are_refused_and_read_by_a_preset(tmp_path: Path) -> None:
    table = pa.Table.from_pylist(
        [
            {"question": problem(n), "output": f"**Thinking:**\n{thought(n)}\n**Answer:**\n{reply(n)}"}
            for n in range(6)
        ]
    )
    refused = choose_layout(load_preset("auto"), Sample(table), "in/x")
    assert "list the marks around the thinking as thinking: in a YAML file" in refused.remedy
    file = tmp_path / "mine.yaml"
    file.write_text('problem: question\ntagged: output\nthinking: [["**Thinking:**", "**Answer:**"]]\n')
    traces = choose_layout(load_preset(str(file)), Sample(table), "in/x").fit.traces
    assert [trace.reasoning.strip() for trace in traces] == [thought(n) for n in range(6)]
    assert [(trace.response or "").strip() for trace in traces] == [reply(n) for n in range(6)]


def test_a_reply_is_never_guessed_to_be_the_problem() -> None:
    rows = [{"input": {"turns": 1}, "output": {"reasoning": thought(n), "text": reply(n)}} for n in range(6)]
    assert read_as(*rows).refusal


@pytest.mark.parametrize(
    "row",
    [
        lambda n: {
            "sample": {"turns": chat(("user", problem(n)), ("assistant", whole(n))), "gold": answer(n)}
        },
        lambda n: {
            "prompt": chat(("user", problem(n))),
            "chosen": chat(("assistant", whole(n))),
            "gold": answer(n),
        },
        lambda n: {"task": problem(n), "answered": chat(("assistant", whole(n))), "gold": answer(n)},
        lambda n: {
            "contents": [
                {"role": "user", "parts": [{"text": problem(n), "thought": None}]},
                {
                    "role": "model",
                    "parts": [
                        {"text": thought(n), "thought": True},
                        {"text": f"\n\n{reply(n)}", "thought": None},
                    ],
                },
            ],
            "gold": answer(n),
        },
        lambda n: {
            "dialogue": [
                {"role": "user", "text": problem(n), "reasoning_content": None},
                {"role": "assistant", "text": f"\n\n{reply(n)}", "reasoning_content": thought(n)},
            ],
            "gold": answer(n),
        },
    ],
    ids=[
        "below a struct",
        "prompt and chosen",
        "text and turns",
        "parts",
        "a field that is longer than the text",
    ],
)
def test_turns_are_found_wherever_they_are(row: Callable[[int], dict[str, object]]) -> None:
    traces = read_as(*map(row, range(6))).fit.traces
    for n, trace in enumerate(traces):
        assert (trace.problem, trace.reasoning.strip()) == (problem(n), thought(n))
        assert (trace.response, trace.ground_truth) == (f"\n\n{reply(n)}", answer(n))
    assert len(traces) == 6


def test_what_a_user_names_as_the_trace_need_not_think_aloud(tmp_path: Path) -> None:
    rows = [
        {"problem": problem(n), "worked": f"{reply(n)} {reply(n)}", "answer": answer(n)} for n in range(6)
    ]
    assert read_as(*rows).refusal
    file = tmp_path / "mine.yaml"
    file.write_text("problem: [problem]\nreasoning: [worked]\nground_truth: [answer]\n")
    table = pa.Table.from_pylist(rows)
    assert len(choose_layout(load_preset(str(file)), Sample(table), "in/x").fit.traces) == 6
    switch = pa.Table.from_pylist([{**row, "worked": "on"} for row in rows])
    assert not choose_layout(load_preset(str(file)), Sample(switch), "in/x").fit.traces


@pytest.mark.parametrize("size", [4, 100])
@pytest.mark.parametrize("shape", ["columns", "index", "data"])
def test_a_file_of_one_object_is_never_read_as_one_row(shape: str, size: int, tmp_path: Path) -> None:
    """As pandas writes a table by default, and what other exports make of it."""
    rows = [{"problem": problem(n), "reasoning": thought(n), "answer": answer(n)} for n in range(size)]
    content: dict[str, Any] = {
        "columns": {key: {str(n): row[key] for n, row in enumerate(rows)} for key in rows[0]},
        "index": {f"r{n}": row for n, row in enumerate(rows)},
        "data": {"version": 1, "data": rows},
    }
    file = tmp_path / "table.json"
    file.write_text(json.dumps(content[shape]))
    with file.open("rb") as source:
        table = read_table(open_source(source, file.name, "in/x"))
    choice = choose_layout(load_preset("auto"), Sample(table), "in/x")
    assert choice.refusal
    assert "write its rows as JSON lines or as a list" in choice.remedy
    mended = tmp_path / "rows.jsonl"
    mended.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with mended.open("rb") as source:
        table = read_table(open_source(source, mended.name, "in/x"))
    assert len(choose_layout(load_preset("auto"), Sample(table), "in/x").fit.traces) == size


def test_the_only_reply_is_taken_under_a_name_that_no_layout_lists() -> None:
    rows = [
        {"input": problem(n), "reasoning_content": thought(n), "content": reply(n), "score": 9}
        for n in range(6)
    ]
    assert [trace.response for trace in read_as(*rows).fit.traces] == [reply(n) for n in range(6)]
    for name in ("judge_response", "solution"):
        other = [{"question": problem(n), "reasoning": thought(n), name: reply(n)} for n in range(6)]
        assert {trace.response for trace in read_as(*other).fit.traces} == {None}


def test_a_prompt_of_turns_stands_before_thinking_under_any_name() -> None:
    rows = [{"asked": chat(("user", problem(n))), "musings": thought(n), "reply": reply(n)} for n in range(6)]
    traces = read_as(*rows).fit.traces
    assert [(trace.problem, trace.response) for trace in traces] == [(problem(n), reply(n)) for n in range(6)]


def test_the_users_turn_has_a_role_of_other_words() -> None:
    rows = [{"messages": chat(("prompter", problem(n)), ("assistant", whole(n)))} for n in range(6)]
    assert [trace.problem for trace in read_as(*rows).fit.traces] == [problem(n) for n in range(6)]


def test_columns_may_have_chinese_names() -> None:
    rows = [
        {"问题": problem(n), "思考过程": thought(n), "回答": reply(n), "标准答案": answer(n)}
        for n in range(6)
    ]
    assert roles_of(read_as(*rows)) == {
        "problem": "问题",
        "reasoning": "思考过程",
        "response": "回答",
        "ground_truth": "标准答案",
    }
