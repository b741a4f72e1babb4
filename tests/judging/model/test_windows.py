"""Windows: every segment shown, owned once, within the budget; the walk always ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.judging.model.windows import chosen_segments, shortened, split_windows

costs = st.lists(st.integers(1, 400), max_size=120)


@given(costs, st.integers(1, 1500))
def test_each_segment_is_owned_by_one_window_that_shows_it(segments: list[int], budget: int) -> None:
    windows = split_windows(segments, budget)
    owned = [segment for window in windows for segment in range(window.own_start, window.own_stop)]
    assert owned == list(range(len(segments)))
    for window in windows:
        assert window.start <= window.own_start < window.own_stop <= window.stop
        shown = sum(segments[window.start : window.stop])
        assert shown <= budget or window.stop - window.start == 1


@given(costs)
def test_what_fits_is_one_window(segments: list[int]) -> None:
    assert len(split_windows(segments, sum(segments))) == bool(segments)


def test_neighbours_overlap() -> None:
    first, second, *_ = split_windows([10] * 100, 200)
    assert (first.start, first.stop) == (0, 20)
    assert second.start == 18
    assert first.own_stop == second.own_start == 19


@given(st.text(max_size=300), st.integers(2, 200))
def test_a_shortened_text_keeps_both_ends(text: str, limit: int) -> None:
    short = shortened(text, limit)
    if len(text) <= limit:
        assert short == text
    else:
        assert short.startswith(text[: limit // 2])
        assert short.endswith(text[-(limit // 2) :])
        assert "characters not shown" in short


@given(st.lists(st.integers(1, 50), min_size=30, max_size=30), st.integers(0, 800))
def test_chosen_segments_come_from_the_ranges_within_budget(segments: list[int], budget: int) -> None:
    spans = [(0, 4), (6, 20), (25, 30)]
    chosen = chosen_segments(spans, segments, budget)
    assert sum(segments[segment] for segment in chosen) <= budget
    assert all(any(a <= segment < b for a, b in spans) for segment in chosen)
    if budget >= sum(segments):
        assert len(chosen) == 23
