"""Segments are lossless, never blank, and never cut code or display formulas."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.segments import LONG_PARAGRAPH, segment_texts, split_segments

PIECES = st.sampled_from(
    [
        "\n\n",
        "\n",
        " ",
        "Wait. ",
        "```py\nx = 1\n\ny = 2\n```\n",
        "$$a\n\n= b$$",
        "\\[x\n\n\\]",
        "$$",
        "```",
        "𝒳é\u2028",
    ]
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=40)), max_size=60).map("".join)))
def test_any_text_is_rebuilt_from_its_segments(text: str) -> None:
    segments = segment_texts(text, split_segments(text))
    assert "".join(segments) == text
    assert all(segment for segment in segments)
    if not text.isspace():
        assert not any(segment.isspace() for segment in segments)


def test_every_real_trace_is_rebuilt_from_its_segments(shared_data: Path) -> None:
    count = 0
    for shard in sorted((shared_data / "traces").glob("*.parquet")):
        for reasoning in pl.read_parquet(shard)["reasoning"]:
            segments = segment_texts(reasoning, split_segments(reasoning))
            assert "".join(segments) == reasoning
            assert all(segment.strip() for segment in segments)
            count += 1
    assert count == 2560


@pytest.mark.parametrize("block", ["```python\na = 1\n\nb = 2\n```", "$$a\n\n= b$$", "\\[\na\n\n= b\n\\]"])
def test_code_and_display_formulas_stay_whole(block: str) -> None:
    text = f"Before.\n\n{block}\n\nAfter."
    segments = segment_texts(text, split_segments(text))
    assert sum(block in segment for segment in segments) == 1
    assert len(segments) == 3


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    text = "This sentence is here to make a paragraph long. " * 40
    segments = segment_texts(text, split_segments(text))
    assert len(segments) > 1
    assert all(segment.endswith(". ") and len(segment) <= LONG_PARAGRAPH for segment in segments)


def test_a_long_chinese_paragraph_is_cut_at_its_sentence_ends() -> None:
    sentence = "我们把六行每行七个梨全部加起来，一共得到四十二个梨。"
    text = sentence * 30 + "“真的吗？”他问。" + sentence * 10
    segments = segment_texts(text, split_segments(text))
    assert len(segments) > 5
    assert all(segment.endswith("。") and len(segment) <= LONG_PARAGRAPH // 2 for segment in segments)


def test_empty_text_has_no_segment() -> None:
    assert split_segments("") == (0,)
