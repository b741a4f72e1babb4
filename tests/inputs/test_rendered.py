"""Dropped thinking is found again in what chat templates of several families make of a conversation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from dlcot_ray.inputs.conversations.rendered import masked_ranges

# Each in the manner of a family, shortened: as it stands, with the thinking split off and put back, with a field
# and channels, and without the thinking.
AS_IT_STANDS = (
    "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>\n\n{{ m.content | trim }}<|eot_id|>"
    "{% endfor %}"
)
SPLIT = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if '</think>' in m.content %}<think>\n"
    "{{ m.content.split('</think>')[0].split('<think>')[-1].strip('\\n') }}\n</think>\n\n"
    "{{ m.content.split('</think>')[-1].lstrip('\\n') }}{% else %}{{ m.content }}{% endif %}<|im_end|>\n"
    "{% endfor %}"
)
CHANNELS = (
    "{% for m in messages %}{% if m.thinking %}<|start|>{{ m.role }}<|channel|>analysis<|message|>{{ m.thinking }}"
    "<|end|>{% endif %}<|start|>{{ m.role }}<|channel|>final<|message|>{{ m.content }}<|end|>{% endfor %}"
)
WITHOUT = "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}{% endfor %}"

DROPPED = "Then I add again."
THOUGHT = f"\nFirst I add.\n\n {DROPPED}\n\nSo 2.\n"
USER = {"role": "user", "content": f"1 + 1? It is 2. {DROPPED}"}
TAGGED = [USER, {"role": "assistant", "content": f"<think>{THOUGHT}</think>It is 2."}]
FIELD = [USER, {"role": "assistant", "thinking": THOUGHT, "content": "It is 2."}]


def rendered(template: str, messages: list[dict[str, Any]]) -> str:
    bare = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bare, unk_token="[UNK]", chat_template=template)
    text: str = tokenizer.apply_chat_template(messages, tokenize=False)
    return text


def spans(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All that the assistant says but what is dropped."""
    found = []
    for at, turn in enumerate(messages):
        if turn["role"] != "assistant":
            continue
        for field in ("thinking", "content"):
            text = turn.get(field, "")
            start = text.find(DROPPED)
            cuts = [0, start, start + len(DROPPED), len(text)] if start >= 0 else [0, len(text)]
            found += [
                {"turn": at, "field": field, "start": low, "stop": high}
                for low, high in zip(cuts[::2], cuts[1::2], strict=True)
                if low < high
            ]
    return found


@pytest.mark.parametrize(
    ("template", "messages"), [(AS_IT_STANDS, TAGGED), (SPLIT, TAGGED), (CHANNELS, TAGGED), (CHANNELS, FIELD)]
)
def test_only_the_dropped_thinking_is_masked(template: str, messages: list[dict[str, Any]]) -> None:
    for turns in (messages, [*messages, *messages]):
        text = rendered(template, turns)
        for cell in (turns, json.dumps(turns)):
            found = masked_ranges(text, cell, spans(turns))
            assert [text[start:stop] for start, stop in found] == [DROPPED] * (len(turns) // 2)
            # The user's own words are the same; they are not what is masked.
            assert all(DROPPED in text[:start] for start, _ in found)


@pytest.mark.parametrize(("template", "messages"), [(WITHOUT, TAGGED), (SPLIT, FIELD)])
def test_a_template_that_leaves_thinking_out_is_an_error(
    template: str, messages: list[dict[str, Any]]
) -> None:
    with pytest.raises(ValueError, match="of turn 1 as it is: use a template for training"):
        masked_ranges(rendered(template, messages), messages, spans(messages))


def test_nothing_is_masked_where_nothing_was_dropped() -> None:
    whole = [{"turn": 1, "field": "content", "start": 0, "stop": len(TAGGED[1]["content"])}]
    assert masked_ranges(rendered(SPLIT, TAGGED), TAGGED, whole) == []
