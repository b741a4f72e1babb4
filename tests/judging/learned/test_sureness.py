"""How sure the model is: raw figures by its probabilities, and a calibration that makes them shares."""

from __future__ import annotations

import numpy as np
import pytest

from dlcot_ray.judging.learned.states import APPROACH, CHECK, LOOK, TASK, WORK
from dlcot_ray.judging.learned.sureness import calibrated, fit_line, raw_confidences, shares_right


def test_raw_figures_are_expected_shares() -> None:
    path = [TASK, APPROACH, WORK, CHECK]
    chances = np.full((4, 7), 0.0)
    chances[range(4), path] = 0.6
    chances[2, APPROACH] = 0.4
    sections, openings = raw_confidences(path, chances, (0, 10, 20, 30, 60))
    assert sections == pytest.approx((10 * 0.6 + 10 * 0.6 + 10 * 1.0 + 30 * 0.6) / 60)
    assert openings == pytest.approx(1.0)


def test_shares_that_are_right_are_by_characters_and_openings() -> None:
    found, read = [TASK, APPROACH, WORK, CHECK], [TASK, TASK, APPROACH, LOOK]
    assert shares_right(found, read, (0, 10, 20, 30, 60)) == pytest.approx((50 / 60, 1.0))
    assert shares_right([TASK, TASK, TASK, APPROACH], read, (0, 1, 2, 3, 4))[1] == 1.0
    assert shares_right([APPROACH, WORK, WORK, WORK], [TASK, TASK, TASK, APPROACH], (0, 1, 2, 3, 4))[1] == 0.0


def test_a_calibration_pulls_overconfidence_down() -> None:
    rng = np.random.default_rng(1)
    sure = rng.uniform(0.5, 0.99, 500)
    right = (rng.random(500) < 0.5 + (sure - 0.5) / 2).astype(float)
    line = fit_line(sure.tolist(), right.tolist())
    after = np.array([calibrated(value, line) for value in sure])
    assert abs(after.mean() - right.mean()) < 0.02
    assert calibrated(0.95, line) < 0.85
    assert calibrated(0.6, line) < calibrated(0.9, line)


def test_without_cases_to_speak_of_nothing_changes() -> None:
    line = fit_line([0.5], [0.5])
    assert calibrated(0.8, line) == pytest.approx(0.8, abs=0.01)
