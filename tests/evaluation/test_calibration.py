"""Reliability and the share that a cascade sends, on cases whose figures can be seen."""

from __future__ import annotations

import math

import pytest

from dlcot_ray.evaluation.calibration import calibration_error, reliability, sent, share_curve
from dlcot_ray.evaluation.scores import Graded

CASES = [
    *(Graded(f"sure{i}", 0.9, 0.9, 1.0) for i in range(6)),
    *(Graded(f"unsure{i}", 0.5, 0.4, float(i < 1)) for i in range(4)),
]


def test_reliability_by_bins() -> None:
    low, high = reliability(CASES)
    assert low == {"cases": 4, "confidence": 0.5, "right": 0.25}
    assert high["cases"] == 6
    assert [high["confidence"], high["right"]] == pytest.approx([0.9, 1.0])
    assert calibration_error(CASES) == pytest.approx((4 * 0.25 + 6 * 0.1) / 10)
    assert math.isnan(calibration_error([]))


def test_the_least_confident_are_sent_first_and_ties_are_cut_by_id() -> None:
    assert [c.case for c in sent(CASES, 0.3)] == ["unsure0", "unsure1", "unsure2"]
    assert sent(list(reversed(CASES)), 0.3) == sent(CASES, 0.3)


def test_the_curve_over_the_share_sent_to_a_second_judge() -> None:
    perfect = {case.case: 1.0 for case in CASES}
    none, some, everything = share_curve(CASES, (0.25, 0.5), perfect, (0.0, 0.4, 1.0))
    assert none["0.5"] == none["oracle"] == pytest.approx(0.7)
    assert math.isnan(none["break_even"])
    # On the four that are sent the first judge is right once: a judge of 0.25 changes nothing.
    assert some["break_even"] == pytest.approx(0.25)
    assert some["0.25"] == pytest.approx(0.7)
    assert some["0.5"] == pytest.approx(0.8)
    assert some["second"] == some["oracle"] == pytest.approx(1.0)
    # Drawn by lot, the share would be as good as all cases are.
    assert some["at_random"] == everything["break_even"] == pytest.approx(0.7)
    assert everything["0.5"] == pytest.approx(0.5)
