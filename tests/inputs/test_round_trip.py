"""Every layout there and back: input and output differ inside the thinking alone, byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.columns import ColumnMap
from dlcot_ray.inputs.conversations.homes import messages_type, pair_of, turns_type
from dlcot_ray.inputs.conversations.loss_spans import Maskable, unit_masks
from dlcot_ray.inputs.conversations.unit_messages import Shown, unit_messages
from dlcot_ray.inputs.items import Item
from dlcot_ray.inputs.layouts.choosing import choose_layout
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import traces_of
from tests.support.public_layouts import LAYOUTS, ROWS, Row, problem, reply, table_of, thought

NEW = "Rows times jars."


def read(name: str) -> tuple[ColumnMap, list[tuple[Item, Trace]]]:
    """The columns that are found, and the traces."""
    table = table_of(name)
    columns = choose_layout(load_preset("auto"), Sample(table), name).fit.columns
    assert columns is not None
    found = traces_of(table, columns, file=name, first_row=0, shard_name="x")
    return columns, [(item, item.found) for item in found if isinstance(item.found, Trace)]


def built(content: str, *, system: str | None = None, asked: str) -> list[Row]:
    """A chat that is made of columns."""
    first = [] if system is None else [{"role": "system", "content": system}]
    return [*first, {"role": "user", "content": asked}, {"role": "assistant", "content": content}]


def apart(row: Row, n: int, part: int) -> list[Row]:
    """Thinking and reply in columns of their own."""
    return built(f"<think>\n{thought(n)}\n</think>\n\n{reply(n)}", asked=problem(n))


def whole_in(column: str, system: str = "") -> Callable[[Row, int, int], list[Row]]:
    """Whole replies in a column, or in a list."""

    def made(row: Row, n: int, part: int) -> list[Row]:
        content = row[column][part] if isinstance(row[column], list) else row[column]
        return built(content, system=row.get(system), asked=problem(n))

    return made


def chat_in(column: str, before: str = "", system: str = "") -> Callable[[Row, int, int], Any]:
    """A conversation as it is stored, behind a prompt or a system prompt of its own."""

    def made(row: Row, n: int, part: int) -> Any:
        turns = row[column]
        if isinstance(turns, str):
            return turns
        first = turns[0]
        role, content = (
            next((key for key in keys if key in first), "")
            for keys in (("role", "from"), ("content", "value"))
        )
        outside = [{role: "system", content: row[system]}] if system else []
        return [*outside, *(row[before] if before else []), *turns]

    return made


def s1k_1_1(row: Row, n: int, part: int) -> list[Row]:
    thinking = thought(n, 1 - part)
    return built(f"<think>\n{thinking}\n</think>\n\n{reply(n)}", asked=problem(n))


def alpaca(row: Row, n: int, part: int) -> list[Row]:
    asked = row["instruction"] + (f"\n\n{row['input']}" if row["input"] else "")
    return built(row["output"], system="Think.", asked=asked)


def dolphin(row: Row, n: int, part: int) -> list[Row]:
    return [*row["messages"], apart(row, n, part)[-1]]


def from_turns(column: str, replies: str, system: str = "") -> Callable[[Row, int, int], list[Row]]:
    """A prompt of turns, and whole replies beside it."""

    def made(row: Row, n: int, part: int) -> list[Row]:
        content = row[replies][part] if isinstance(row[replies], list) else row[replies]
        outside = [{"role": "system", "content": row[system]}] if system else []
        return [*outside, *row[column], {"role": "assistant", "content": content}]

    return made


def nothing(row: Row, n: int, part: int) -> None:
    """A layout without a visible reply gives no messages."""


MADE: Mapping[str, Callable[[Row, int, int], Any]] = {
    "openr1_math": whole_in("generations"),
    "deepmath": nothing,
    "deepmath_closed": lambda row, n, part: built(row[f"r1_solution_{part + 1}"], asked=problem(n)),
    "openmathreasoning": whole_in("generated_solution"),
    "opencodereasoning": whole_in("output"),
    "openthoughts": chat_in("conversations", system="system"),
    "openthoughts_metadata": apart,
    "openthoughts_2": chat_in("conversations"),
    "openthoughts_3": chat_in("conversations"),
    "am_deepseek_r1": chat_in("messages"),
    "synthetic1": whole_in("llm_response"),
    "nemotron": whole_in("output", "system_prompt"),
    "nemotron_messages": chat_in("messages"),
    "medical_o1": apart,
    "s1k": nothing,
    "s1k_1_1": s1k_1_1,
    "limo": nothing,
    "limo_tagged": whole_in("solution"),
    "light_r1": chat_in("conversations"),
    "numina_deepseek": apart,
    "bespoke_stratos": chat_in("conversations", system="system"),
    "plain": nothing,
    "instruction_reasoning_output": apart,
    "question_reasoning_answer": apart,
    "trl": chat_in("completion", "prompt"),
    "trl_text_prompt": lambda row, n, part: [{"role": "user", "content": problem(n)}, *row["completion"]],
    "verl": from_turns("prompt", "responses"),
    "verl_reasoning": lambda row, n, part: [*row["prompt"], apart(row, n, part)[-1]],
    "skywork": from_turns("prompt", "response"),
    "dolphin_r1": dolphin,
    "nemotron_turns": from_turns("input", "output", "system_prompt"),
    "sharegpt_tools": chat_in("conversations", system="system"),
    "unnamed_turns": chat_in("dialogue"),
    "messages_as_json": chat_in("messages"),
    "messages": chat_in("messages"),
    "interleaved": chat_in("messages"),
    "tools_and_parts": chat_in("messages"),
    "completion": whole_in("completion"),
    "alpaca": alpaca,
    "unnamed": apart,
}
"""Layout -> the conversation of a row with the teacher's own thinking, written down apart from the package."""


def as_json(turns: Any) -> str:
    """Without the fields that a turn lacks and its column has."""
    listed = json.loads(turns) if isinstance(turns, str) else turns
    return json.dumps(filled(listed), ensure_ascii=False, sort_keys=True)


def filled(value: Any) -> Any:
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, dict):
        return {key: filled(item) for key, item in value.items() if item is not None}
    return value


def replaced(turns: Any, n: int) -> str:
    """The JSON of a conversation with another thinking in the place of the last one."""
    text = as_json(turns)
    old, new = (json.dumps(one, ensure_ascii=False)[1:-1] for one in (ways_of(text, n), NEW))
    # The copy of the thinking in AM's `info` stays: no trainer reads it.
    upto = text.find('"think_content": ') if '"think_content": "' in text else len(text)
    before, _, behind = text[:upto].rpartition(old)
    behind += text[upto:]
    return f"{before}{new}{behind}"


def ways_of(text: str, n: int) -> str:
    """The thinking of a row that stands last in a text."""
    places = {text.rfind(json.dumps(thought(n, way))[1:-1]): thought(n, way) for way in range(3)}
    return places[max(places)]


def test_every_layout_is_here() -> None:
    assert set(MADE) == set(LAYOUTS)


@pytest.mark.parametrize("name", MADE)
def test_input_and_output_differ_inside_the_thinking_alone(name: str) -> None:
    columns, found = read(name)
    assert len(found) >= ROWS - 2
    kind = messages_type(columns)
    for new in (None, NEW):
        shown = [
            Shown(item.slot.row, item.home, new or trace.reasoning) for item, trace in found if item.home
        ]
        cells = pa.array(unit_messages(shown), kind).to_pylist()
        for (item, _), cell in zip(found, cells, strict=True):
            n = item.slot.row
            expected = MADE[name](LAYOUTS[name](n), n, item.slot.part)
            if expected is None:
                assert cell is None
            else:
                assert as_json(cell) == (replaced(expected, n) if new else as_json(expected))


@pytest.mark.parametrize("name", MADE)
def test_pairs_and_masks_hold_the_same_conversation(name: str) -> None:
    columns, found = read(name)
    for item, trace in found:
        assert item.home is not None
        n = item.slot.row
        expected = MADE[name](LAYOUTS[name](n), n, item.slot.part)
        pair = pair_of(item.home, NEW, trace.reasoning)
        (mask,) = unit_masks([Maskable(n, item.home, trace.reasoning, [(0, 5)])], columns)
        if expected is None:
            assert pair is None
            assert mask is None
            continue
        assert pair is not None
        assert mask is not None
        prompt, chosen, rejected = pair
        pa.array([prompt, chosen, rejected], turns_type(columns))
        assert as_json([*prompt, *rejected]) == as_json(expected)
        assert as_json([*prompt, *chosen]) == replaced(expected, n)
        assert as_json(mask.messages) == as_json(expected)
