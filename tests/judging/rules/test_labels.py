"""Errors are located where arithmetic is false; the segments around an equation may explain it."""

from __future__ import annotations

import pytest

from dlcot_ray.core.arithmetic.alarms import find_errors


@pytest.mark.parametrize(
    ("segments", "alarms"),
    [
        (["We count the boxes.\n\n", "That is 6*9 = 55.\n\n"], 1),
        (["We count modulo 49.\n\n", "That is 6*9 = 5.\n\n"], 0),
        (["We count modulo 48.\n\n", "That is 6*9 = 5.\n\n"], 1),
        (["With c = 0:\n\n", "\\[\n3 + 4 = 12,\n\\]\n\n", "which is not true.\n\n"], 0),
        (["With c = 0:\n\n", "\\[\n3 + 4 = 12.\n\\]\n\n", "No, that is wrong.\n\n"], 1),
    ],
)
def test_a_neighbouring_segment_can_explain_an_equation(segments: list[str], alarms: int) -> None:
    offsets = [sum(map(len, segments[:i])) for i in range(len(segments) + 1)]
    found = find_errors("".join(segments), offsets, 0, len(segments))
    assert len(found) == alarms
