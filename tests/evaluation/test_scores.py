"""Figures from tallies: sums, intervals, groups."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dlcot_ray.evaluation.metrics.agreement import ratio
from dlcot_ray.evaluation.scores import BadCase, Measure, summarise, worst_first

SHARE = Measure("share", lambda s: ratio(s["hit"], s["case"]))
COINS = [{"case": 1.0, "hit": float(i % 4 == 0)} for i in range(400)]


def test_a_figure_and_its_interval() -> None:
    (share,) = summarise("x", COINS, [SHARE]).metrics
    assert share.value == pytest.approx(0.25)
    # Normal approximation: 0.25 +- 1.96 * sqrt(0.25 * 0.75 / 400) = 0.208 .. 0.292.
    assert share.low == pytest.approx(0.208, abs=0.01)
    assert share.high == pytest.approx(0.292, abs=0.01)


def test_intervals_are_repeatable_and_depend_on_the_seed() -> None:
    assert summarise("x", COINS, [SHARE], seed=1) == summarise("x", COINS, [SHARE], seed=1)
    assert summarise("x", COINS, [SHARE], seed=1) != summarise("x", COINS, [SHARE], seed=2)


def test_cases_of_a_group_are_drawn_together() -> None:
    alone = summarise("x", COINS, [SHARE]).metrics[0]
    groups = [index % 8 for index in range(len(COINS))]
    together = summarise("x", COINS, [SHARE], groups=groups).metrics[0]
    assert together.value == alone.value
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_without_cases_or_rounds_there_is_no_interval() -> None:
    (none,) = summarise("x", [], [SHARE]).metrics
    assert str(none) == "-"
    (bare,) = summarise("x", COINS, [SHARE], rounds=0).metrics
    assert math.isnan(bare.low)
    assert str(bare) == "0.250"


def test_a_count_that_no_case_has_is_zero() -> None:
    other = Measure("other", lambda s: s["never"] + np.ones(1))
    assert summarise("x", COINS, [other], rounds=0).metrics[0].value == 1


def test_the_worst_cases_come_first_and_right_ones_are_left_out() -> None:
    bad = [
        BadCase("b", 1, 0, 1, ""),
        BadCase("a", 1, 0, 1, ""),
        BadCase("c", 0, 0, 1, ""),
        BadCase("d", 2, 0, 1, ""),
    ]
    assert [b.case for b in worst_first(bad)] == ["d", "a", "b"]
