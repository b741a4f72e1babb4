"""Cues match the wording of every family of teachers, and not its look-alikes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.judging.rules import cues


@pytest.mark.parametrize(
    "segment",
    [
        "Wait, but to cross-verify: is 11 prime?",
        "Let me double-check that.",
        "We can verify by substitution.",
        "To be sure, let's plug it back in.",
        "Wait, let me check n = 3 again.",
    ],
)
def test_openings_of_a_check(segment: str) -> None:
    assert cues.VERIFY.match(segment)


@pytest.mark.parametrize(
    "segment", ["The answer is 12.", "So the chessboard has 64 squares.", "Let x be even."]
)
def test_segments_that_open_no_check(segment: str) -> None:
    assert not cues.VERIFY.match(segment)


@pytest.mark.parametrize(
    "segment",
    ["Let me try another way.", "Alternatively, a different approach: count pairs.", "We can start over."],
)
def test_announcements_of_another_approach(segment: str) -> None:
    assert cues.announces_approach(segment)


WORDS = [
    "another",
    "way",
    "new",
    "idea",
    "start",
    "over",
    "from",
    "scratch",
    "the",
    "answer",
    "is",
    "WAY",
    "4",
]


@given(st.lists(st.sampled_from(WORDS)))
def test_the_word_test_before_the_pattern_never_hides_a_match(words: list[str]) -> None:
    segment = " ".join(words)
    assert cues.announces_approach(segment) == (cues.NEW_APPROACH.match(segment) is not None)
