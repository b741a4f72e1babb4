"""Control words of chat templates are found in texts, and ordinary signs are none."""

from __future__ import annotations

import pytest

from dlcot_ray.core.markup import find_control_word


@pytest.mark.parametrize(
    "word",
    [
        "</think>", "[/THINK]", "<|im_end|>", "<|eot_id|>", "<|header_start|>", "<|tool_call_start|>", "<|eom|>",
        "<|startoftext|>", "<|START_ACTION|>", "<turn|>", "<|channel>", "<|tool_response>", "<｜User｜>",
        "<start_of_turn>", "<end_of_utterance>", "[INST]", "[gMASK]", "<<SYS>>", "</s>", "<eos>",
    ],
)  # fmt: skip
def test_a_word_of_a_template_is_found_where_it_stands(word: str) -> None:
    for text in (f"so {word} it is", f"so{word.lower()}", word):
        found = find_control_word(text)
        assert found is not None
        assert found.word.lower() == word.lower()
        assert found.offset == text.lower().index(word.lower())


@pytest.mark.parametrize(
    "text",
    [
        "for 0 < |x| < 1", "the mean <|x|> of x", "a <| b |> c", "if a<|b| and |c|>d", "x |> f", "List<Item>",
        "see [1] and [2]", "<b>bold</b>", "a <- b", "<|", "{x | x > 0}", "<s", "turn|>",
    ],
)  # fmt: skip
def test_signs_of_mathematics_and_programs_are_none(text: str) -> None:
    assert find_control_word(text) is None
