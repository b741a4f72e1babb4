"""Values that only dropped text worked out and that kept text uses.

In: a trace, its annotation and an edit script. Out: the first such use, or None. An approach that repeats a
method may still be where a count or a root was found that the next one uses ("for each of the 82 choices").
Wording gives no sign of that, so numbers are followed: the right sides of equations in dropped text, and all
numbers of three digits or more in it. One that stood nowhere before must not be used in what is kept on the
way to the answer, unless it is worked out there again. Equal numbers without a connection cost a cut, not
a trace.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.edits import Edit, EditOp
from dlcot_ray.core.policies.base import LOOP
from dlcot_ray.core.trace import Trace

_NUMBER = re.compile(r"(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?(?![\w.]*\d)")
_ARRIVED = re.compile(r"[=≈]\s*[$\\({\[]*\s*[-−]?\s*$")
"""Text before a number that is the result of an equation."""
_GOES_ON = re.compile(r"\s*[-+*/^×·÷!%°(\\]")
"""Text after a number that is an operand of a further calculation."""
_LOOK_BACK = 8
_MIN_DIGITS = 2
"""Minimum number of digits; numbers of one digit recur by chance too often."""
_TELLING = 3
"""From this number of digits a number counts without an equals sign, because it rarely recurs by chance."""


@dataclass(frozen=True, slots=True)
class Reliance:
    """Kept segment `segment` uses `value`, which only dropped segment `source` worked out."""

    segment: int
    value: str
    source: int


def missing_result(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> Reliance | None:
    """The first use of a dropped result, up to where the first correct approach reaches the answer, or None.

    Args:
        trace: the source.
        annotation: settled; without a correct approach the whole trace counts.
        script: a total edit script over its segments.
    """
    offsets, stop = annotation.segment_offsets, _arrival(annotation)
    dropped = [edit for edit in script if edit.op is EditOp.DROP and edit.start < stop]
    text = trace.reasoning[: offsets[stop]]
    gone: dict[str, int] = {}
    for edit in dropped:
        if edit.reason == LOOP:
            # A loop repeats the text before it, so it holds no new result.
            continue
        for value, start in _results(text, offsets[edit.start], offsets[min(edit.stop, stop)]):
            gone.setdefault(value, start)
    missing = []
    for value, place in gone.items():
        source = bisect_right(offsets, place) - 1
        if next(_places(value, trace.problem), None) is not None:
            continue
        for start in _places(value, text):
            segment = bisect_right(offsets, start) - 1
            if any(edit.start <= segment < edit.stop for edit in dropped):
                continue
            if segment > source and not _ARRIVED.search(text[max(0, start - _LOOK_BACK) : start]):
                missing.append(Reliance(segment, value, source))
            # Its first place in the kept text decides: there it is given, computed again, or missing.
            break
    return min(missing, key=lambda found: found.segment, default=None)


def _arrival(annotation: Annotation) -> int:
    """The segment after the one in which the first correct approach reaches the answer."""
    for approach in annotation.approaches:
        if approach.label is Label.CORRECT:
            return approach.stop if approach.answer_segment is None else approach.answer_segment + 1
    return len(annotation.segment_offsets) - 1


def _results(text: str, start: int, stop: int) -> Iterator[tuple[str, int]]:
    """The numbers in a part of a text that count as results, and where they stand: long ones, and right
    sides of equations.
    """
    for match in _NUMBER.finditer(text, start, stop):
        value = match.group()
        if len(value) < _MIN_DIGITS:
            continue
        if "," in value:
            value = value.replace(",", "")
        if len(value) >= _TELLING or _arrives(text, match):
            yield value, match.start()


def _arrives(text: str, match: re.Match[str]) -> bool:
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    return bool(_ARRIVED.search(before)) and not _GOES_ON.match(text, match.end())


def _places(value: str, text: str) -> Iterator[int]:
    """Offsets of a whole number in a text, with or without thousands commas, in ascending order."""
    whole, point, rest = value.partition(".")
    if len(whole) <= _TELLING:
        yield from _found(value, text)
    else:
        yield from merge(_found(value, text), _found(f"{int(whole):,}{point}{rest}", text))


def _found(form: str, text: str) -> Iterator[int]:
    start = text.find(form)
    while start >= 0:
        match = _NUMBER.match(text, start)
        if match is not None and match.group() == form:
            yield start
        start = text.find(form, start + len(form))
