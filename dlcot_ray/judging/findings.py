"""What can be computed of a trace before anybody is asked: units, the reference, answers, loops.

Both judges start from it: the rules read their structure off it, the model judge takes from it whatever
need not be asked and checks with it what was (DESIGN: evidence before opinion).
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.evidence.loops import find_loops, is_truncated
from dlcot_ray.core.segments import split_units, unit_texts
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.first_correct import find_first_correct
from dlcot_ray.judging.rules.labels import UnitAnswers, find_reference, read_answers


@dataclass(frozen=True, slots=True)
class Findings:
    """Evidence about one trace.

    Attributes:
        offsets: n+1 code-point offsets of the units.
        units: their texts.
        reference, reference_kind: what answers are compared with.
        answers: what each unit states.
        first_correct_unit, loops, truncated: as in `Annotation`.
    """

    offsets: tuple[int, ...]
    units: tuple[str, ...]
    reference: str | None
    reference_kind: ReferenceKind
    answers: UnitAnswers
    first_correct_unit: int | None
    loops: tuple[tuple[int, int], ...]
    truncated: bool


def find(trace: Trace, checker: AnswerChecker) -> Findings:
    """Compute the findings of one trace. Raises nothing for any text."""
    offsets = split_units(trace.reasoning)
    units = unit_texts(trace.reasoning, offsets)
    reference, kind = find_reference(trace)
    answers = read_answers(units, reference, checker)
    return Findings(
        offsets,
        tuple(units),
        reference,
        kind,
        answers,
        find_first_correct(units, answers, trace.problem),
        find_loops(units),
        is_truncated(trace.reasoning, trace.response),
    )
