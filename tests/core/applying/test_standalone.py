"""A check that speaks of another one, or of another solution, cannot stay without it."""

from __future__ import annotations

import pytest

from dlcot_ray.core.applying.standalone import speaks_of_another, stands_alone


@pytest.mark.parametrize(
    ("opening", "of_another"),
    [
        ("Another check at t = 2: both sides are 42.", True),
        ("Let's do one more example: 3 rows of 14 are 42.", True),
        ("A second test gives 42 as well.", True),
        ("Let me check the first approach again: 6 times 7 is 42.", True),
        ("Let me check that with t = 2: both sides are 42.", False),
        ("Let me verify it: 42 / 6 = 7. Another row would be too much.", False),
    ],
)
def test_the_opening_tells_whether_a_check_speaks_of_another(opening: str, of_another: bool) -> None:
    assert speaks_of_another(opening) is of_another
    if of_another:
        assert not stands_alone(opening)
