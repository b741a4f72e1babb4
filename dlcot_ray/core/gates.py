"""The gates an edit must pass before it may replace a trace (DESIGN: gates, ladder).

Every gate compares the script with the annotation and the text it would produce; none of them asks a
model. A gate that cannot apply (no reference, nothing dropped) passes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.edits import Edit, EditOp, EditScriptError, apply_script, check_script
from dlcot_ray.core.enhancement import GateResult
from dlcot_ray.core.evidence.answers import last_answer
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.trace import Trace

_REFERS_BACK = re.compile(
    r"\b(?:both|all three|two|three) (?:methods|approaches|ways|calculations|results|answers)\b|"
    r"\b(?:second|other|third|alternative|previous) (?:method|approach|way)\b|\beither way\b|"
    r"\b(?:as|like) (?:i |we )?(?:just )?(?:computed|found|showed|shown|verified|checked|calculated) (?:above|before|earlier)",
    re.IGNORECASE,
)


def evaluate_gates(
    trace: Trace, annotation: Annotation, script: Sequence[Edit], min_keep: float
) -> tuple[GateResult, ...]:
    """Evaluate every gate on a script; order is fixed."""
    accounting = _span_accounting(annotation, script)
    if not accounting.passed:
        return (accounting,)
    kept = [False] * (len(annotation.unit_offsets) - 1)
    for edit in script:
        if edit.op is EditOp.KEEP:
            kept[edit.start : edit.stop] = [True] * (edit.stop - edit.start)
    text = apply_script(trace.reasoning, annotation.unit_offsets, script)
    return (
        accounting,
        _answer_preserved(annotation, kept, text),
        _correct_approach_left(annotation, kept),
        _cut_bounds(trace, text, min_keep),
        _no_dangling_reference(trace, annotation, kept),
    )


def _span_accounting(annotation: Annotation, script: Sequence[Edit]) -> GateResult:
    try:
        check_script(script, len(annotation.unit_offsets) - 1)
    except EditScriptError as error:
        return GateResult("span_accounting", False, str(error))
    return GateResult("span_accounting", True)


def _answer_preserved(annotation: Annotation, kept: Sequence[bool], text: str) -> GateResult:
    """A correct answer that stood in the trace must stand in what is left, and not be contradicted last."""
    name = "answer_preserved"
    stated = {a.answer_unit for a in annotation.approaches if a.label is Label.CORRECT} - {None}
    if annotation.first_correct_unit is not None:
        stated.add(annotation.first_correct_unit)
    if not stated or all(kept):
        return GateResult(name, True)
    if not any(kept[unit] for unit in stated if unit is not None):
        return GateResult(name, False, "no kept unit states the correct answer")
    if annotation.reference is not None and (found := last_answer(text[-4000:])) is not None:
        dropped_tail = not kept[-1]
        if dropped_tail and quick_equivalent(found.text, annotation.reference) is False:
            return GateResult(name, False, f"the text would end on {found.text!r}")
    return GateResult(name, True)


def _correct_approach_left(annotation: Annotation, kept: Sequence[bool]) -> GateResult:
    """One correct approach must stand from its start to its answer."""
    correct = [a for a in annotation.approaches if a.label is Label.CORRECT]
    looped = {unit for start, stop in annotation.loops for unit in range(start, stop)}
    for approach in correct:
        stop = approach.stop if approach.answer_unit is None else approach.answer_unit + 1
        if all(kept[unit] or unit in looped for unit in range(approach.start, stop)):
            return GateResult("correct_approach_left", True)
    return GateResult(
        "correct_approach_left", not correct, "no whole correct approach left" if correct else ""
    )


def _cut_bounds(trace: Trace, text: str, min_keep: float) -> GateResult:
    share = len(text) / max(1, len(trace.reasoning))
    passed = share >= min_keep and bool(text.strip())
    return GateResult("cut_bounds", passed, "" if passed else f"only {share:.1%} of the characters left")


def _no_dangling_reference(trace: Trace, annotation: Annotation, kept: Sequence[bool]) -> GateResult:
    """The first kept unit after a drop, and what follows to the end, must not lean on what is gone."""
    offsets = annotation.unit_offsets
    for unit in range(1, len(kept)):
        if kept[unit] and not kept[unit - 1]:
            found = _REFERS_BACK.search(trace.reasoning, offsets[unit], offsets[unit + 1])
            if found:
                return GateResult("no_dangling_reference", False, f"unit {unit}: {found.group()!r}")
    return GateResult("no_dangling_reference", True)
