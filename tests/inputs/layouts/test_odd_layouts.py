"""Layouts in odd clothes: read where it is certain, else refused with a remedy that works."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.report import report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from tests.support.public_layouts import answer, chat, problem, reply, thought, whole


def read_as(*rows: Mapping[str, Any], **choices: str) -> Choice:
    """The layout of rows that no preset was made for."""
    table = pa.Table.from_pylist([dict(row) for row in rows])
    return choose_layout(load_preset("auto", Choices.of(choices)), Sample(table), "in/x")


def roles_of(choice: Choice) -> object:
    assert not choice.refusal
    return report_of(choice, pa.schema([]), named=False)["roles"]


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


def test_a_short_name_of_a_reference_is_known() -> None:
    rows = [{"question": problem(n), "responses": [whole(n)], "gt": answer(n)} for n in range(6)]
    assert [trace.ground_truth for trace in read_as(*rows).fit.traces] == [answer(n) for n in range(6)]


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
            "convert the column",
            lambda n: {"messages": chat(("user", problem(n)), ("assistant", whole(n)))},
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


def test_the_class_or_the_degree_of_a_row_is_no_reference() -> None:
    for column in ({"label": "counting"}, {"label": 1}, {"target_difficulty": 3}):
        rows = [{"question": problem(n), "reasoning": thought(n), **column} for n in range(6)]
        assert {trace.ground_truth for trace in read_as(*rows).fit.traces} == {None}
    letters = [{"question": problem(n), "reasoning": thought(n), "label": "AB"[n % 2]} for n in range(6)]
    assert {trace.ground_truth for trace in read_as(*letters).fit.traces} == {"A", "B"}


def test_a_reply_is_never_guessed_to_be_the_problem() -> None:
    rows = [{"input": {"turns": 1}, "output": {"reasoning": thought(n), "text": reply(n)}} for n in range(6)]
    assert read_as(*rows).refusal
