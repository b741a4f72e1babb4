"""Gates stop harmful edits, the ladder cuts less, and every result replays."""

from __future__ import annotations

from dlcot_ray.core.edits import Edit, EditOp, apply_script, check_script
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.gates import evaluate_gates
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.seams.kinds import Closed, Seam, SeamKind
from tests.support.annotations import CORRECT, WRONG, annotated

SOLVED = ["We add.", "The answer is 42.", "Add once more.", "The answer is 42.", "**42**"]


def test_a_redundant_approach_goes_and_the_script_replays() -> None:
    trace, annotation = annotated(SOLVED, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)], conclusion=4)
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert result.status is Status.ENHANCED
    assert result.reasoning == "We add.\n\nThe answer is 42.\n\n**42**\n\n"
    check_script(result.script, 5)
    assert apply_script(trace.reasoning, annotation.segment_offsets, result.script) == result.reasoning


def test_the_reason_of_an_unchanged_trace_is_nothing_to_cut() -> None:
    trace, annotation = annotated(SOLVED[:2], [(0, 2, CORRECT, 0)])
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert (result.status, result.reason, result.reasoning) == (
        Status.UNCHANGED,
        "nothing_to_cut",
        trace.reasoning,
    )


def test_the_gates_stop_the_loss_of_the_only_correct_approach() -> None:
    trace, annotation = annotated(
        ["Guess.", "It is 7.", "Add.", "The answer is 42."], [(0, 2, WRONG, 0), (2, 4, CORRECT, 0)]
    )
    result = enhance(trace, annotation, parse_policy("delete_multi_all"))
    assert result.status is Status.UNCHANGED
    assert result.reason == "gate:answer_preserved"
    assert result.reasoning == trace.reasoning


BOTH = "Both methods show that the answer is 42."


def test_an_outcome_that_sums_up_dropped_work_goes_where_the_answer_stands_before() -> None:
    lines = [*SOLVED[:4], BOTH + " I am confident."]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)], conclusion=4)
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert result.reasoning == "We add.\n\nThe answer is 42.\n\n"


def test_a_reference_to_dropped_text_is_removed_if_the_answer_is_stated_elsewhere() -> None:
    lines = [*SOLVED[:4], BOTH + " I am confident.", "So it is **42**."]
    trace, annotation = annotated(lines, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)])
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert result.reasoning == "We add.\n\nThe answer is 42.\n\nI am confident.\n\nSo it is **42**.\n\n"
    assert result.seams == (Seam(SeamKind.BACK_REFERENCE, 4, Closed.RULE),)
    assert result.script[-2].reason == "seam: refers to what is dropped"


UNCLEAR = [
    "We add.",
    "The answer is 42.",
    "Therefore the answer is 40.",
    "Add once more.",
    "The answer is 42.",
    BOTH,
]


def test_a_reference_that_states_the_answer_keeps_the_text_it_refers_to() -> None:
    trace, annotation = annotated(UNCLEAR, [(0, 2, CORRECT, 0), (3, 5, CORRECT, 0)], conclusion=5)
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert result.status is Status.UNCHANGED
    assert result.reason == "gate:no_dangling_reference"
    assert result.reasoning == trace.reasoning


def test_each_gate_names_its_fault() -> None:
    trace, annotation = annotated(SOLVED, [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)], conclusion=4)
    half = (Edit(EditOp.KEEP, 0, 1), Edit(EditOp.DROP, 1, 3), Edit(EditOp.KEEP, 3, 5))
    nothing = (Edit(EditOp.DROP, 0, 5),)
    short = (Edit(EditOp.KEEP, 0, 1),)
    assert _failed(evaluate_gates(trace, annotation, half, 0.02)) == [
        "correct_approach_left",
        "nothing_cut_through",
    ]
    failed = _failed(evaluate_gates(trace, annotation, nothing, 0.02))
    assert failed == ["answer_preserved", "correct_approach_left", "cut_bounds", "nothing_cut_through"]
    assert _failed(evaluate_gates(trace, annotation, short, 0.02)) == ["span_accounting"]


def _failed(gates: object) -> list[str]:
    return [gate.name for gate in gates if not gate.passed]  # type: ignore[attr-defined]
