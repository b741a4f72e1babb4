"""What kind of reference a trace has, for reports: a number, an option, an expression, or none and why."""

from __future__ import annotations

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.comparison.readings import meaning_of, option_of
from dlcot_ray.core.evidence.equivalence import is_closed
from dlcot_ray.core.stating.question import read_question
from dlcot_ray.core.stating.spellings import letter_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.layouts.texts import is_code, is_statement
from dlcot_ray.judging.answering.reference import find_reference


def reference_of(trace: Trace) -> str:
    """The kind of a trace's reference, and where it comes from if that is not the ground truth."""
    reference, origin = find_reference(trace)
    if reference is None:
        return f"none ({_lack(trace)})"
    kind = _kind(reference)
    return kind if origin is ReferenceKind.GROUND_TRUTH else f"{kind} (from the {origin.value})"


def _kind(reference: str) -> str:
    if is_closed(reference):
        return "number"
    if letter_of(reference) is not None or option_of(reference) is not None:
        return "option"
    if meaning_of(reference) is not None:
        return "yes/no or set"
    return "text" if is_statement(reference) else "expression"


def _lack(trace: Trace) -> str:
    truth = (trace.ground_truth or "").strip()
    if truth:
        return "code" if is_code(truth) else "proof or placeholder"
    if "```" in (trace.response or ""):
        return "code"
    return "no answer stated" if read_question(trace.problem).closed else "open task"
