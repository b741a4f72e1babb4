"""Signs of a segment."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.judging.learned.signs import NEEDS, OPENING_CHARS, PATTERNS, SIGNS, signs_of


@pytest.mark.parametrize(
    ("segment", "shown", "not_shown"),
    [
        (
            "Let me double-check that. 3 * 4 is 12, correct.",
            {"check", "agreement", "operation"},
            {"alternatively"},
        ),
        (
            "Alternatively, I could use a different method.",
            {"alternatively", "other way"},
            {"check", "concludes"},
        ),
        ("Wait, that can't be right, the sum doesn't match.", {"reconsider", "fault"}, {"first"}),
        ("Therefore, the answer is 12.", {"concludes", "answer", "result", "ending"}, {"names"}),
        ("Let x be the price of one pen.", {"names", "sets up"}, {"check", "operation"}),
        ("First, let's list what the problem gives us.", {"first", "given", "calculates"}, {"reconsider"}),
        ("", set(), set(SIGNS)),
    ],
)
def test_a_segment_shows_its_signs(segment: str, shown: set[str], not_shown: set[str]) -> None:
    found = {name for name, shows in zip(SIGNS, signs_of(segment), strict=True) if shows}
    assert shown <= found
    assert not found & not_shown


def test_case_does_not_matter() -> None:
    text = "Hold on. Let me Verify whether C(5, 2) = 10."
    assert signs_of(text) == signs_of(text.upper())


def test_another_way_is_announced_at_the_start() -> None:
    late = "x" * OPENING_CHARS + " and there is another way to see this."
    assert not signs_of(late)[SIGNS.index("other way")]


@pytest.mark.parametrize("name", NEEDS)
def test_no_text_that_matches_a_pattern_lacks_the_words_that_are_looked_up(name: str) -> None:
    pattern = dict(PATTERNS)[name]

    @given(text=st.from_regex(re.compile(pattern.pattern, re.ASCII)))
    @settings(max_examples=40, deadline=None)
    def shows(text: str) -> None:
        stop = OPENING_CHARS if name == "other way" else len(text)
        if text == text.lower() and pattern.search(text, 0, stop):
            assert signs_of(text)[SIGNS.index(name)]

    shows()
