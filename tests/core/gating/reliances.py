"""Cuts that take out what kept text relies on: values, symbols, equations, named things."""

from __future__ import annotations

import random

from tests.core.gating.hall import THINGS, SeededCut, hall
from tests.support.annotations import CORRECT, OPEN


def relied_on(rng: random.Random, introduced: str, used: str, named: str) -> SeededCut:
    """A first attempt introduces something that the second attempt of the same method uses."""
    total = rng.randint(210, 990)
    lines = [
        "We count in two steps.",
        introduced,
        "This does not finish it yet.",
        used,
        f"So the answer is {total}.",
        f"The answer is {total}.",
    ]
    approaches = [(1, 3, OPEN, 0), (3, 5, CORRECT, 0)]
    return SeededCut(lines, approaches, [1, 2], "results_kept", named, conclusion=5, reference=str(total))


def value_used(rng: random.Random) -> SeededCut:
    a, b = rng.randint(12, 49), rng.randint(12, 49)
    things = rng.choice(THINGS)
    return relied_on(
        rng, f"The pairs are {a} * {b} = {a * b}.", f"Each of the {a * b} pairs has its {things}.", str(a * b)
    )


def short_value_used(rng: random.Random) -> SeededCut:
    letter, value = rng.choice("kmpqrs"), rng.randint(2, 9)
    since = rng.choice(["Since", "Because", "Given that", "We found that"])
    return relied_on(
        rng,
        f"The last column gives {letter} = {value}.",
        f"{since} {letter} = {value}, few are left.",
        f"{letter} = {value}",
    )


def symbol_used(rng: random.Random) -> SeededCut:
    letter, things = rng.choice("kmpqrsuvw"), rng.choice(THINGS)
    define = rng.choice(
        [
            f"Let {letter} be the number of {things}.",
            f"Denote the {things} by {letter}.",
            f"Call the count of {things} {letter}.",
        ]
    )
    return relied_on(rng, define, f"Then 2{letter} + 6 is even.", f"symbol '{letter}'")


def equation_used(rng: random.Random) -> SeededCut:
    label = rng.choice(["1", "2", "A", "*"])
    use = rng.choice(
        [f"From ({label}) we see that it is even.", f"Substituting into ({label}) leaves little."]
    )
    return relied_on(rng, f"The sides give 2u + v = w. ({label})", use, f"({label})")


def named_thing_used(rng: random.Random) -> SeededCut:
    noun = rng.choice(["Lemma", "Claim", "Equation", "Formula", "Method", "Condition", "Pattern"])
    label = rng.choice(["1", "2", "3"])
    return relied_on(
        rng,
        f"{noun} {label}: the sum of the rows is even.",
        f"By parity, {noun.lower()} {label} leaves half.",
        f"{noun.lower()} {label}",
    )


def figure_used(rng: random.Random) -> SeededCut:
    corners = rng.choice(["PQR", "XYZ", "KLM"])
    return relied_on(
        rng,
        f"Draw triangle {corners} inside the court.",
        f"The area of triangle {corners} is half of it.",
        f"triangle {corners}",
    )


def used_by_the_conclusion(rng: random.Random) -> SeededCut:
    made = hall(rng)
    value = 1000 + int(made.answer)
    made.lines[10] = f"With the stalls there are {made.answer} + 1000 = {value}."
    made.lines[15] = f"Without the stalls, the {value} shrink."
    return made.cut(range(9, 15), "results_kept", str(value))


def used_by_a_check(rng: random.Random) -> SeededCut:
    made = hall(rng)
    value = 2000 + int(made.answer)
    made.lines[7] = f"Without the stalls there are {made.answer} + 2000 = {value}."
    made.lines[13] = f"Both floors of the {value} have rows, and these are all."
    return made.cut([6, 7, 8], "results_kept", str(value))
