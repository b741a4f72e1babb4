"""The whole conversation stays, and the spans leave out just what the policy drops."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.choices import Choices
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.conversations.homes import messages_type
from dlcot_ray.inputs.conversations.loss_spans import Maskable, Masked, unit_masks
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import traces_of
from tests.inputs.test_conversations import CHATS, OLD, USER

DROPPED = "Then I add again."


def masked(table: pa.Table, preset: str = "messages", **choices: str) -> list[Masked | None]:
    """What becomes of a table when the second paragraph of every thinking is dropped."""
    columns = resolve_columns(load_preset(preset, Choices.of(choices)), table.schema, "in/x")
    found = traces_of(table, columns, file="in/x", first_row=0, shard_name="x")
    traces = []
    for item in found:
        assert isinstance(item.found, Trace)
        assert item.home is not None
        start = item.found.reasoning.index(DROPPED)
        gone = [(start, start + len(DROPPED))]
        traces.append(Maskable(item.slot.row, item.home, item.found.reasoning, gone))
    made = unit_masks(traces, columns)
    pa.array([mask.messages for mask in made if mask is not None], messages_type(columns))
    return made


def learnt(mask: Masked) -> str:
    """The texts at the spans, joined."""
    whole = json.loads(mask.messages) if isinstance(mask.messages, str) else mask.messages
    found = []
    for span in mask.spans:
        value: Any = whole[span.turn]
        for step in span.field.split("."):
            value = value[int(step)] if step.isdigit() else value[step]
        found.append(value[span.start : span.stop])
    return "".join(found)


def replies(turns: list[dict[str, Any]]) -> str:
    """All texts of the assistant in order, its thinking included."""
    found = []
    for turn in turns:
        if turn["role"].lower() in ("assistant", "reasoning", "model", "function_call"):
            content = turn["content"]
            parts = content if isinstance(content, list) else [{"text": content}]
            fields = [turn.get(key) for key in ("reasoning_content", "thinking")]
            fields += [block["text"] for block in turn.get("reasoning_details") or ()]
            found += [*fields, *(part.get("thinking") or part.get("text") for part in parts)]
    return "".join(text for text in found if text)


@pytest.mark.parametrize("kind", CHATS)
def test_a_conversation_stays_whole_and_the_spans_leave_out_what_is_dropped(kind: str) -> None:
    turns, _ = CHATS[kind]
    for cell in (turns, json.dumps(turns)):
        (mask,) = masked(pa.table({"messages": [cell]}))
        assert mask is not None
        whole = json.loads(mask.messages) if isinstance(mask.messages, str) else mask.messages
        stored = turns if isinstance(cell, str) else pa.table({"messages": [cell]})["messages"][0].as_py()
        assert whole == stored
        assert learnt(mask) == replies(turns).replace(DROPPED, "")


def test_a_layout_of_columns_becomes_a_chat_with_the_whole_thinking() -> None:
    rows = pa.table({"problem": ["1 + 1?"], "reasoning": [OLD], "response": [" It is 2. "], "answer": ["2"]})
    (mask,) = masked(rows, "plain")
    assert mask is not None
    content = "<think>\nFirst I add.\n\nThen I add again.\n</think>\n\n It is 2. "
    assert mask.messages == [USER, {"role": "assistant", "content": content}]
    assert learnt(mask) == content.replace(DROPPED, "")


def test_a_reply_with_its_tags_stays_as_it_was_behind_a_system_prompt() -> None:
    reply = f"<think>{OLD}</think>2"
    (mask,) = masked(pa.table({"prompt": ["1 + 1?"], "completion": [reply]}), "completion")
    assert mask is not None
    assert learnt(mask) == reply.replace(DROPPED, "")
    chat = [{"role": "user", "content": "1 + 1?"}, {"role": "assistant", "content": reply}]
    (mask,) = masked(pa.table({"system": ["Be brief."], "messages": [chat]}))
    assert mask is not None
    assert [span.turn for span in mask.spans] == [2, 2]
    assert learnt(mask) == reply.replace(DROPPED, "")


def test_several_turns_share_one_conversation_and_earlier_replies_count() -> None:
    reply = {"role": "assistant", "content": f"<think>{OLD}</think>2"}
    table = pa.table({"messages": [[USER, reply, USER, reply]]})
    first, last = masked(table, turns="all")
    assert first is None
    assert last is not None
    assert learnt(last) == reply["content"].replace(DROPPED, "") * 2
    (only,) = masked(table)
    assert only is not None
    assert learnt(only) == reply["content"] + reply["content"].replace(DROPPED, "")


def test_without_a_visible_reply_there_is_nothing_to_train_on() -> None:
    assert masked(pa.table({"problem": ["1 + 1?"], "reasoning": [OLD], "answer": ["2"]}), "plain") == [None]
