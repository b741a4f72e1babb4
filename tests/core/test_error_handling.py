"""Located errors: which the trace mends itself, which go, which are repaired, and what stops that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, Source
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhance import draft, enhance, finish
from dlcot_ray.core.enhancement import Enhancement, Status
from dlcot_ray.core.error_handling import ErrorOutcome, RepairRequest, checked_repair, located_errors
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace
from tests.support.annotations import CORRECT, annotated

SLIP = "12 * 17 = 214"
LINES = ["We multiply.", f"As an aside, {SLIP}. That is large.", "Then 6 * 7 = 42.", "So the answer is 42."]


def with_error(lines: list[str], quote: str = SLIP, *, corrected: bool = False) -> tuple[Trace, Annotation]:
    """A trace of one correct approach with one located error."""
    trace, annotation = annotated(lines, [(0, len(lines), CORRECT, 0)])
    at = trace.reasoning.index(quote)
    segment = next(i for i, line in enumerate(lines) if quote in line)
    span = ErrorSpan(
        ErrorKind.CALCULATION, segment, segment + 1, at, at + len(quote), Source.EVIDENCE, corrected, f"{SLIP} (is 204)"
    )  # fmt: skip
    return trace, replace(annotation, approaches=(replace(annotation.approaches[0], errors=(span,)),))


def treated(lines: list[str], errors: str, corrected: str = "keep") -> Enhancement:
    trace, annotation = with_error(lines)
    return enhance(trace, annotation, parse_policy("clean_local", {"errors": errors, "corrected": corrected}))


def test_errors_stay_unless_asked_otherwise() -> None:
    result = treated(LINES, "keep")
    assert (result.status, result.errors) == (Status.UNCHANGED, (ErrorOutcome.KEPT,))


def test_delete_removes_only_the_erroneous_sentence() -> None:
    result = treated(LINES, "delete")
    assert result.errors == (ErrorOutcome.DELETED,)
    assert result.reasoning.split("\n\n")[1] == "That is large."
    assert [(e.op, e.start, e.reason) for e in result.script if e.op is not EditOp.KEEP] == [
        (EditOp.REPLACE, 1, "error deleted")
    ]


def test_delete_drops_a_segment_that_becomes_empty() -> None:
    result = treated(["We multiply.", f"{SLIP}.", "So the answer is 42."], "delete")
    assert result.reasoning == "We multiply.\n\nSo the answer is 42.\n\n"


def test_an_error_whose_value_is_used_further_on_stays() -> None:
    lines = [*LINES[:2], "With 214 we go on.", *LINES[2:]]
    assert treated(lines, "delete").errors == (ErrorOutcome.CARRIED,)
    trace, annotation = with_error(lines)
    drafted = draft(trace, annotation, parse_policy("clean_local", {"errors": "repair"}))
    assert drafted.repairs == ()
    assert drafted.enhancement.errors == (ErrorOutcome.CARRIED,)


@pytest.mark.parametrize(
    "after", ["Wait, that is a mistake.", "No, that's wrong.", "Let me redo it: 12 * 17 = 204, fine."]
)
def test_an_error_that_the_trace_corrects_is_marked_corrected(after: str) -> None:
    trace, annotation = with_error([LINES[0], f"{SLIP}.", after, LINES[3]])
    assert located_errors(trace, annotation)[0].corrected
    lines = [LINES[0], f"{SLIP}.", after, LINES[3]]
    assert treated(lines, "delete").errors == (ErrorOutcome.CORRECTED,)
    assert treated(lines, "delete", corrected="treat").errors == (ErrorOutcome.DELETED,)


def test_an_error_that_the_trace_does_not_notice_is_not_corrected() -> None:
    assert not located_errors(*with_error(LINES))[0].corrected
    assert located_errors(*with_error(LINES, corrected=True))[0].corrected


def test_a_sentence_that_states_the_answer_is_not_deleted() -> None:
    trace, annotation = with_error(["We add.", "So 6 * 8 = 42."], "6 * 8 = 42")
    result = enhance(trace, annotation, parse_policy("clean_local", {"errors": "delete"}))
    assert result.errors == (ErrorOutcome.KEPT,)
    assert result.reasoning == trace.reasoning


def repaired(lines: list[str], write: Callable[[str], str]) -> Enhancement:
    trace, annotation = with_error(lines)
    drafted = draft(trace, annotation, parse_policy("clean_local", {"errors": "repair"}))
    offsets = annotation.segment_offsets
    offers = {
        request: write(trace.reasoning[offsets[request.start] : offsets[request.stop]])
        for request in drafted.repairs
    }
    assert list(offers) == [RepairRequest(1, 2, annotation.approaches[0].errors)]
    return finish(drafted, {}, offers)


def test_a_repair_replaces_only_the_erroneous_segment() -> None:
    result = repaired(LINES, lambda old: old.replace("214", "204"))
    assert result.status is Status.ENHANCED
    assert result.errors == (ErrorOutcome.REPAIRED,)
    assert result.reasoning.split("\n\n")[1] == "As an aside, 12 * 17 = 204. That is large."
    (edit,) = [e for e in result.script if e.op is not EditOp.KEEP]
    assert (edit.op, edit.start, edit.stop) == (EditOp.REPLACE, 1, 2)
    assert edit.reason == "error repaired: 12 * 17 = 214 (is 204)"


def test_without_a_writer_the_error_stays_and_the_outcome_says_so() -> None:
    result = treated(LINES, "repair")
    assert (result.status, result.errors) == (Status.UNCHANGED, (ErrorOutcome.REFUSED,))
    assert result.gates[-1].name == "repair"
    assert result.gates[-1].detail == "segment 1: nothing was offered"


@pytest.mark.parametrize(
    ("offer", "fault"),
    [
        ("As an aside, 12 * 17 = 204. That is large, as one can see at once.", "longer than the original"),
        ("As an aside, 12 * 17 = 214.", "the error is still in it"),
        ("As an aside, 12 * 17 = 203.", "it states 12 * 17 = 203, which is 204"),
        ("</think> 12 * 17 = 204.", "markup"),
        ("12 * 17\n\n= 204.", "new paragraphs"),
        ("  ", "nothing was offered"),
    ],
)
def test_a_repair_that_fails_its_checks_is_refused(offer: str, fault: str) -> None:
    result = repaired(LINES, lambda old: offer)
    assert result.errors == (ErrorOutcome.REFUSED,)
    assert result.reasoning == "".join(line + "\n\n" for line in LINES)
    assert not result.gates[-1].passed
    assert fault in result.gates[-1].detail


def test_a_repair_must_leave_the_answer_where_it_was() -> None:
    trace, annotation = with_error(["We add.", f"{SLIP}, so the answer is 42."])
    (error,) = annotation.approaches[0].errors
    request = RepairRequest(1, 2, (error,))
    assert checked_repair(trace, annotation, request, "12 * 17 = 204, so it is 43.") == (
        "",
        "it no longer states the answer",
    )
    text, fault = checked_repair(trace, annotation, request, "12 * 17 = 204, so the answer is 42.")
    assert (text, fault) == ("12 * 17 = 204, so the answer is 42.\n\n", "")
