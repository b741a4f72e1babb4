"""How sure the model is of a structure, and how its figures are made to mean shares of right answers.

In: the best path and the probability of each state. Out: two confidences, 0..1. Raw ones are expected shares
by the model's own probabilities, which are too sure of themselves. A calibration moves their log-odds by a
slope and a shift that are fitted on traces that the weights never saw (Platt 1999).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dlcot_ray.judging.learned.arrays import Floats
from dlcot_ray.judging.learned.states import APPROACH, COUNT, SECTION_OF

_LEAST = 1e-3
_STEPS = 50
_HOLD = 1.0
"""Weight, in traces, of the calibration that changes nothing."""


def raw_confidences(path: Sequence[int], chances: Floats, offsets: Sequence[int]) -> tuple[float, float]:
    """The expected share of characters in the right section, and of openings that are right within one."""
    return _of_sections(path, chances, offsets), _of_openings(path, chances)


def _of_sections(path: Sequence[int], chances: Floats, offsets: Sequence[int]) -> float:
    right = [
        sum(chances[i, state] for state in range(COUNT) if SECTION_OF[state] is SECTION_OF[now])
        for i, now in enumerate(path)
    ]
    return float(np.average(right, weights=np.diff(offsets)))


def _of_openings(path: Sequence[int], chances: Floats) -> float:
    openings = [i for i, state in enumerate(path) if state == APPROACH]
    near = [min(1.0, float(chances[max(0, i - 1) : i + 2, APPROACH].sum())) for i in openings]
    return float(np.mean(near)) if near else 1.0


def shares_right(found: Sequence[int], read: Sequence[int], offsets: Sequence[int]) -> tuple[float, float]:
    """What the confidences ought to have been for a path, by a reader's path of the same segments."""
    same = [SECTION_OF[one] is SECTION_OF[other] for one, other in zip(found, read, strict=True)]
    openings = [i for i, state in enumerate(found) if state == APPROACH]
    hits = [APPROACH in read[max(0, i - 1) : i + 2] for i in openings]
    lengths = np.diff(offsets)[: len(found)]
    return float(np.average(same, weights=lengths)), float(np.mean(hits)) if hits else 1.0


def calibrated(confidence: float, line: Floats) -> float:
    """A confidence after its log-odds are moved by ``(slope, shift)``."""
    return float(_share(line[0] * _odds(np.array(confidence)) + line[1]))


def calibrated_odds(odds: Floats, line: Floats) -> Floats:
    """Chances from log-odds that are moved by ``(slope, shift)``."""
    return _share(line[0] * odds + line[1])


def fit_line(confidences: Sequence[float], shares: Sequence[float]) -> Floats:
    """The slope and shift that make the confidences likeliest, by Newton's method on the log-loss."""
    odds = _odds(np.asarray(confidences, float))
    wanted = np.asarray(shares, float)
    rows = np.stack([odds, np.ones_like(odds)], axis=1)
    start = np.array([1.0, 0.0])
    line = start.copy()
    for _ in range(_STEPS):
        now = _share(rows @ line)
        slope = rows.T @ (now - wanted) + _HOLD * (line - start)
        bend = (rows * (now * (1 - now))[:, None]).T @ rows + _HOLD * np.eye(2)
        step = np.linalg.solve(bend, slope)
        line -= np.clip(step, -1.0, 1.0)
    return line


def _odds(share: Floats) -> Floats:
    inside = np.clip(share, _LEAST, 1 - _LEAST)
    return np.asarray(np.log(inside / (1 - inside)))


def _share(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)))
