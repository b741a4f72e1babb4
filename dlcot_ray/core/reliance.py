"""Results that only dropped text worked out, and that kept text goes on with.

An approach may repeat a method and still be where a count or a root was found that the next one uses
("for each of the 82 choices"). Wording gives no sign of that, so values are followed: a number at which an
equation in dropped text arrives, that stood nowhere before, must not be used in what is kept on the way to
the answer unless it is worked out there again. Numbers that meet by chance cost a cut, never a trace.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.edits import Edit, EditOp, units_of
from dlcot_ray.core.trace import Trace

_NUMBER = re.compile(r"(?<![\w.])\d(?:[\d,]*\d)?(?:\.\d+)?(?![\w.]*\d)")
_ARRIVED = re.compile(r"[=≈]\s*[$\\({\[]*\s*[-−]?\s*$")
"""What stands before a number at which an equation arrives."""
_GOES_ON = re.compile(r"\s*[-+*/^×·÷!%°(\\]")
"""What stands behind a number that is still being calculated with."""
_LOOK_BACK = 8
_MIN_DIGITS = 2
"""One digit meets by chance too often."""
_TELLING = 3
"""A number as long as this is hardly met by chance: it need not stand behind an equals sign."""


@dataclass(frozen=True, slots=True)
class Reliance:
    """Kept unit `unit` uses `value`, which only dropped unit `source` worked out."""

    unit: int
    value: str
    source: int


def missing_result(trace: Trace, annotation: Annotation, script: Sequence[Edit]) -> Reliance | None:
    """The first use of a result that is gone, up to where the first correct approach arrives, or None.

    Args:
        trace: the source.
        annotation: settled; without a correct approach the whole trace counts.
        script: a total edit script over its units.
    """
    offsets, stop = annotation.unit_offsets, _arrival(annotation)

    def text_of(unit: int) -> str:
        return trace.reasoning[offsets[unit] : offsets[unit + 1]]

    dropped = [unit for unit in units_of(script, (EditOp.DROP,)) if unit < stop]
    results = {
        unit: {value for value, arrived in _numbers(text_of(unit)) if arrived or len(value) >= _TELLING}
        for unit in dropped
    }
    if not any(results.values()):
        return None
    known = {value for value, _ in _numbers(trace.problem)}
    gone: dict[str, int] = {}
    for unit in range(stop):
        if unit in results:
            gone.update((value, unit) for value in results[unit] if value not in known and value not in gone)
            continue
        for value, arrived in _numbers(text_of(unit)):
            if value in gone and not arrived:
                return Reliance(unit, value, gone[value])
            gone.pop(value, None)
            known.add(value)
    return None


def _arrival(annotation: Annotation) -> int:
    """The unit behind the one in which the first correct approach arrives."""
    for approach in annotation.approaches:
        if approach.label is Label.CORRECT:
            return approach.stop if approach.answer_unit is None else approach.answer_unit + 1
    return len(annotation.unit_offsets) - 1


def _numbers(text: str) -> list[tuple[str, bool]]:
    """The numbers of a text with whether an equation arrives at them."""
    found = []
    for match in _NUMBER.finditer(text):
        value = match.group().replace(",", "")
        if sum(map(str.isdigit, value)) < _MIN_DIGITS:
            continue
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
        arrived = bool(_ARRIVED.search(before)) and not _GOES_ON.match(text, match.end())
        found.append((value, arrived))
    return found
