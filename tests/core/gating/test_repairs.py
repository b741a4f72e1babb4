"""Very many repairs of one trace: few evaluations of the gates, and only bad ones are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, Source
from dlcot_ray.core.edits import EditOp, keep_all
from dlcot_ray.core.enhance import draft, finish
from dlcot_ray.core.enhancement import ErrorOutcome
from dlcot_ray.core.error_edits.handling import RepairRequest
from dlcot_ray.core.gating.repairs import TRIALS, UNTRIED, passing_repairs
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace
from tests.support.annotations import CORRECT, annotated
from tests.support.growth import MOST, growth


def slips(count: int, last: str = "So the answer is 42.") -> tuple[Trace, Annotation]:
    """A trace with `count` false sentences, each in a segment of its own, behind the first."""
    quotes = [f"{i} + 2 = {i + 3}" for i in (1000 + 10 * k for k in range(count))]
    lines = ["We add.", *(f"As an aside, {quote}. That is so." for quote in quotes), last]
    trace, annotation = annotated(lines, [(0, len(lines), CORRECT, 0)])
    errors = []
    for i, quote in enumerate(quotes, 1):
        at = annotation.segment_offsets[i] + len("As an aside, ")
        errors.append(
            ErrorSpan(
                ErrorKind.CALCULATION, i, i + 1, at, at + len(quote), Source.EVIDENCE, False, "is false"
            )
        )
    approach = replace(annotation.approaches[0], errors=tuple(errors))
    return trace, replace(annotation, approaches=(approach,))


def offers_of(trace: Trace, annotation: Annotation) -> dict[RepairRequest, str]:
    errors = annotation.approaches[0].errors
    requests = [RepairRequest(error.start, error.stop, (error,)) for error in errors]
    wrong = [(request, 990 + 10 * request.start) for request in requests]
    return {
        request: annotation.segment_text(trace.reasoning, request.start).replace(str(i + 3), str(i + 2))
        for request, i in wrong
    }


POLICY = parse_policy("clean_local", {"errors": "repair"})


def test_repairing_takes_linear_time() -> None:
    def step(flood: str) -> None:
        trace, annotation = slips(len(flood))
        drafted = draft(trace, annotation, POLICY)
        done = finish(drafted, {}, offers_of(trace, annotation))
        assert done.errors == (ErrorOutcome.REPAIRED,) * len(flood)

    assert growth(step, lambda length: "x" * length, 100, quick=0.0).exponent < MOST


def test_a_repair_that_fails_a_gate_is_refused_among_many() -> None:
    trace, annotation = slips(29, "Now 500 + 2 = 503 as one sees easily. Hence the answer is 42 for certain.")
    at = trace.reasoning.index("500 + 2")
    last = ErrorSpan(
        ErrorKind.CALCULATION, 30, 31, at, at + len("500 + 2 = 503"), Source.EVIDENCE, False, "is false"
    )
    approach = annotation.approaches[0]
    annotation = replace(annotation, approaches=(replace(approach, errors=(*approach.errors, last)),))
    offers = offers_of(trace, annotation)
    bad = list(offers)[-1]
    offers[bad] = "Now 500 + 2 = 502. The answer is 42. No, hence the answer is 43."
    done = finish(draft(trace, annotation, POLICY), {}, offers)
    assert sorted(done.errors) == [ErrorOutcome.REFUSED, *[ErrorOutcome.REPAIRED] * 29]
    assert done.gates[-1].detail.startswith("segment 30: gate answer_preserved")
    assert [edit.start for edit in done.script if edit.op is EditOp.REPLACE] == list(range(1, 30))


@pytest.mark.parametrize("count", [1, 40, 300])
def test_where_all_fail_the_evaluations_are_bounded(count: int) -> None:
    trace, annotation = slips(count)
    shorter = [
        (request, text.replace(" That is so.", "")) for request, text in offers_of(trace, annotation).items()
    ]
    passed, faults = passing_repairs(
        trace, annotation, keep_all(len(annotation.segment_offsets) - 1), shorter, 1.0
    )
    assert (passed, len(faults)) == ([], count)
    assert sum(fault.startswith("gate cut_bounds") for fault in faults.values()) <= TRIALS
    assert (UNTRIED in faults.values()) is (count > TRIALS / 2)
