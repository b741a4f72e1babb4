from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dlcot_ray.errors import Cause
from dlcot_ray.inputs.replies.splitting import Refusal, SplitReply, split_reply

THINK = (("<think>", "</think>"), ("<|begin_of_thought|>", "<|end_of_thought|>"))
SOLUTION = (("<|begin_of_solution|>", "<|end_of_solution|>"),)


@pytest.mark.parametrize(
    ("text", "reasoning", "response"),
    [
        ("<think>\na\n</think>\n\nb", "\na\n", "\n\nb"),
        ("\n <think>a</think>", "a", ""),
        ("<think>a", "a", None),
        ("a</think>b", "a", "b"),
        ("<think>say <think> twice</think>b", "say <think> twice", "b"),
        ("<think>a</think>b </think> c", "a", "b </think> c"),
        ("a</think>so </think> it is", "a", "so </think> it is"),
        (
            "<|begin_of_thought|>\n\na <think> b\n\n<|end_of_thought|>\n\n"
            "<|begin_of_solution|>\ns\n<|end_of_solution|>",
            "\n\na <think> b\n\n",
            "\ns\n",
        ),
        ("<|begin_of_thought|>a<|end_of_thought|> <|begin_of_solution|>cut", "a", "cut"),
        ("<|begin_of_thought|>a<|end_of_thought|>bare", "a", "bare"),
        ("<think>a stray `</think>then `b", "a stray `", "then `b"),
        ("<think>a stray ` </think>`b", "a stray ` ", "`b"),
        ("<think>we write `</think>` and are cut", "we write `</think>` and are cut", None),
        ("<think>say `<think>x</think>` and are cut", "say `<think>x</think>` and are cut", None),
        ('<think time="3 s">a</think>b', "a", "b"),
        ("< Think >a</ THINK >b", "a", "b"),
        ("<think>a</thinking>b", "a", "b"),
        ("<think>a </thinking> c </thought>b", "a </thinking> c </thought>b", None),
        ("Sure!\n<thinking>a</thinking>b", "a", "b"),
        ("<scratchpad>\na\n</scratchpad>b", "\na\n", "b"),
        ("[reasoning]a[/reasoning]b", "a", "b"),
        ("<|cot|>a<|/cot|>b", "a", "b"),
        ("## Thinking\n\na\n\n## Final Response\n\nb", "\na\n", "\nb"),
        ("<|channel>thought\na\n<channel|>b", "a\n", "b"),
        ("Sure!\n<think>a", "a", None),
        ("<|start|>assistant<think>a", "a", None),
        ("a\n<thinking>b</thinking>\n</think>c", "a\n<thinking>b</thinking>\n", "c"),
    ],
)
def test_thinking_is_exactly_the_text_between_the_tags(
    text: str, reasoning: str, response: str | None
) -> None:
    assert split_reply(text, THINK, SOLUTION) == [SplitReply(reasoning, response)]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("just an answer", Cause.NO_THINKING),
        ("", Cause.NO_THINKING),
        ("Sure! <thought>a</thought>b", Cause.NO_THINKING),
        ("Sure!\n<thought>a", Cause.NO_THINKING),
        ("Write <think> in front of it.", Cause.NO_THINKING),
        ("## Thinking\n\nA walk through the steps.", Cause.NO_THINKING),
        ("<p>a</p>b", Cause.NO_THINKING),
        ("<thinking about it>a", Cause.NO_THINKING),
        ("<think>a</think>b<think>c</think>d", Cause.SEVERAL_THINKING),
        ("<think>a</think>b<think>cut", Cause.SEVERAL_THINKING),
        ("a</think>b<think>c</think>", Cause.SEVERAL_THINKING),
    ],
)
def test_replies_that_cannot_be_split_are_refused(text: str, cause: Cause) -> None:
    found = split_reply(text, THINK, SOLUTION)
    assert isinstance(found, Refusal)
    assert found.cause is cause


@given(st.text(), st.text())
@example("a`", "b`")
def test_no_character_is_lost(reasoning: str, response: str) -> None:
    tags = [tag for pair in THINK + SOLUTION for tag in pair]
    if any(tag in reasoning + response for tag in tags):
        return
    found = split_reply(f"<think>{reasoning}</think>{response}", THINK, SOLUTION)
    assert found == [SplitReply(reasoning, response)]


def test_each_block_is_a_thinking_of_its_own() -> None:
    text = "Hi.<think>a</think>\nI look.\n<think>\n</think>\n<think><think>b</think>\n<answer>c</answer>"
    first, last = split(text)
    assert (first, last) == (SplitReply("a", "\nI look.\n"), SplitReply("b", "c"))
    assert [text[item.start : item.stop] for item in (first, last)] == ["a", "b"]
    assert (first.before, last.before) == ("Hi.", "\n")
    assert first.visible == last.visible == "Hi.\nI look.\n\n\nc"
    assert (first.goes_on, last.goes_on) == (True, False)


def test_only_empty_blocks_are_one_without_thinking() -> None:
    assert split("<think></think>\n<think> </think>b") == [SplitReply("", "\n")]


def test_many_blocks_and_tags_cost_time_in_proportion() -> None:
    blocks = "<think>a</think>\n" * 4_000
    assert len(split(blocks)) == 4_000
    assert isinstance(split_reply("<think>\n<think></think>\n" * 4_000), Refusal | list)


def split(text: str) -> list[SplitReply]:
    found = split_reply(text, THINK, SOLUTION)
    assert not isinstance(found, Refusal)
    return list(found)
