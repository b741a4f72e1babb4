"""Cuts that leave a trace whole, so that no gate may refuse them."""

from __future__ import annotations

import random
from collections.abc import Callable

from tests.core.gating.hall import SeededCut, hall
from tests.support.annotations import AFFIRMS, CORRECT, OPEN


def second_solution_dropped(rng: random.Random) -> SeededCut:
    return hall(rng).cut(range(9, 15))


def second_check_dropped(rng: random.Random) -> SeededCut:
    return hall(rng, end=rng.choice(["Both methods agree.", "I am sure of it."])).cut([12, 13, 14])


def all_behind_the_answer_dropped(rng: random.Random) -> SeededCut:
    return hall(rng).cut(range(6, 15))


def behind_the_answer_dropped_with_its_claim(rng: random.Random) -> SeededCut:
    return hall(rng, end="Both methods agree.").cut(range(9, 16))


def repeated_attempt_dropped(rng: random.Random) -> SeededCut:
    made = hall(rng)
    lines = [
        made.lines[0],
        "Go through the rows one by one.",
        "That takes long.",
        *made.lines[1:9],
        *made.lines[15:],
    ]
    approaches = [(1, 3, OPEN, 0), (3, 8, CORRECT, 0)]
    return SeededCut(lines, approaches, [1, 2], "", "", [(8, 11, 1, 0)], (AFFIRMS,), 11, made.answer)


def loop_dropped(rng: random.Random) -> SeededCut:
    made = hall(rng)
    times = rng.randint(2, 6)
    lines = [*made.lines[:6], *[made.lines[5]] * times, *made.lines[15:]]
    loop = (6, 6 + times)
    return SeededCut(
        lines,
        [(1, 6, CORRECT, 0)],
        range(*loop),
        conclusion=loop[1],
        reference=made.answer,
        loops=(loop,),
    )


HARMLESS: tuple[Callable[[random.Random], SeededCut], ...] = (
    second_solution_dropped,
    second_check_dropped,
    all_behind_the_answer_dropped,
    behind_the_answer_dropped_with_its_claim,
    repeated_attempt_dropped,
    loop_dropped,
)
