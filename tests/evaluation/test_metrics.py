"""Metric functions against values worked out by hand and published, and what must hold for any input."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.evaluation.metrics.agreement import (
    accuracy,
    class_f1,
    cohen_kappa,
    harmonic_mean,
    one_against_rest,
)
from dlcot_ray.evaluation.metrics.boundaries import matched, p_k, window_diff, window_size
from dlcot_ray.evaluation.metrics.partitions import PairCounts, pair_counts, v_measure
from dlcot_ray.evaluation.metrics.recompute import is_false, is_whole

LEAN = settings(deadline=None, max_examples=60)
labels = st.lists(st.integers(0, 3), min_size=1, max_size=30)


def test_kappa_of_a_textbook_table() -> None:
    # 50 grant proposals by two readers: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no: kappa 0.4.
    table = np.array([[20.0, 5.0], [10.0, 15.0]])
    assert accuracy(table) == pytest.approx(0.7)
    assert cohen_kappa(table) == pytest.approx(0.4)
    assert class_f1(table, 0) == pytest.approx(2 * 20 / (25 + 30))


def test_kappa_is_zero_for_a_single_class_and_undefined_without_items() -> None:
    assert cohen_kappa(np.array([[80.0, 0.0], [20.0, 0.0]])) == pytest.approx(0)
    assert math.isnan(cohen_kappa(np.zeros((2, 2))))


@LEAN
@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=3, max_size=3))
def test_kappa_is_symmetric_and_bounded(rows: list[list[int]]) -> None:
    table = np.array(rows, float)
    kappa = cohen_kappa(table)
    assert np.array_equal(kappa, cohen_kappa(table.T), equal_nan=True)
    assert math.isnan(kappa) or -1 - 1e-9 <= kappa <= 1 + 1e-9
    for index in range(3):
        assert one_against_rest(table, index).sum() == table.sum()


def test_a_stack_of_tables_gives_a_stack_of_figures() -> None:
    tables = np.array([[[20.0, 5.0], [10.0, 15.0]], [[1.0, 0.0], [0.0, 1.0]]])
    assert cohen_kappa(tables) == pytest.approx([0.4, 1.0])
    assert cohen_kappa(one_against_rest(tables, 1)) == pytest.approx([0.4, 1.0])


@pytest.mark.parametrize(("a", "b", "mean"), [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.5, 1.0, 2 / 3)])
def test_harmonic_mean(a: float, b: float, mean: float) -> None:
    assert harmonic_mean(np.array(a), np.array(b)) == pytest.approx(mean)


def test_boundaries_are_paired_one_to_one_within_the_tolerance() -> None:
    assert matched([10, 20, 30], [11, 19, 40], 3) == 2
    assert matched([10], [8, 9, 10, 11], 3) == 1
    assert matched([10, 12], [11], 3) == 1
    # The first prediction fits both; taking the nearest one for each would leave the second alone.
    assert matched([10, 13], [11, 16], 3) == 2


@LEAN
@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(0, 5))
def test_pairing_is_optimal(one: set[int], other: set[int], tolerance: int) -> None:
    a, b = sorted(one), sorted(other)
    assert matched(a, b, tolerance) == matched(b, a, tolerance) == _best(a, b, tolerance)


def _best(a: Sequence[int], b: Sequence[int], tolerance: int) -> int:
    """The largest order-preserving pairing, by dynamic programming."""
    table = np.zeros((len(a) + 1, len(b) + 1), int)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            both = table[i, j] + 1 if abs(x - y) <= tolerance else 0
            table[i + 1, j + 1] = max(table[i, j + 1], table[i + 1, j], both)
    return int(table[-1, -1])


def test_windowed_measures_of_a_worked_example() -> None:
    # Twelve items in three fours, k = 2. Windows (i, i+2), i = 0..9; a missed boundary spoils two of them.
    assert window_size([4, 8], 12) == 2
    assert window_diff([4, 8], [4, 8], 12) == p_k([4, 8], [4, 8], 12) == (0, 10)
    assert window_diff([4, 8], [4], 12) == p_k([4, 8], [4], 12) == (2, 10)
    # A near miss spoils one window on either side of it.
    assert window_diff([4, 8], [4, 9], 12) == (2, 10)
    # Two boundaries where there should be one: WindowDiff sees it, Pk does not (Pevzner and Hearst).
    assert window_diff([4, 8], [4, 5, 8], 12) == (2, 10)
    assert p_k([4, 8], [4, 5, 8], 12) == (1, 10)


@LEAN
@given(st.integers(0, 40), st.data())
def test_windowed_measures_are_counts_of_windows(length: int, data: st.DataObject) -> None:
    places = st.sets(st.integers(1, max(1, length - 1))) if length > 1 else st.just(set[int]())
    one, other = (sorted(data.draw(places)) for _ in range(2))
    wrong, windows = window_diff(one, other, length)
    assert 0 <= p_k(one, other, length)[0] <= wrong <= windows
    assert window_diff(one, one, length)[0] == 0


@pytest.mark.parametrize(
    ("claim", "false"),
    [
        ("12*17 = 214", True),
        ("12*17 = 204", False),
        ("(-6 + 5 - 72) + (2 - 5) = (-67) + (-3)", True),
        ("2^10 = 1,024", False),
        ("3 × 4 = 13", True),
        ("200 / 7 = 28.57", False),
        ("10 / 4 = 2", False),
        ("10 / 4 = 4", True),
        ("3/36 = 1/9", True),
        ("x + 1 = 2", None),
        ("1 = 1 = 2", None),
        ("5 / 0 = 1", None),
        ("9**9**9 = 1", None),
        ("__import__('os') = 1", None),
        ("12", None),
    ],
)
def test_recomputed_arithmetic(claim: str, false: bool | None) -> None:
    assert is_false(claim) is false


@pytest.mark.parametrize(
    ("text", "whole"),
    [("So 3*4 = 13 here.", True), ("So 2 + 3*4 = 13 here.", False), ("So 3*4 = 13 * 2 here.", False)],
)
def test_a_recomputed_claim_must_not_be_cut_out(text: str, whole: bool) -> None:
    start = text.index("3*4")
    assert is_whole(text, start, start + len("3*4 = 13")) is whole


def test_v_measure_of_published_examples() -> None:
    # Values of scikit-learn's documentation for the same lists.
    assert v_measure([0, 0, 1, 1], [0, 0, 1, 2]) == pytest.approx((1.0, 2 / 3, 0.8))
    assert v_measure([0, 0, 1, 2], [0, 0, 1, 1]) == pytest.approx((2 / 3, 1.0, 0.8))
    assert v_measure([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2])[2] == pytest.approx(0.5158037)
    assert v_measure([0, 0, 1, 1], [0, 0, 0, 0]) == pytest.approx((0.0, 1.0, 0.0))


def test_pairs_of_a_worked_example() -> None:
    assert pair_counts("aabb", "xxxy") == PairCounts(1, 1, 2, 2)
    assert pair_counts("a", "x") == PairCounts(0, 0, 0, 0)


@LEAN
@given(labels, st.data())
def test_partitions_are_compared_without_group_names(one: list[int], data: st.DataObject) -> None:
    other = data.draw(st.lists(st.integers(0, 3), min_size=len(one), max_size=len(one)))
    renamed = ["wxyz"[label] for label in other]
    assert pair_counts(one, other) == pair_counts(one, renamed)
    v = v_measure(one, other)
    assert v == pytest.approx(v_measure(one, renamed))
    assert all(-1e-9 <= figure <= 1 + 1e-9 for figure in v)
    mirrored = v_measure(other, one)
    assert (v.homogeneity, v.completeness) == pytest.approx((mirrored.completeness, mirrored.homogeneity))
    assert v_measure(one, one).v == pytest.approx(1)
    assert sum(pair_counts(one, other)) == len(one) * (len(one) - 1) // 2
