"""How the time of a step grows with the length of its text.

`growth` times a step on a text and on longer ones, by the CPU time of this thread, because machines are busy. An
exponent of 1 is linear time, 2 is quadratic.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from tests.support.hostile import Flood

MOST = 1.3
"""The largest exponent of a step that counts as linear."""


class Growth(NamedTuple):
    """The exponent, and the seconds at the longest text that was tried."""

    exponent: float
    seconds: float


def growth(step: Callable[[str], object], flood: Flood, length: int, *, quick: float) -> Growth:
    """The exponent of a step between `length` and 4 times that; 1 where it is quick at `length`.

    Args:
        step: runs on a text.
        flood: makes the texts.
        length: characters of the shorter text.
        quick: seconds at `length` below which nothing longer is tried.
    """
    text = flood(length)
    short = _seconds(step, text)
    if short >= quick:
        short = _least(step, text, short)
    if short < quick:
        return Growth(1.0, short)
    longer = flood(4 * length)
    long = _seconds(step, longer)
    # A busy machine, or a collection of garbage, slows one run in a hundred: a step is steep if it always is.
    if math.log(long / short, 4) > MOST:
        long = _least(step, longer, long)
    return Growth(math.log(long / short, 4), long)


def _least(step: Callable[[str], object], text: str, known: float) -> float:
    return min(known, *(_seconds(step, text) for _ in range(2)))


def _seconds(step: Callable[[str], object], text: str) -> float:
    begin = time.thread_time()
    step(text)
    return time.thread_time() - begin
