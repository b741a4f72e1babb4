"""Units are lossless, never blank, and never cut code or display formulas."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.segments import LONG_PARAGRAPH, split_units, unit_texts

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


@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=40)), max_size=60).map("".join)))
def test_any_text_is_rebuilt_from_its_units(text: str) -> None:
    units = unit_texts(text, split_units(text))
    assert "".join(units) == text
    assert all(unit for unit in units)
    if not text.isspace():
        assert not any(unit.isspace() for unit in units)


def test_every_real_trace_is_rebuilt_from_its_units(shared_data: Path) -> None:
    count = 0
    for shard in sorted((shared_data / "traces").glob("*.parquet")):
        for reasoning in pl.read_parquet(shard)["reasoning"]:
            units = unit_texts(reasoning, split_units(reasoning))
            assert "".join(units) == reasoning
            assert all(unit.strip() for unit in units)
            count += 1
    assert count == 2560


@pytest.mark.parametrize("block", ["```python\na = 1\n\nb = 2\n```", "$$a\n\n= b$$", "\\[\na\n\n= b\n\\]"])
def test_code_and_display_formulas_stay_whole(block: str) -> None:
    text = f"Before.\n\n{block}\n\nAfter."
    units = unit_texts(text, split_units(text))
    assert sum(block in unit for unit in units) == 1
    assert len(units) == 3


def test_a_long_paragraph_is_cut_at_sentence_ends() -> None:
    text = "This sentence is here to make a paragraph long. " * 40
    units = unit_texts(text, split_units(text))
    assert len(units) > 1
    assert all(unit.endswith(". ") and len(unit) <= LONG_PARAGRAPH for unit in units)


def test_empty_text_has_no_unit() -> None:
    assert split_units("") == (0,)
