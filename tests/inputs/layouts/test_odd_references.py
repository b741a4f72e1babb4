"""References of odd layouts: under which names they are known, and what is none."""

from __future__ import annotations

import json

import pytest

from tests.support.odd_rows import read_as
from tests.support.public_layouts import answer, chat, problem, thought, whole


def test_a_short_name_of_a_reference_is_known() -> None:
    rows = [{"question": problem(n), "responses": [whole(n)], "gt": answer(n)} for n in range(6)]
    assert [trace.ground_truth for trace in read_as(*rows).fit.traces] == [answer(n) for n in range(6)]


def test_the_class_or_the_degree_of_a_row_is_no_reference() -> None:
    for column in ({"label": "counting"}, {"label": 1}, {"target_difficulty": 3}):
        rows = [{"question": problem(n), "reasoning": thought(n), **column} for n in range(6)]
        assert {trace.ground_truth for trace in read_as(*rows).fit.traces} == {None}
    letters = [{"question": problem(n), "reasoning": thought(n), "label": "AB"[n % 2]} for n in range(6)]
    assert {trace.ground_truth for trace in read_as(*letters).fit.traces} == {"A", "B"}


@pytest.mark.parametrize("name", ["answer", "gold_answer"])
def test_conversations_take_the_reference_beside_them(name: str) -> None:
    turns = [chat(("human", problem(n)), ("gpt", whole(n)), role="from", content="value") for n in range(6)]
    rows = [{"id": f"t{n}", "conversations": turns[n], name: answer(n)} for n in range(6)]
    traces = read_as(*rows).fit.traces
    assert [(trace.trace_id, trace.ground_truth) for trace in traces] == [
        (f"t{n}", answer(n)) for n in range(6)
    ]


def test_a_layout_without_a_reference_takes_one_of_another_layout() -> None:
    rows = [
        {"prompt": problem(n), "generations": [whole(n)], "reward_model": {"ground_truth": answer(n)}}
        for n in range(6)
    ]
    choice = read_as(*rows)
    assert choice.fit.preset.name == "openr1_math"
    assert [trace.ground_truth for trace in choice.fit.traces] == [answer(n) for n in range(6)]


def test_the_labels_of_options_are_no_reference_but_the_key_is() -> None:
    options = {"label": ["A", "B"], "text": ["7", "8"]}
    rows = [
        {"question": problem(n), "choices": options, "answerKey": "AB"[n % 2], "cot": thought(n)}
        for n in range(6)
    ]
    assert [trace.ground_truth for trace in read_as(*rows).fit.traces] == list("ABABAB")


def test_several_references_under_an_unlisted_name_all_count() -> None:
    rows = [
        {"problem": problem(n), "generation": whole(n), "gold_answers": ["none yet", answer(n)]}
        for n in range(6)
    ]
    assert [trace.other_truths for trace in read_as(*rows).fit.traces] == [(answer(n),) for n in range(6)]


def test_the_reference_may_be_json_beside_a_whole_reply() -> None:
    rows = [
        {
            "prompt": problem(n),
            "completion": whole(n),
            "verification_info": json.dumps({"ground_truth": answer(n)}),
        }
        for n in range(6)
    ]
    assert [trace.ground_truth for trace in read_as(*rows).fit.traces] == [answer(n) for n in range(6)]
