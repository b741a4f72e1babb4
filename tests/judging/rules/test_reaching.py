"""A trace that ends on the truth has a correct approach, whatever stood before in passing."""

from __future__ import annotations

import pytest

from dlcot_ray.core.annotation import Label, ReferenceKind, SectionKind
from dlcot_ray.core.evidence.answers import AnswerForm, StatedAnswer
from dlcot_ray.core.stating.bounds import is_bound
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.labels import SegmentAnswers, label_range, read_answers
from dlcot_ray.judging.rules.reaching import reach
from dlcot_ray.judging.rules.runs import Run

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY
PROBLEM = "How many children have blue eyes?"
PASSING = "So the children with no blue eyes are 3."
OUTRIGHT = "The answer is 3."
RIGHT = "So the number of children with blue eyes is 11."


def answers(*segments: str) -> SegmentAnswers:
    with AnswerChecker() as checker:
        return read_answers(segments, "11", checker, PROBLEM)


def labels(runs: list[Run], found: SegmentAnswers) -> list[Label]:
    kind = ReferenceKind.GROUND_TRUTH
    return [label_range(found, r.start, r.stop, kind)[0] for r in runs if r.kind is EXPLORE]


def test_an_answer_given_outright_stays_an_approach_of_its_own() -> None:
    found = answers("We count.", OUTRIGHT, "Wait, we count again.", RIGHT, "That fits.", "The answer is 11.")
    runs = reach([Run(EXPLORE, 0, 2), Run(VERIFY, 2, 6)], found, ReferenceKind.GROUND_TRUTH)
    assert runs == [Run(EXPLORE, 0, 2), Run(EXPLORE, 2, 4), Run(VERIFY, 4, 6)]
    assert labels(runs, found) == [Label.INCORRECT, Label.CORRECT]


def test_a_value_in_passing_is_a_step_of_the_same_approach() -> None:
    found = answers("We count.", PASSING, "Wait, we go on.", RIGHT, "That fits.", "The answer is 11.")
    before = [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 6)]
    if labels(before, found) == [Label.INCORRECT]:
        assert reach(before, found, ReferenceKind.GROUND_TRUTH) == [Run(EXPLORE, 0, 4), Run(VERIFY, 4, 6)]


def test_nothing_moves_where_an_approach_is_correct_or_the_end_is_wrong() -> None:
    right = answers("We count.", RIGHT, "Let me check.", "The answer is 11.")
    runs = [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 4)]
    assert reach(runs, right, ReferenceKind.GROUND_TRUTH) == runs
    wrong = answers("We count.", OUTRIGHT, "Wait, is it 11?", "The answer is 3.")
    assert reach(runs, wrong, ReferenceKind.GROUND_TRUTH) == runs


def test_words_and_lists_are_read_where_they_conclude() -> None:
    with AnswerChecker() as checker:
        word = read_answers(
            ["It may be a circle.", "So it is an ellipse."], "ellipse", checker, "What is it?"
        )
        roots = read_answers(["So x = 3 fits.", "The roots are x = 3, x = 5, and x = 7."], "3,5,7", checker)
    assert word.correct == (None, "ellipse")
    assert roots.correct[0] is None
    assert roots.correct[1] == "3, 5, 7"


def test_a_bound_is_no_answer_unless_the_task_speaks_of_bounds() -> None:
    bounds = ("So n is at least 11.", "So n ≥ 11.", "So n is at most 11.")
    with AnswerChecker() as checker:
        for text in bounds:
            free = read_answers((text, "So n = 11."), "11", checker, "Find all possible values of n.")
            assert free.arrived == (False, True), text
            asked = read_answers((text,), "11", checker, "What is the smallest n such that n > 10?")
            assert asked.arrived == (True,), text


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("The eggs of both add up to 11.", False),
        ("<answer>11</answer>", False),
        ("Therefore => 11.", False),
        ("So \\(n\\geqslant 11\\).", True),
        ("So n > 11.", True),
        ("So n is at most $11$.", True),
    ],
)
def test_a_value_behind_up_to_a_tag_or_an_arrow_is_no_bound(text: str, bound: bool) -> None:
    at = text.index("11")
    assert is_bound(text, StatedAnswer("11", at, at + 2, AnswerForm.CONCLUSION)) is bound
    assert not is_bound(text, StatedAnswer("11", at, at + 2, AnswerForm.BOXED))
