"""Conversations come back as they were, with another thinking and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.conversations.homes import messages_type
from dlcot_ray.inputs.conversations.unit_messages import Shown, unit_messages
from dlcot_ray.inputs.items import Item
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import traces_of

OLD = "\n First I add.\n\nThen I add again. \n"
NEW = "First I add."
BACK = "\n First I add. \n"


def items(table: pa.Table, preset: str = "messages", **choices: str) -> list[Item]:
    columns = resolve_columns(load_preset(preset, Choices.of(choices)), table.schema, "in/x")
    return traces_of(table, columns, file="in/x", first_row=0, shard_name="x")


def written(table: pa.Table, preset: str = "messages", new: str = NEW, **choices: str) -> list[Any]:
    """The messages of every trace with a new thinking, through their Arrow type."""
    columns = resolve_columns(load_preset(preset, Choices.of(choices)), table.schema, "in/x")
    found = [item for item in items(table, preset, **choices) if isinstance(item.found, Trace)]
    shown = [Shown(item.slot.row, item.home, new) for item in found if item.home is not None]
    cells: list[Any] = pa.array(unit_messages(shown), messages_type(columns)).to_pylist()
    return cells


SYSTEM = {"role": "system", "content": "Be brief; think between <think> and </think>."}
USER = {"role": "user", "content": "1 + 1?"}

CHATS: dict[str, tuple[list[dict[str, Any]], tuple[str | int, ...]]] = {
    "tags": ([SYSTEM, USER, {"role": "assistant", "content": f"<think>{OLD}</think>\n\n It is 2. "}], (2, "content")),
    "text before": ([USER, {"role": "assistant", "content": f"Well.\n<think>{OLD}</think>2"}], (1, "content")),
    "prefilled": ([USER, {"role": "assistant", "content": f"{OLD}</think>2"}], (1, "content")),
    "brackets": ([USER, {"role": "assistant", "content": f"[THINK]{OLD}[/THINK]2"}], (1, "content")),
    "harmony": (
        [USER, {"role": "assistant", "content": f"<|channel|>analysis<|message|>{OLD}<|end|><|start|>assistant"
                "<|channel|>final<|message|>2<|return|>"}],
        (1, "content"),
    ),
    "harmony with two channels": (
        [USER, {"role": "assistant", "content": "<|start|>assistant<|channel|>analysis<|message|>I look.<|end|>"
                f"<|start|>assistant<|channel|>analysis<|message|>{OLD}<|end|><|start|>assistant<|channel|>final"
                "<|message|>2<|return|>"}],
        (1, "content"),
    ),
    "thought and solution": (
        [USER, {"role": "assistant", "content": f"<|begin_of_thought|>{OLD}<|end_of_thought|>\n\n"
                "<|begin_of_solution|>\n2\n<|end_of_solution|>\n"}],
        (1, "content"),
    ),
    "a field": ([USER, {"role": "assistant", "content": "2", "reasoning_content": OLD}], (1, "reasoning_content")),
    "another field": (
        [{"role": "developer", "content": "Be brief."}, USER, {"role": "assistant", "content": "2", "thinking": OLD}],
        (2, "thinking"),
    ),
    "blocks in a field": (
        [{**USER, "reasoning_details": None},
         {"role": "assistant", "content": "2", "reasoning_details": [{"type": "reasoning.encrypted", "text": None},
                                                                     {"type": "reasoning.text", "text": OLD}]}],
        (1, "reasoning_details", 1, "text"),
    ),
    "a call that thinks": (
        [USER, {"role": "function_call", "content": f'<think>{OLD}</think>\n{{"name": "add"}}'}], (1, "content"),
    ),
    "a channel": (
        [USER, {"role": "assistant", "channel": "analysis", "content": OLD},
         {"role": "assistant", "channel": "final", "content": "2"}],
        (1, "content"),
    ),
    "a role": ([USER, {"role": "reasoning", "content": OLD}, {"role": "assistant", "content": "2"}], (1, "content")),
    "parts": (
        [{"role": "user", "content": [{"type": "text", "text": "1 + 1?", "thinking": None}]},
         {"role": "assistant", "content": [{"type": "thinking", "thinking": OLD, "text": None},
                                           {"type": "text", "text": "2", "thinking": None}]}],
        (1, "content", 0, "thinking"),
    ),
    "parts with tags": (
        [{"role": "user", "content": [{"type": "text", "text": "1 + 1?"}]},
         {"role": "assistant", "content": [{"type": "text", "text": f"<think>{OLD}</think>2"}]}],
        (1, "content", 0, "text"),
    ),
    "an earlier turn that thought": (
        [USER, {"role": "assistant", "content": "<think>\nEasy.\n</think>\n\n2"}, {"role": "user", "content": "+ 1?"},
         {"role": "assistant", "content": f"<think>{OLD}</think>3"}],
        (3, "content"),
    ),
    "tools": (
        [{**USER, "tool_calls": None, "name": None},
         {"role": "assistant", "content": "<think>\nI ask.\n</think>", "name": None,
          "tool_calls": [{"name": "add", "arguments": '{"of": [1, 1]}'}]},
         {"role": "tool", "content": "2", "tool_calls": None, "name": "add"},
         {"role": "assistant", "content": f"<think>{OLD}</think>\n2", "tool_calls": None, "name": None}],
        (3, "content"),
    ),
    "a block behind another": (
        [USER, {"role": "assistant", "content": f"<think>\nI look.\n</think>\n\nOne.\n\n<think>{OLD}</think>\n\n2"}],
        (1, "content"),
    ),
    "a part behind another": (
        [{"role": "user", "content": [{"type": "text", "text": "1 + 1?", "thinking": None}]},
         {"role": "assistant", "content": [{"type": "thinking", "thinking": "I look.", "text": None},
                                           {"type": "text", "text": "One.", "thinking": None},
                                           {"type": "thinking", "thinking": OLD, "text": None},
                                           {"type": "text", "text": "2", "thinking": None}]}],
        (1, "content", 2, "thinking"),
    ),
    "a tag that another word closes": (
        [USER, {"role": "assistant", "content": f"<think>{OLD}</thinking>\n2"}], (1, "content"),
    ),
    "a tag with an attribute": (
        [USER, {"role": "assistant", "content": f"<think time='1 s'>{OLD}</ think>\n2"}], (1, "content"),
    ),
    "headings": (
        [USER, {"role": "assistant", "content": f"## Thinking\n{OLD}\n## Final Response\n\n2"}], (1, "content"),
    ),
    "roles in capitals": (
        [{"role": "SYSTEM", "content": "Be brief."}, {"role": "User", "content": "1 + 1?"},
         {"role": "Assistant", "content": f"<think>{OLD}</think>2"}],
        (2, "content"),
    ),
    "a model": ([USER, {"role": "model", "content": f"<think>{OLD}</think>2"}], (1, "content")),
}  # fmt: skip


def replaced(chat: list[dict[str, Any]], path: tuple[str | int, ...], old: str, new: str) -> Any:
    copy = json.loads(json.dumps(chat))
    at = copy
    for step in path[:-1]:
        at = at[step]
    assert old in at[path[-1]]
    at[path[-1]] = at[path[-1]].replace(old, new)
    return copy


@pytest.mark.parametrize("name", CHATS)
def test_only_the_thinking_differs(name: str) -> None:
    chat, path = CHATS[name]
    table = pa.table({"messages": [chat]})
    (item,) = items(table)
    assert isinstance(item.found, Trace)
    assert item.found.reasoning == OLD
    (back,) = written(table)
    # What a turn lacks is null in the column, before and after.
    stored = table["messages"].to_pylist()[0]
    assert back == replaced(stored, path, OLD, BACK)
    assert written(table, new=OLD) == [stored]


@pytest.mark.parametrize("name", CHATS)
@pytest.mark.parametrize("style", [{}, {"ensure_ascii": False}, {"separators": (",", ":")}, {"indent": 2}])
def test_json_text_keeps_its_style(name: str, style: dict[str, Any]) -> None:
    chat, path = CHATS[name]
    chat = [*chat[:-1], {**chat[-1], "note": "für dich"}]
    table = pa.table({"messages": [json.dumps(chat, **style)]})
    assert written(table) == [json.dumps(replaced(chat, path, OLD, BACK), **style)]
    assert written(table, new=OLD) == table["messages"].to_pylist()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary()], ids=str)
def test_the_column_keeps_its_type(kind: pa.DataType) -> None:
    struct = pa.struct([("from", pa.string()), ("value", kind)])
    chat: list[dict[str, Any]] = [
        {"from": "human", "value": "1 + 1?"},
        {"from": "gpt", "value": f"<think>{OLD}</think>2"},
    ]
    if pa.types.is_binary(kind):
        chat = [{"from": turn["from"], "value": turn["value"].encode()} for turn in chat]
    table = pa.table({"conversations": pa.array([chat], pa.list_(struct))})
    columns = resolve_columns(load_preset("messages"), table.schema, "in/x")
    assert messages_type(columns) == pa.list_(struct)
    (back,) = written(table)
    text = back[1]["value"]
    assert (text.decode() if isinstance(text, bytes) else text) == f"<think>{BACK}</think>2"


thoughts = st.text(st.characters(codec="utf-8", exclude_characters="<>[]`◁▷｜\r"), min_size=1)


@settings(max_examples=60, deadline=None)
@given(thoughts, thoughts, thoughts, st.sampled_from(sorted(CHATS)))
def test_any_thinking_can_be_written_back(old: str, new: str, reply: str, name: str) -> None:
    if not (old.strip() and new.strip() and reply.strip()) or OLD in (reply, new):
        return
    chat, path = CHATS[name]
    chat = replaced(chat, path, OLD, old)
    table = pa.table({"messages": [chat]})
    stored = table["messages"].to_pylist()[0]
    assert written(table, new=old) == [stored]
    (once,) = written(table, new=new)
    (twice,) = written(pa.table({"messages": pa.array([once], table["messages"].type)}), new=old)
    assert twice == stored


def test_turns_all_makes_a_trace_of_every_turn_that_thinks_and_one_conversation() -> None:
    chat, _ = CHATS["an earlier turn that thought"]
    table = pa.table({"messages": [chat], "ground_truth": ["3"], "id": ["a"]})
    first, second = (item.found for item in items(table, turns="all"))
    assert first == Trace("a/0", "1 + 1?", "\nEasy.\n", None, "\n\n2")
    assert second == Trace("a/1", "user: 1 + 1?\n\nassistant: 2\n\nuser: + 1?", OLD, "3", "3")
    nothing, whole = written(table, turns="all")
    assert nothing is None
    assert [turn["content"] for turn in whole] == [
        "1 + 1?", f"<think>\n{NEW}\n</think>\n\n2", "+ 1?", f"<think>{BACK}</think>3",
    ]  # fmt: skip
    (last,) = items(table)
    assert last.found == Trace("a", "+ 1?", OLD, "3", "3")


def test_a_truth_belongs_to_the_last_reply_only() -> None:
    chat = [USER, {"role": "assistant", "content": f"<think>{OLD}</think>2"}, {"role": "user", "content": "Thanks"},
            {"role": "assistant", "content": "Any time."}]  # fmt: skip
    (item,) = items(pa.table({"messages": [chat], "ground_truth": ["2"]}))
    assert isinstance(item.found, Trace)
    assert (item.found.reasoning, item.found.ground_truth) == (OLD, None)


def test_prompt_and_completion_are_one_conversation() -> None:
    table = pa.table(
        {
            "prompt": [[SYSTEM, USER]],
            "completion": [[{"role": "assistant", "content": f"<think>{OLD}</think>2"}]],
        }
    )
    (back,) = written(table, "trl")
    assert back == [SYSTEM, USER, {"role": "assistant", "content": f"<think>{BACK}</think>2"}]


def test_a_system_column_becomes_the_system_turn() -> None:
    chat = [{"from": "user", "value": "1 + 1?"}, {"from": "assistant", "value": f"<think>{OLD}</think>2"}]
    (back,) = written(pa.table({"system": ["Be brief."], "conversations": [chat]}), "openthoughts")
    assert back[0] == {"from": "system", "value": "Be brief."}
    assert back[1:] == replaced(chat, (1, "value"), OLD, BACK)
    (plain,) = written(
        pa.table({"system": ["Be brief."], "problem": ["1 + 1?"], "reasoning": [OLD], "response": ["2"]}),
        "plain",
    )
    assert [turn["role"] for turn in plain] == ["system", "user", "assistant"]


@pytest.mark.parametrize(
    ("reasoning", "response", "content"),
    [
        (OLD, "\n\n  x = 2\n", f"<think>\n{NEW}\n</think>\n\n  x = 2\n"),
        (f"<think>{OLD}</think>", "2", f"<think>{BACK}</think>\n\n2"),
        (f"<think>{OLD}</think>\n\nIt is 2.", "It is 2.", f"<think>{BACK}</think>\n\nIt is 2."),
        (f"<think>{OLD}</think>\n\nIt is 2.", None, f"<think>{BACK}</think>\n\nIt is 2."),
        (f"<think>{OLD}", "2", f"<think>\n{NEW}\n</think>\n\n2"),
        (OLD, None, None),
        (f"<think>{OLD}</think> ", None, None),
        (f"<think>{OLD}", None, None),
    ],
)
def test_a_chat_is_built_where_there_is_none_and_no_tag_is_nested(
    reasoning: str, response: str | None, content: str | None
) -> None:
    row = {"problem": "1 + 1?", "reasoning": reasoning, "response": response}
    table = pa.Table.from_pylist([row], pa.schema([(name, pa.string()) for name in row]))
    (item,) = items(table, "plain")
    assert isinstance(item.found, Trace)
    assert item.found.reasoning == OLD
    (back,) = written(table, "plain")
    assert back == (None if content is None else [USER, {"role": "assistant", "content": content}])


def test_a_prompt_of_turns_stands_before_the_built_reply() -> None:
    table = pa.table({"prompt": [[SYSTEM, USER]], "reasoning": [OLD], "response": ["2"]})
    (item,) = items(table, "plain")
    assert isinstance(item.found, Trace)
    assert item.found.problem == "1 + 1?"
    (back,) = written(table, "plain")
    assert back == [SYSTEM, USER, {"role": "assistant", "content": f"<think>\n{NEW}\n</think>\n\n2"}]


@pytest.mark.parametrize(
    ("problem", "reply", "where"),
    [
        (
            "1 + 1?",
            "<think>Use `</think>` now. 2</think>2",
            "thinking holds the control word '</think>' at character 5",
        ),
        ("1 + 1?", "<think>So <|im_end|> 2</think>2", "thinking holds the control word '<|im_end|>'"),
        ("1 + 1?", "<think>So 2</think>2 [/INST]", "(assistant) holds the control word '[/INST]'"),
        ("1 + <start_of_turn>1?", "<think>So 2</think>2", "message 0 (user) holds"),
        ("<｜User｜>1 + 1?", "<think>So 2</think>2", "message 0 (user) holds"),
        ("1 + 1?", "<|Assistant|><think>So 2</think>2", "(assistant) holds the control word '<|Assistant|>'"),
        ("1 + 1?", "<think>a <think>b</think> c</think>2", "thinking holds the control word '<think>'"),
    ],
)
def test_control_words_are_rejected_or_kept_by_the_setting(problem: str, reply: str, where: str) -> None:
    chat = [{"role": "user", "content": problem}, {"role": "assistant", "content": reply}]
    table = pa.table({"messages": [chat]})
    (item,) = items(table)
    assert isinstance(item.found, RowFault)
    assert (item.found.cause, item.found.remedy[:15]) == ("markup", "set markup=keep")
    assert where in item.found.message
    assert written(table, markup="keep", new=str(reply)) is not None
    (kept,) = items(table, markup="keep")
    assert isinstance(kept.found, Trace)


def test_mathematics_and_code_are_no_control_words() -> None:
    text = "<|x|> and a <|b|c|> d, List<s1>, <p>, [INSTANCE], x<s and y>t, <user>, |end|"
    row = {"problem": text, "reasoning": text, "response": text}
    (item,) = items(pa.Table.from_pylist([row]), "plain")
    assert isinstance(item.found, Trace)


def test_json_that_is_no_conversation_is_a_fault() -> None:
    table = pa.table({"messages": ["[1]", "{", '{"role": "user"}', "[]", None]})
    found = [item.found for item in items(table)]
    causes = [item.cause for item in found if isinstance(item, RowFault)]
    assert causes == ["wrong_type", "wrong_type", "wrong_type", "null_messages", "null_messages"]


@pytest.mark.parametrize("question", ["-", " ... ", "", None])
def test_without_a_question_there_is_no_chat_to_train_on(question: str | None) -> None:
    table = pa.table(
        {"problem": pa.array([question], pa.string()), "reasoning": [OLD], "response": ["It is 2."]}
    )
    assert written(table, "plain") == [None]


def in_parts(*texts: str) -> list[dict[str, Any]]:
    """Parts of a content: of thinking where the text begins with a hash."""
    return [
        {"type": "thinking", "thinking": text[1:], "text": None}
        if text.startswith("#")
        else {"type": "text", "text": text, "thinking": None}
        for text in texts
    ]


@pytest.mark.parametrize(
    ("content", "back"),
    [
        (
            "<think>a b</think>\nOne.\n<think> c d\n</think>\nTwo.",
            "<think>new</think>\nOne.\n<think> new\n</think>\nTwo.",
        ),
        (in_parts("#a b", "One.", "# c d\n", "Two."), in_parts("#new", "One.", "# new\n", "Two.")),
    ],
)
def test_every_block_of_a_reply_is_a_trace(content: object, back: object) -> None:
    user = "1 + 1?" if isinstance(content, str) else in_parts("1 + 1?")
    chat: list[dict[str, Any]] = [
        {"role": "user", "content": user},
        {"role": "assistant", "content": content},
    ]
    table = pa.table({"messages": [chat], "ground_truth": ["2"]})
    found = [item.found for item in items(table, turns="all")]
    assert [item.trace_id for item in found if isinstance(item, Trace)] == ["x#0/0", "x#0/1"]
    first, last = [item for item in found if isinstance(item, Trace)]
    assert (first.reasoning, (first.response or "").strip(), first.ground_truth) == ("a b", "One.", None)
    assert (last.reasoning, (last.response or "").strip(), last.ground_truth) == (" c d\n", "Two.", "2")
    assert last.problem == "1 + 1?\n\nassistant: One."
    assert written(table, new="new", turns="all") == [None, [chat[0], {**chat[1], "content": back}]]


def test_a_reply_that_mentions_its_tag_is_no_second_block() -> None:
    replies = ["<think>a</think>Write <think> first.", "<think>a</think>Write <think>so</think> first."]
    chats = [[USER, {"role": "assistant", "content": reply}] for reply in replies]
    found = [item.found for item in items(pa.table({"messages": chats}))]
    assert [item.cause for item in found if isinstance(item, RowFault)] == ["several_thinking"] * 2
