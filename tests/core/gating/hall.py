"""A seeded trace of our own, and one cut of it, as material for the gates."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from dlcot_ray.core.annotation import Annotation, Label, VerificationKind
from dlcot_ray.core.edits import EditScript, drop_script
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CORRECT, annotated

Item = tuple[int, int, Label, int]
Check = tuple[int, int, int | None, int]


@dataclass(frozen=True)
class SeededCut:
    """A trace with a cut.

    Attributes:
        gone: the segments that are dropped.
        gate: the gate that must refuse it; empty for a harmless cut.
        named: what the reason of that gate must contain.
    """

    lines: Sequence[str]
    approaches: Sequence[Item]
    gone: Sequence[int]
    gate: str = ""
    named: str = ""
    checks: Sequence[Check] = ()
    kinds: tuple[VerificationKind, ...] = ()
    conclusion: int | None = None
    reference: str = "42"
    loops: tuple[tuple[int, int], ...] = field(default=())

    def script(self) -> tuple[Trace, Annotation, EditScript]:
        trace, annotation = annotated(
            list(self.lines),
            self.approaches,
            self.checks,
            conclusion=self.conclusion,
            reference=self.reference,
            kinds=self.kinds,
            loops=self.loops,
        )
        return trace, annotation, drop_script(dict.fromkeys(self.gone, "seeded"), len(self.lines))


THINGS = ("seats", "tiles", "coins", "lamps", "books", "boats", "pears", "stamps")
SURE = ("Let me double-check that.", "Just to be sure, let me verify this.", "Let me check it once more.")
OTHER = (
    "Let me try another method.",
    "Alternatively, let me use a different approach.",
    "Is there another way?",
)
AGREE = ("That matches.", "Yes, that checks out.", "So it is correct.")


@dataclass(frozen=True)
class _Hall:
    """A solved trace: solution 1 to 5, check 6 to 8, second solution 9 to 11, check 12 to 14, the end."""

    lines: list[str]
    answer: str
    rows: int

    def cut(self, gone: Sequence[int], gate: str = "", named: str = "", **changes: object) -> SeededCut:
        made: dict[str, object] = {
            "checks": [(6, 9, 0, 0), (12, 15, 1, 1)],
            "kinds": (AFFIRMS, AFFIRMS),
            "conclusion": 15,
            "reference": self.answer,
        }
        approaches = [(1, 6, CORRECT, 0), (9, 12, CORRECT, 1)]
        return SeededCut(self.lines, approaches, gone, gate, named, **(made | changes))  # type: ignore[arg-type]


def hall(rng: random.Random, *, end: str = "") -> _Hall:
    things, rows, each = rng.choice(THINGS), rng.randint(11, 40), 2 * rng.randint(6, 20)
    extra, answer = rng.randint(5, 60), rows * each
    lines = [
        f"We want the number of {things}.",
        f"Let n be the number of rows; a row has {each} {things}.",
        f"The plan says 3n + {extra} = {3 * rows + extra}. (1)",
        f"Subtract {extra} on both sides: 3n = {3 * rows}, so n = {rows}.",
        f"With {rows} rows there are {each} * {rows} = {answer} {things}.",
        f"So the answer is {answer}.",
        rng.choice(SURE),
        f"Put {rows} into the plan: 3 * {rows} + {extra} = {3 * rows + extra}, as it says.",
        rng.choice(AGREE),
        rng.choice(OTHER),
        f"One half of the hall has {answer // 2} {things}, and {answer // 2} * 2 = {answer}.",
        f"So the answer is {answer}.",
        rng.choice(SURE),
        f"Each row has {each}, and {answer} / {each} = {rows}.",
        rng.choice(AGREE),
        end or "I am confident about it.",
        f"Therefore, the answer is {answer}.",
    ]
    return _Hall(lines, str(answer), rows)
