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


def test_an_intermediate_value_is_not_the_answer(judge: RulesJudge) -> None:
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


def test_a_value_followed_by_a_check_is_the_answer(judge: RulesJudge) -> None:
    segments = (WORK, "Adding up, 12 + 24 = 36.", "Wait, is that right?", WORK, WORK, "\\boxed{36}")
    assert judged(judge, *segments, truth="36").first_correct_segment == 1


def test_a_number_from_the_problem_is_not_the_answer(judge: RulesJudge) -> None:
    segments = ("The edges a, b, c give 4(a+b+c) = 52.", "Wait, is that so?", WORK, "The answer is 52.")
    problem = "The edges of a box add up to 52. How long are they together?"
    assert judged(judge, *segments, truth="52", problem=problem).first_correct_segment == 3


def test_a_denied_value_is_not_the_answer(judge: RulesJudge) -> None:
    segments = (WORK, "That is 62, which is not 51.", WORK, WORK, WORK, "The answer is 48.")
    assert judged(judge, *segments, truth="51").first_correct_segment is None


def test_a_contested_answer_has_a_lower_confidence(judge: RulesJudge) -> None:
    def sure(found: Annotation) -> float:
        return next(s.confidence for s in found.steps if s.step is JudgeStep.LABELS)

    stands = judged(judge, WORK, "The answer is 51.", truth="51")
    contested = judged(judge, WORK, "Then 60 - 9 = 51.", WORK, WORK, WORK, "The answer is 48.", truth="51")
    no_reference = judged(judge, WORK, "The answer is 51.", truth="")
    assert sure(stands) > sure(contested) > sure(no_reference)


def test_confidence_in_methods_is_lowest_at_the_threshold() -> None:
    assert of_method(0.55, 0.55) == 0.5 < of_method(0.6, 0.55) < of_method(0.9, 0.55) == of_method(0.1, 0.55)


def test_a_grouping_contains_the_similarity_that_decided() -> None:
    texts = [
        "Use the sine rule on the triangle.",
        "Count lattice points in the strip.",
        "Use the sine rule on the triangle.",
    ]
    grouping = assign_clusters(texts, "How long is it?")
    assert grouping.numbers == (0, 1, 0)
    assert grouping.nearest[0] == 0.0
    assert grouping.nearest[2] == pytest.approx(1.0)


def test_an_unreduced_fraction_is_the_answer(judge: RulesJudge) -> None:
    segments = (WORK, "So the probability is 386/1024.", "Can that be reduced?", "So it is 193/512.")
    problem = "What is the probability that Kim wins?"
    assert judged(judge, *segments, truth="\\dfrac{193}{512}", problem=problem).first_correct_segment == 1


def test_what_the_problem_writes_itself_is_no_answer(judge: RulesJudge) -> None:
    problem = "Write $\\cos(t) + \\sin(t)$ with a single cosine."
    segments = (
        "So I have \\(f(t) = \\cos(t) + \\sin(t)\\).",
        WORK,
        "So \\(f(t) = \\sqrt{2} \\cos(t - \\frac{\\pi}{4})\\).",
    )
    found = judged(judge, *segments, truth="\\sqrt{2}\\cos(t-\\pi/4)", problem=problem)
    assert found.first_correct_segment == 2


def test_an_expression_still_to_be_computed_is_no_answer(judge: RulesJudge) -> None:
    segments = (WORK, "So w = (4 - 2i) + (2 - 3i).", WORK, WORK, WORK, "So w = 6 - 5i.", "Let me check.")
    assert judged(judge, *segments, truth="6 - 5i", problem="Find $w$.").first_correct_segment == 5


@pytest.mark.parametrize(
    ("problem", "segments", "truth", "first"),
    [
        (
            "What is the value of $\\sqrt{3! + 3!+ 4!}$?",
            (
                "3! is 3 times 2 times 1, which is 6. So, 3! is 6.",
                "Now, sqrt(6 + 6 + 24) is sqrt(36), so it is 6.",
            ),
            "6",
            1,
        ),
        (
            "Find $p + q$.",
            ("The first line gives p = 31.", WORK, "Then q = 0, and p + q = 31."),
            "31",
            2,
        ),
    ],
)
def test_a_part_of_what_is_asked_is_not_the_answer(
    judge: RulesJudge, problem: str, segments: tuple[str, ...], truth: str, first: int
) -> None:
    found = judged(judge, *segments, f"So the answer is {truth}.", truth=truth, problem=problem)
    assert found.first_correct_segment == first
