from __future__ import annotations

import time

import pytest

from dlcot_ray.core.edits import EditScript, drop_script, keep_all
from dlcot_ray.core.enhance import enhance
from dlcot_ray.core.gating.mentions import mentions
from dlcot_ray.core.gating.reliance import Reliance, missing_result
from dlcot_ray.core.policies.registry import parse_policy
from tests.support.annotations import CORRECT, OPEN, annotated

COUNTS = "The pairs are 9 + 64 + 9 = 82."


def lines(count: str, use: str) -> list[str]:
    return ["Count the digits one by one.", count, use, "So 82 * 9 = 738, the answer is 738."]


def without_second(count: str, use: str, *, problem: str = "") -> Reliance | None:
    """What is missing where the counting line is dropped, the last approach being the correct one."""
    trace, annotation = annotated(
        lines(count, use), [(0, 1, OPEN, 0), (1, 2, OPEN, 0), (2, 4, CORRECT, 1)], reference="738"
    )
    if problem:
        trace = type(trace)(trace.trace_id, problem, trace.reasoning, trace.ground_truth)
    return missing_result(trace, annotation, drop_script({1: "redundant"}, 4))


def test_kept_text_must_not_use_a_dropped_result() -> None:
    assert without_second(COUNTS, "For each digit there are 82 choices.") == Reliance(2, "82", 1)


def test_an_approximate_result_is_a_result() -> None:
    found = without_second(
        "In seconds that is \\(x \\approx 0.018\\).", "So it is 3 m, or approximately 0.018 s."
    )
    assert found == Reliance(2, "0.018", 1)


@pytest.mark.parametrize(
    ("count", "use", "problem"),
    [
        (COUNTS, "Again: 10 * 8 + 2 = 82 choices.", ""),
        (COUNTS, "For each digit there are 82 choices.", "Is it true for 82?"),
        ("Perhaps 82 of them.", "For each digit there are 82 choices.", ""),
        ("The pairs are 2 + 5 = 7.", "For each digit there are 7 choices.", ""),
        ("The pairs are 82.5 + 82.5 = 165.", "For each digit there are 16 choices.", ""),
        ("Half of it: 2x = 82 * 9.", "For each digit there are 82 choices.", ""),
    ],
    ids=["worked out again", "given", "only named", "one digit", "another number", "not arrived at"],
)
def test_other_numbers_do_not_count(count: str, use: str, problem: str) -> None:
    assert without_second(count, use, problem=problem) is None


def test_a_number_that_stood_before_the_drop_is_not_missing() -> None:
    trace, annotation = annotated(
        ["We try 82 first.", COUNTS, "There are 82 choices.", "The answer is 738."],
        [(0, 1, OPEN, 0), (1, 2, OPEN, 0), (2, 4, CORRECT, 1)],
        reference="738",
    )
    assert missing_result(trace, annotation, drop_script({1: "redundant"}, 4)) is None


def test_results_after_the_answer_are_missing_too() -> None:
    trace, annotation = annotated(
        ["9 * 82 = 738, the answer is 738.", "In all 700 + 55 = 755.", "Those 755 are not asked for."],
        [(0, 1, CORRECT, 0), (1, 2, OPEN, 1), (2, 3, OPEN, 2)],
        reference="738",
    )
    assert missing_result(trace, annotation, drop_script({1: "x"}, 3)) == Reliance(2, "755", 1)


def test_without_drops_no_result_is_missing() -> None:
    trace, annotation = annotated(lines(COUNTS, "82 choices."), [(0, 4, CORRECT, 0)], reference="738")
    script: EditScript = keep_all(4)
    assert missing_result(trace, annotation, script) is None


def test_commas_and_signs_are_not_part_of_a_number() -> None:
    made = without_second("All in all 40 * 1008 = 40,320.", "Of these 40320 half are odd.")
    assert made is not None
    assert made.value == "40320"


def test_a_long_number_counts_without_an_equals_sign() -> None:
    made = without_second("The largest of them seems to be 8640.", "Its last digits, those of 8640, remain.")
    assert made == Reliance(2, "8640", 1)


def test_a_redundant_approach_stays_if_the_solution_uses_its_result() -> None:
    trace, annotation = annotated(
        lines(COUNTS, "For each digit there are 82 choices."),
        [(0, 1, OPEN, 0), (1, 2, OPEN, 0), (2, 4, CORRECT, 1)],
        reference="738",
    )
    result = enhance(trace, annotation, parse_policy("keep_one_per_cluster"))
    assert result.reasoning == trace.reasoning
    assert result.reason == "gate:results_kept"


@pytest.mark.parametrize(
    "piece",
    ["let x be ", "(1) ", "= 12", "now\n", "case ", "9,999,", "x=", "   ", "equation (", "1.1.1", "1"],
)
def test_mentions_take_time_in_proportion_to_the_text(piece: str) -> None:
    """A quadratic pattern takes minutes for a text of this length."""
    start = time.process_time()
    mentions(piece * (100_000 // len(piece)))
    assert time.process_time() - start < 5
