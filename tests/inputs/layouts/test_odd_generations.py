"""Several values in one row of an odd layout: which of them are traces, and what belongs to each."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from dlcot_ray.inputs.layouts.choosing import choose_layout
from dlcot_ray.inputs.layouts.report import report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from tests.support.odd_rows import read_as, roles_of
from tests.support.public_layouts import answer, problem, reply, thought, whole


def of_structs(n: int) -> list[dict[str, object]]:
    return [{"text": whole(n), "is_correct": False}, {"text": whole(n, 1), "is_correct": True}]


@pytest.mark.parametrize("name", ["samples", "generations"])
def test_generations_may_be_structs_with_their_flag(name: str) -> None:
    rows = [{"question": problem(n), "gold": answer(n), name: of_structs(n)} for n in range(6)]
    choice = read_as(*rows, generations="correct")
    assert roles_of(choice) == {
        "problem": "question",
        "tagged": f"{name}.*.text",
        "ground_truth": "gold",
        "correctness": f"{name}.*.is_correct",
    }
    assert [trace.reasoning.strip() for trace in choice.fit.traces] == [thought(n, 1) for n in range(6)]


def test_the_texts_of_turns_are_no_generations() -> None:
    rows = [{"question": problem(n), "log": [{"type": "said", "text": whole(n)}]} for n in range(6)]
    assert read_as(*rows).refusal


def test_a_trace_in_a_struct_takes_the_reply_of_its_own_struct() -> None:
    rows = [
        {
            "prompt": problem(n),
            "runs": {
                "first": {"thinking": thought(n), "reply": reply(n)},
                "second": {
                    "thinking": f"{thought(n, 1)}\n\nSo that is it.",
                    "reply": f"As I said: {reply(n)}",
                },
            },
        }
        for n in range(6)
    ]
    choice = read_as(*rows)
    assert [trace.response for trace in choice.fit.traces] == [f"As I said: {reply(n)}" for n in range(6)]
    report = report_of(choice, pa.schema([]), named=False)
    assert report["unused"] == {"runs.first.thinking": "another trace"}


def test_a_reply_that_stands_beside_two_traces_belongs_to_none() -> None:
    rows = [
        {"q": problem(n), "cot": thought(n), "musings": thought(n, 1), "reply": reply(n)} for n in range(6)
    ]
    assert {trace.response for trace in read_as(*rows).fit.traces} == {None}


def test_a_list_of_one_problem_is_that_problem() -> None:
    rows = [{"prompt": [problem(n)], "responses": [whole(n)], "answer": [answer(n)]} for n in range(6)]
    choice = read_as(*rows)
    assert [trace.problem for trace in choice.fit.traces] == [problem(n) for n in range(6)]
    assert [trace.ground_truth for trace in choice.fit.traces] == [answer(n) for n in range(6)]


def test_a_path_of_several_values_is_no_problem(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    table = pa.Table.from_pylist([{"asked": [problem(n)], "reply": whole(n)} for n in range(6)])
    file.write_text("problem: ['asked.*']\ntagged: [reply]\n")
    told = choose_layout(load_preset(str(file)), Sample(table), "in/x").fit
    assert "gives several values for a row" in told.problem
    file.write_text("problem: [asked.0]\ntagged: [reply]\n")
    traces = choose_layout(load_preset(str(file)), Sample(table), "in/x").fit.traces
    assert [trace.problem for trace in traces] == [problem(n) for n in range(6)]


@pytest.mark.parametrize("flags", [None, [None, None], ["maybe", "nan"], [0.25, 0.75]])
def test_a_choice_by_flags_that_say_nothing_is_refused(flags: object) -> None:
    rows = [
        {"problem": problem(n), "generations": [whole(n), whole(n, 1)], "correctness": flags}
        for n in range(6)
    ]
    refused = read_as(*rows, generations="shortest_correct")
    assert "says neither true nor false in 6 sampled rows" in refused.refusal
    assert "set generations=all or first" in refused.remedy
    assert len(read_as(*rows, generations="first").fit.traces) == 6
