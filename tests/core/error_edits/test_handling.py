"""Located errors: which the trace mends itself, which go, which are repaired, and what stops that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

import pytest

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, Label, ReferenceKind, Source
from dlcot_ray.core.edits import EditOp, keep_all
from dlcot_ray.core.enhance import draft, enhance, finish
from dlcot_ray.core.enhancement import Enhancement, ErrorOutcome, Status
from dlcot_ray.core.error_edits.handling import (
    RepairRequest,
    checked_repair,
    delete_errors,
    located_errors,
    repair_requests,
)
from dlcot_ray.core.error_edits.uses import explain
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.trace import Trace
from tests.support.annotations import CORRECT, OPEN, WRONG, annotated
from tests.support.growth import MOST, growth

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
    "after",
    ["Wait, it is 204.", "No, that's wrong: we get 204 here.", "Let me redo it: 12 * 17 = 204, fine."],
)
def test_an_error_that_the_trace_corrects_is_marked_corrected(after: str) -> None:
    lines = [LINES[0], f"{SLIP}.", after, LINES[3]]
    assert located_errors(*with_error(lines))[0].corrected
    assert treated(lines, "delete").errors == (ErrorOutcome.CORRECTED,)


@pytest.mark.parametrize("after", ["Wait, that is a mistake.", "No, that's wrong.", "Hmm, is that so?"])
@pytest.mark.parametrize("errors", ["delete", "repair"])
def test_a_doubt_without_the_right_value_is_no_correction_and_keeps_its_object(
    after: str, errors: str
) -> None:
    lines = [LINES[0], f"{SLIP}.", after, LINES[3]]
    assert not located_errors(*with_error(lines))[0].corrected
    assert treated(lines, errors).errors == (ErrorOutcome.KEPT,)


def test_a_word_of_doubt_about_something_else_corrects_nothing() -> None:
    lines = [LINES[0], f"{SLIP}.", "Then 6 * 7 = 42. Wait, are the boxes red? Yes, they are.", LINES[3]]
    assert not located_errors(*with_error(lines))[0].corrected


def test_a_silent_correction_can_be_treated() -> None:
    lines = [LINES[0], f"{SLIP}.", "Once more: 12 * 17 = 204, fine.", LINES[3]]
    assert treated(lines, "delete", corrected="treat").errors == (ErrorOutcome.DELETED,)


@pytest.mark.parametrize(
    "behind",
    [
        "With 214 we go on.",
        "The answer was 42, and 214 is the side result.",
        "As a share that is 214/2 = 107 in all.",
        "In percent: 214% of it.",
        "Half of that is 107.",
        "The sum is then 107 + 3.",
    ],
)
@pytest.mark.parametrize("errors", ["delete", "repair"])
def test_an_error_that_later_text_rests_on_stays_to_the_very_end(behind: str, errors: str) -> None:
    lines = [LINES[0], f"{SLIP}.", behind, "So the answer is 42."]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0)], conclusion=3)
    _, whole = with_error(lines)
    annotation = replace(
        annotation, approaches=(replace(annotation.approaches[0], errors=whole.approaches[0].errors),)
    )
    drafted = draft(trace, annotation, parse_policy("clean_local", {"errors": errors}))
    assert (drafted.enhancement.errors, drafted.repairs) == ((ErrorOutcome.CARRIED,), ())


def test_a_value_used_by_its_name_is_carried() -> None:
    lines = ["We multiply.", f"Let n = {SLIP}.", "A third of n is the rest.", "So the answer is 42."]
    assert treated(lines, "delete").errors == (ErrorOutcome.CARRIED,)


def test_a_slip_that_the_rest_does_not_share_is_not_carried() -> None:
    lines = ["We multiply.", f"Let n = {SLIP}.", "With n = 204 we go on.", "So the answer is 42."]
    assert treated(lines, "delete").errors == (ErrorOutcome.DELETED,)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        (WRONG, ReferenceKind.GROUND_TRUTH),
        (OPEN, ReferenceKind.GROUND_TRUTH),
        (CORRECT, ReferenceKind.TRACE),
    ],
)
def test_a_trace_without_a_known_answer_is_not_repaired(label: Label, kind: ReferenceKind) -> None:
    open_end = [*LINES[:2], "Then we stop here."]
    trace, annotation = with_error(LINES if label is CORRECT else open_end)
    approach = replace(annotation.approaches[0], label=label)
    annotation = replace(annotation, approaches=(approach,), reference_kind=kind)
    drafted = draft(trace, annotation, parse_policy("clean_local", {"errors": "repair"}))
    assert (drafted.repairs, drafted.enhancement.errors) == ((), (ErrorOutcome.KEPT,))


def test_the_writer_is_told_what_is_wrong_and_what_is_right() -> None:
    trace, annotation = with_error(LINES)
    (error,) = annotation.approaches[0].errors
    assert explain(trace, error) == '"12 * 17 = 214" is false: 12 * 17 is 204, not 214'
    named = replace(error, source=Source.MODEL, message="the wrong rule")
    assert explain(trace, named) == '"12 * 17 = 214": the wrong rule'


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
        ("As an aside, it is large.", "it does not state 204"),
        ("As an aside, 12 * 17 = 204; so 5 * 5 = 26.", "it states 5 * 5 = 26, which is 25"),
        ("  ", "nothing was offered"),
    ],
)
def test_a_repair_that_fails_its_checks_is_refused(offer: str, fault: str) -> None:
    result = repaired(LINES, lambda old: offer)
    assert result.errors == (ErrorOutcome.REFUSED,)
    assert result.reasoning == "".join(line + "\n\n" for line in LINES)
    assert not result.gates[-1].passed
    assert fault in result.gates[-1].detail


@pytest.mark.parametrize(
    "offer",
    [
        "As an aside, $12 \\times 17 = 204$. That is large.",
        "As an aside,  12 * 17 = 204.  That is large.",
        "As an aside, **12 * 17 = 204**. That is large.",
    ],
)
def test_a_right_repair_is_not_refused_for_its_layout(offer: str) -> None:
    assert repaired(LINES, lambda old: offer).errors == (ErrorOutcome.REPAIRED,)


def test_the_right_value_may_begin_with_the_wrong_one() -> None:
    trace, annotation = with_error(["We add.", "Then 5 * 20 = 10.", "So the answer is 42."], "5 * 20 = 10")
    request = RepairRequest(1, 2, annotation.approaches[0].errors)
    assert checked_repair(trace, annotation, request, "Then 5 * 20 = 100.")[1] == ""


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


@pytest.mark.parametrize(
    "piece",
    [
        "so the sum here is {claim}, ",
        "x{i} = {claim}, the ",
        "Then we have {claim}; wait, no, that is not right. ",
    ],
)
def test_very_many_errors_of_one_segment_are_handled_in_linear_time(piece: str) -> None:
    def step(flood: str) -> None:
        parts = [piece.format(i=i, claim=f"{i} + 2 = {i + 3}") for i in range(len(flood) // len(piece))]
        starts = [0, *accumulate(map(len, parts))]
        claims = [
            at + part.index(f"{i} + 2") for i, (at, part) in enumerate(zip(starts, parts, strict=False))
        ]
        errors = tuple(
            ErrorSpan(
                ErrorKind.CALCULATION,
                0,
                1,
                at,
                at + len(f"{i} + 2 = {i + 3}"),
                Source.EVIDENCE,
                False,
                "wrong",
            )
            for i, at in enumerate(claims)
        )
        trace, annotation = annotated(["".join(parts)], [(0, 1, CORRECT, 0)])
        approach = replace(annotation.approaches[0], errors=errors)
        found = replace(annotation, approaches=(approach,))
        _, outcomes = delete_errors(
            trace, found, keep_all(1), parse_policy("keep_first", {"errors": "delete"})
        )
        assert len(outcomes) == len(parts)
        repair_requests(trace, found, keep_all(1), parse_policy("keep_first", {"errors": "repair"}))

    assert growth(step, lambda length: "x" * length, 5000, quick=0.0).exponent < MOST
