"""The first correct segment is where the answer stands, by what follows it; confidence follows the evidence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.rules.clusters import assign_clusters
from dlcot_ray.judging.rules.confidence import of_method
from dlcot_ray.judging.rules.judge import RulesJudge

WORK = "We set up the equation for the lengths and simplify it, one side at a time, before we go on."


@pytest.fixture(scope="module")
def judge() -> Iterator[RulesJudge]:
    judge = RulesJudge()
    yield judge
    judge.close()


def judged(judge: RulesJudge, *segments: str, truth: str, problem: str = "How long is it?") -> Annotation:
    return judge.annotate(Trace("t", problem, "\n\n".join(segments), truth))


def test_a_figure_on_the_way_is_no_arrival(judge: RulesJudge) -> None:
    segments = (
        WORK,
        "Then BD² = 16.",
        WORK,
        WORK,
        "So the length is 17 - 1 = 16.",
        "Let me double-check that.",
        WORK,
    )
    assert judged(judge, *segments, truth="16").first_correct_segment == 4


def test_who_turns_to_checking_has_arrived(judge: RulesJudge) -> None:
    segments = (WORK, "Adding up, 12 + 24 = 36.", "Wait, is that right?", WORK, WORK, "\\boxed{36}")
    assert judged(judge, *segments, truth="36").first_correct_segment == 1


def test_a_figure_of_the_problem_is_no_arrival(judge: RulesJudge) -> None:
    segments = ("The edges a, b, c give 4(a+b+c) = 52.", "Wait, is that so?", WORK, "The answer is 52.")
    problem = "The edges of a box add up to 52. How long are they together?"
    assert judged(judge, *segments, truth="52", problem=problem).first_correct_segment == 3


def test_what_is_denied_and_never_taken_up_does_not_stand(judge: RulesJudge) -> None:
    segments = (WORK, "That is 62, which is not 51.", WORK, WORK, WORK, "The answer is 48.")
    assert judged(judge, *segments, truth="51").first_correct_segment is None


def test_a_contested_answer_is_less_sure_than_one_that_stands(judge: RulesJudge) -> None:
    def sure(found: Annotation) -> float:
        return next(s.confidence for s in found.steps if s.step is JudgeStep.LABELS)

    stands = judged(judge, WORK, "The answer is 51.", truth="51")
    contested = judged(judge, WORK, "Then 60 - 9 = 51.", WORK, WORK, WORK, "The answer is 48.", truth="51")
    no_reference = judged(judge, WORK, "The answer is 51.", truth="")
    assert sure(stands) > sure(contested) > sure(no_reference)


def test_methods_are_least_sure_at_the_bar() -> None:
    assert of_method(0.55, 0.55) == 0.5 < of_method(0.6, 0.55) < of_method(0.9, 0.55) == of_method(0.1, 0.55)


def test_a_grouping_tells_what_it_was_decided_on() -> None:
    texts = [
        "Use the sine rule on the triangle.",
        "Count lattice points in the strip.",
        "Use the sine rule on the triangle.",
    ]
    grouping = assign_clusters(texts, "How long is it?")
    assert grouping.numbers == (0, 1, 0)
    assert grouping.nearest[0] == 0.0
    assert grouping.nearest[2] == pytest.approx(1.0)
