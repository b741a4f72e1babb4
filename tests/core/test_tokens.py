"""The token estimate counts what it says, for any Unicode."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.tokens import estimate_tokens

PIECE = re.compile(r"[A-Za-z]+|\d|[^\sA-Za-z\d]+|\n+")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("Let x = 12.", 6), ("a\n\nb", 3), ("n⁴ ≡ −1", 5), ("１２\u202f3", 3), ("\ud800 a", 2)],
)
def test_pieces_are_counted(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


@given(
    st.text(
        alphabet=st.one_of(
            st.characters(codec="utf-8"), st.sampled_from("ab1 \n\r\t\x1c=−１\u00a0\u202f\u0661é")
        )
    )
)
def test_counts_are_those_of_the_pattern(text: str) -> None:
    assert estimate_tokens(text) == len(PIECE.findall(text))
