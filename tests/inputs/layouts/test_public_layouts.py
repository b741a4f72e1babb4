from __future__ import annotations

import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.report import report_of
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset, preset_names
from tests.support.public_layouts import LAYOUTS, ROWS, answer, problem, reply, table_of, thought

DETECTED = {
    "openthoughts_metadata": "openthoughts",
    "openthoughts_2": "openthoughts",
    "openthoughts_3": "openthoughts",
    "bespoke_stratos": "openthoughts",
    "light_r1": "openthoughts",
    "nemotron_messages": "messages",
    "s1k_1_1": "s1k",
    "instruction_reasoning_output": "plain",
    "question_reasoning_answer": "plain",
    "unnamed": "by_content",
    "verl_reasoning": "verl",
    "skywork": "verl",
    "nemotron_turns": "nemotron",
    "limo_tagged": "limo",
    "sharegpt_tools": "openthoughts",
    "unnamed_turns": "by_content",
    "messages_as_json": "messages",
    "trl_text_prompt": "trl",
    "deepmath_closed": "deepmath",
    "interleaved": "messages",
    "tools_and_parts": "messages",
}
"""Layout -> the preset that reads it, where their names differ."""
SEVERAL = {"openr1_math": 2, "verl": 2, "deepmath": 3, "deepmath_closed": 3, "s1k": 2, "s1k_1_1": 2}
TRUTHS = {"synthetic1": "999"}
WITHOUT_TRUTH = frozenset(
    (
        "opencodereasoning", "openthoughts", "openthoughts_2", "openthoughts_3", "bespoke_stratos", "light_r1",
        "nemotron", "nemotron_messages", "medical_o1", "instruction_reasoning_output",
        "question_reasoning_answer", "alpaca", "dolphin_r1", "nemotron_turns", "sharegpt_tools",
    )
)  # fmt: skip
WITHOUT_REPLY = frozenset(("deepmath", "limo", "plain", "s1k"))


def choose(name: str, preset: str = "auto") -> Choice:
    return choose_layout(load_preset(preset), Sample(table_of(name)), f"{name}.parquet")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_layout_is_detected_and_every_row_is_read(name: str) -> None:
    choice = choose(name)
    assert (choice.refusal, choice.fit.preset.name) == ("", DETECTED.get(name, name))
    traces = choice.fit.traces
    thinking_rows = [n for n in range(ROWS) if name != "nemotron" or n % 3]
    assert len(traces) == len(thinking_rows) * SEVERAL.get(name, 1)
    for place, trace in enumerate(traces):
        n = thinking_rows[place // SEVERAL.get(name, 1)]
        check(name, n, trace, place % SEVERAL.get(name, 1))


def check(name: str, n: int, trace: Trace, part: int) -> None:
    ways = {"s1k_1_1": [1, 0]}.get(name, [0, 1, 2])
    task = (
        f"Solve the task and box the result.\n\n{problem(n)}"
        if name == "alpaca" and not n % 2
        else problem(n)
    )
    assert trace.problem == task
    assert trace.reasoning.strip() == thought(n, ways[part])
    assert trace.ground_truth == (None if name in WITHOUT_TRUTH else TRUTHS.get(name, answer(n)))
    if name in WITHOUT_REPLY:
        assert trace.response is None
    elif name == "opencodereasoning":
        assert (trace.response or "").strip().startswith("```python")
    else:
        assert (trace.response or "").strip() == reply(n)


def test_every_preset_has_a_layout_that_it_reads() -> None:
    assert {DETECTED.get(name, name) for name in LAYOUTS} >= {*load_preset_names()}


def load_preset_names() -> set[str]:
    return {name for name in preset_names() if name not in ("auto", "bespoke_stratos")}


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name in preset_names()])
def test_a_layout_is_read_by_its_name_too(name: str) -> None:
    assert choose(name, name).fit.traces == choose(name).fit.traces


def test_a_prompt_of_turns_and_a_system_prompt_are_named() -> None:
    def roles(name: str) -> object:
        schema = table_of(name).schema
        return report_of(choose(name), schema, named=False)["roles"]

    assert roles("dolphin_r1") == {"prompt": "messages", "reasoning": "reasoning", "response": "answer"}
    assert roles("trl") == {"messages": "completion", "prompt": "prompt", "ground_truth": "answer"}


def test_what_is_not_used_is_named_with_the_reason() -> None:
    table = table_of("nemotron")
    report = report_of(choose_layout(load_preset("auto"), Sample(table), "f"), table.schema, named=False)
    assert report["roles"] == {"system": "system_prompt", "problem": "input", "tagged": "output"}
    assert set(report["unused"]) == set(table.column_names) - {"system_prompt", "input", "output"}
    assert report["rejected"]["no_thinking"]["rows"] == 2
    assert "delimiters" in report["rejected"]["no_thinking"]["remedy"]
