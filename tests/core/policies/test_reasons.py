"""Reasons name what is in a drop, and other items only if they stand whole in the result."""

from __future__ import annotations

from dlcot_ray.core.edits import EditOp, drop_script
from dlcot_ray.core.policies.reasons import with_reasons
from dlcot_ray.core.policies.redundancy import ITS_APPROACH, REDUNDANT
from dlcot_ray.core.policies.trunk import AFTER
from tests.support.annotations import AFFIRMS, CORRECT, WRONG, annotated

LINES = [f"line {i}" for i in range(8)]
APPROACHES = [(0, 2, CORRECT, 0), (2, 4, CORRECT, 0)]
CHECKS = [(4, 5, 1, 0), (5, 6, 0, 1)]


def reasons(drops: dict[int, str]) -> dict[tuple[int, int], str]:
    _, annotation = annotated(LINES, APPROACHES, CHECKS, kinds=(AFFIRMS, AFFIRMS), conclusion=7)
    script = with_reasons(annotation, drop_script(drops, 8))
    return {(edit.start, edit.stop): edit.reason for edit in script if edit.op is EditOp.DROP}


def test_a_drop_is_split_and_named_by_item() -> None:
    assert reasons(dict.fromkeys(range(2, 7), AFTER)) == {
        (2, 4): "after the solution: approach 1 (correct)",
        (4, 5): "after the solution: check of approach 1",
        (5, 6): "after the solution: check of approach 0",
        (6, 7): "after the solution",
    }


def test_the_approach_that_is_repeated_is_named_only_if_it_stays_whole() -> None:
    assert reasons({2: REDUNDANT, 3: REDUNDANT}) == {
        (2, 4): "redundant: approach 1 (correct) repeats approach 0"
    }
    assert reasons({1: AFTER, 2: REDUNDANT, 3: REDUNDANT})[2, 4] == "redundant: approach 1 (correct)"


def test_the_check_that_stays_is_named_only_if_it_stays_whole() -> None:
    assert reasons({4: REDUNDANT})[4, 5] == "redundant: check of approach 1, another check stays (segment 5)"
    assert reasons({4: REDUNDANT, 5: AFTER})[4, 5] == "redundant: check of approach 1"


def test_a_check_goes_with_its_approach_only_if_that_is_gone() -> None:
    gone = dict.fromkeys(range(2, 4), AFTER) | {4: ITS_APPROACH}
    assert reasons(gone)[4, 5] == "its approach is dropped: check of approach 1"
    assert reasons({4: ITS_APPROACH})[4, 5].startswith("redundant: ")


def test_a_part_of_an_item_is_called_a_part() -> None:
    assert reasons({3: AFTER}) == {(3, 4): "after the solution: part of approach 1 (correct)"}


def test_other_reasons_are_left_alone() -> None:
    _, annotation = annotated(LINES, [(0, 8, WRONG, 0)])
    script = drop_script({3: "repetition loop"}, 8)
    assert with_reasons(annotation, script) == script
