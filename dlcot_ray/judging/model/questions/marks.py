"""The answer to STRUCTURE: which parts a trace has, where each begins, and how each check ends.

In: the segments that are shown. Out: a regular expression of all possible answers, and an answer's `Mark`s.
Each segment occurs once in the expression, in order, so no answer can be out of order, and its length is
linear in the number of segments: 600 of them compile in about a second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import SectionKind, VerificationKind
from dlcot_ray.judging.model.questions.answers import Language

SECTION_LETTERS: Mapping[str, SectionKind] = {
    "Q": SectionKind.QUESTION_REPEAT,
    "P": SectionKind.PROBLEM_UNDERSTAND,
    "S": SectionKind.SOLUTION_EXPLORE,
    "V": SectionKind.VERIFY,
    "C": SectionKind.CONCLUSION,
}
CHECK_LETTERS: Mapping[str, VerificationKind] = {
    "K": VerificationKind.CHECK,
    "A": VerificationKind.AFFIRMATION,
    "N": VerificationKind.NEGATION,
}
MAX_MARKS = 64
"""Parts of one answer. Readers named 27 at most in 365 traces; an answer that goes on is asked again."""

_VERIFIES = "V[KAN](?:[1-9][0-9]?)?"
_MARK = re.compile(r"(\d+)(?:([QPSC])|V([KAN])(\d*))")


@dataclass(frozen=True, slots=True)
class Mark:
    """A part begins at `segment`.

    Attributes:
        kind: of the part. Each SOLUTION_EXPLORE is an approach, each VERIFY a check.
        outcome: of a check, else None.
        of: index of the approach that a check examines, where the answer names one; it may not exist.
    """

    segment: int
    kind: SectionKind
    outcome: VerificationKind | None = None
    of: int | None = None


def structure_language(start: int, stop: int) -> Language:
    """For `STRUCTURE` of segments `[start, stop)`: the first one has a letter, every other may have one.

    A trace does not begin with a check or a conclusion; what a window begins with may be anything.
    """
    anything = f"(?:[QPSC]|{_VERIFIES})"
    first = anything if start else ("S" if stop == 1 else "[QPS]")
    rest = "".join(f"(?: {number}{anything})?" for number in range(start + 2, stop + 1))
    width = len(str(stop)) + 5
    return Language(f"{start + 1}{first}{rest}", min(stop - start, MAX_MARKS) * width)


def read_structure(text: str) -> tuple[Mark, ...]:
    """The marks, ascending. A conclusion with other parts behind it is none: the part before goes on."""
    marks = [_mark(item) for item in text.split()]
    last = len(marks) - 1
    kept = [
        mark for place, mark in enumerate(marks) if mark.kind is not SectionKind.CONCLUSION or place == last
    ]
    if kept and marks[0] is not kept[0]:
        kept[0] = Mark(marks[0].segment, kept[0].kind, kept[0].outcome, kept[0].of)
    return tuple(kept)


def write_structure(marks: Sequence[Mark]) -> str:
    """The answer that says these marks."""
    return " ".join(map(_written, marks))


def _written(mark: Mark) -> str:
    letter = next(letter for letter, kind in SECTION_LETTERS.items() if kind is mark.kind)
    if mark.outcome is None:
        return f"{mark.segment + 1}{letter}"
    outcome = next(letter for letter, kind in CHECK_LETTERS.items() if kind is mark.outcome)
    return f"{mark.segment + 1}{letter}{outcome}{'' if mark.of is None else mark.of + 1}"


def _mark(item: str) -> Mark:
    found = _MARK.fullmatch(item)
    assert found is not None, item
    segment, letter, outcome, of = found.groups()
    if letter is not None:
        return Mark(int(segment) - 1, SECTION_LETTERS[letter])
    return Mark(int(segment) - 1, SectionKind.VERIFY, CHECK_LETTERS[outcome], int(of) - 1 if of else None)
