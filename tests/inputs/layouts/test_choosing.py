from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.columns import layout_key, resolve_columns
from dlcot_ray.inputs.layouts.choosing import choose_layout
from dlcot_ray.inputs.layouts.deciding import Layout, layout_of, with_layouts
from dlcot_ray.inputs.layouts.report import clean, examples_of, report_lines, report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.layouts.texts import could_be_trace, is_code, is_statement, reads_as_thinking
from dlcot_ray.inputs.presets import load_preset
from tests.support.public_layouts import CODE, ROWS, answer, problem, reply, thought, whole

AUTO = load_preset("auto")


def table(**columns: list[Any]) -> pa.Table:
    return pa.table(columns)


def rows(make: Any) -> list[Any]:
    return [make(n) for n in range(ROWS)]


def roles_of(data: pa.Table, preset: str = "auto") -> dict[str, str]:
    choice = choose_layout(load_preset(preset), Sample(data), "in/a")
    assert not choice.refusal
    found: dict[str, str] = report_of(choice, data.schema, named=False)["roles"]
    return found


def test_an_answer_column_is_the_reply_where_it_states_and_the_truth_where_it_is_a_value() -> None:
    values = table(question=rows(problem), reasoning=rows(thought), answer=rows(answer))
    assert roles_of(values)["ground_truth"] == "answer"
    assert "response" not in roles_of(values)
    prose = table(question=rows(problem), reasoning=rows(thought), answer=rows(reply))
    assert roles_of(prose)["response"] == "answer"
    assert "ground_truth" not in roles_of(prose)
    assert roles_of(prose, "plain") == roles_of(prose)


def test_a_switch_an_empty_column_and_a_whole_reply_serve_as_nothing() -> None:
    data = table(
        instruction=[""] * ROWS,
        question=rows(problem),
        reasoning=["on", "off"] * (ROWS // 2),
        think=rows(thought),
        response=rows(whole),
        answer=rows(reply),
    )
    assert roles_of(data) == {"problem": "question", "reasoning": "think", "response": "answer"}
    choice = choose_layout(AUTO, Sample(data), "f")
    unused = report_of(choice, data.schema, named=False)["unused"]
    assert unused == {
        "instruction": "empty",
        "reasoning": "a few short words, no trace",
        "response": "whole replies with their thinking",
    }


def test_code_is_no_ground_truth() -> None:
    data = table(problem=rows(problem), reasoning=rows(thought), answer=[CODE] * ROWS)
    assert "ground_truth" not in roles_of(data)


def test_a_worked_solution_is_no_trace() -> None:
    data = table(question=rows(problem), solution=["Multiply rows by jars."] * ROWS, answer=rows(answer))
    choice = choose_layout(AUTO, Sample(data), "in/a")
    assert choice.refusal
    assert "solution" in choice.refusal


def test_a_guess_that_fits_few_rows_is_refused_with_the_two_nearest() -> None:
    replies = [whole(0), whole(1), *["I cannot help with this."] * 8, *[None] * 10]
    data = table(
        messages=[
            [{"role": "user", "content": problem(n)}, {"role": "assistant", "content": text}]
            for n, text in enumerate(replies)
        ],
        prompt=[problem(n) for n in range(20)],
        completion=replies,
    )
    choice = choose_layout(AUTO, Sample(data), "in/a.parquet")
    assert "no layout fits half of 20 sampled rows" in choice.refusal
    assert "messages (2 rows" in choice.refusal
    assert "completion (2 rows" in choice.refusal
    report = report_of(choice, data.schema, named=False)
    assert report["layout"] is None
    assert list(report["near"]) == ["messages", "completion"]
    assert report_lines(report)[0].startswith("layout     none: no layout fits half")
    decided = with_layouts(AUTO, [layout_of(choice, _key(data), data.schema, named=False)])
    with pytest.raises(InputFault, match=r"^in/a.parquet: no layout fits half .* set dataset="):
        resolve_columns(decided, data.schema, "in/a.parquet")


def test_replies_without_thinking_do_not_speak_against_a_layout() -> None:
    texts = [whole(0), *["It is seven."] * 7]
    data = table(prompt=[problem(n) for n in range(8)], completion=texts)
    assert choose_layout(AUTO, Sample(data), "f").fit.preset.name == "completion"


def test_a_preset_that_the_user_names_is_not_refused_for_its_rows() -> None:
    data = table(prompt=rows(problem), completion=["It is seven."] * (ROWS - 1) + [whole(1)])
    choice = choose_layout(load_preset("completion"), Sample(data), "f")
    assert not choice.refusal
    assert len(choice.fit.traces) == 1


def test_unknown_names_are_read_by_what_they_hold_or_not_at_all() -> None:
    data = table(a=rows(problem), b=rows(thought))
    assert roles_of(data) == {"problem": "a", "reasoning": "b"}
    doubtful = table(a=rows(problem), b=rows(thought), c=[f"Which is it, {n}, or not?" for n in range(ROWS)])
    assert choose_layout(AUTO, Sample(doubtful), "f").refusal
    nested = table(item=[{"ask": problem(n), "musings": thought(n), "gold": answer(n)} for n in range(ROWS)])
    assert roles_of(nested) == {
        "problem": "item.ask", "reasoning": "item.musings", "ground_truth": "item.gold",
    }  # fmt: skip


def test_several_traces_under_unknown_names() -> None:
    lists = table(
        task=rows(problem),
        tries=[[whole(n), whole(n, 1)] for n in range(ROWS)],
        is_correct=[[True, False]] * ROWS,
        target=rows(answer),
    )
    assert roles_of(lists) == {
        "problem": "task", "tagged": "tries.*", "ground_truth": "target", "correctness": "is_correct.*",
    }  # fmt: skip
    columns = table(
        task=rows(problem),
        musing_1=rows(thought),
        musing_2=rows(lambda n: thought(n, 1)),
        reply_1=rows(reply),
        reply_2=rows(lambda n: reply(n) + " Done."),
    )
    assert roles_of(columns) == {"problem": "task", "reasoning": "musing_*", "response": "reply_*"}
    teachers = table(task=rows(problem), owl_thoughts=rows(thought), fox_thoughts=rows(thought))
    assert roles_of(teachers) == {"problem": "task", "reasoning": "*_thoughts"}


def test_a_solution_beside_the_thinking_is_not_taken_for_the_reply() -> None:
    data = table(problem=rows(problem), solution=rows(reply), reasoning=rows(thought), answer=rows(answer))
    assert roles_of(data) == {"problem": "problem", "reasoning": "reasoning", "ground_truth": "answer"}


def test_a_reference_under_another_name_is_found_by_a_general_layout() -> None:
    data = table(prompt=rows(problem), response=rows(whole), expected=rows(answer), is_correct=[True] * ROWS)
    assert roles_of(data)["ground_truth"] == "expected"
    letters = table(question=rows(problem), rationale=rows(thought), correct_option=list("ABCDAB"))
    assert roles_of(letters)["ground_truth"] == "correct_option"
    flags = table(question=rows(problem), rationale=rows(thought), is_correct=[True] * ROWS)
    assert "ground_truth" not in roles_of(flags)


def test_a_decision_survives_its_record() -> None:
    data = table(question=rows(problem), reasoning=rows(thought), answer=rows(reply))
    layout = layout_of(choose_layout(AUTO, Sample(data), "f"), _key(data), data.schema, named=False)
    again = Layout.from_dict(json.loads(json.dumps(layout.as_dict())))
    columns = resolve_columns(with_layouts(AUTO, [again]), data.schema, "f")
    assert columns == resolve_columns(with_layouts(AUTO, [layout]), data.schema, "f")
    assert columns.response is not None
    assert columns.response.text == "answer"
    assert columns.ground_truth is None


def test_a_report_counts_the_kinds_of_references() -> None:
    truths = ["12", "(B)", "x+1", "proof", "N/A", None]
    data = table(problem=rows(problem), reasoning=rows(thought), ground_truth=truths)
    choice = choose_layout(AUTO, Sample(data), "f")
    references = report_of(choice, data.schema, named=False)["references"]
    assert references["number"] == 1
    assert references["option"] == 1
    assert references["expression"] == 1
    assert sum(references.values()) == ROWS


def test_examples_are_short_and_harmless_on_a_terminal() -> None:
    texts = [f"\x1b[31m{thought(n)}\x07" + " More words." * 100 for n in range(ROWS)]
    data = table(problem=rows(problem), reasoning=texts)
    examples = examples_of(choose_layout(AUTO, Sample(data), "f"))
    assert len(examples) == 3
    for example in examples:
        assert len(example["reasoning"] or "") < 400
        assert "\x1b" not in (example["reasoning"] or "")
    assert clean("a\nb\x9b\u202ec") == "a b\ufffd\ufffdc"


def test_what_texts_are() -> None:
    assert not could_be_trace("off")
    assert could_be_trace(thought(1))
    assert reads_as_thinking(thought(0))
    assert reads_as_thinking("嗯，首先让我看看这个问题。" * 5 + "等等，我需要再检查一遍。" * 3)
    assert not reads_as_thinking("The area is 12. " * 20)
    assert is_statement(reply(1))
    assert is_statement("The shelf has 12 jars.")
    assert not is_statement("12 jars")
    assert not is_statement("x = 3 or x = -3")
    assert is_code(CODE)
    assert is_code(f"```python\n{CODE}```")
    assert not is_code(reply(1))


def _key(data: pa.Table) -> str:
    return layout_key(data.schema)
