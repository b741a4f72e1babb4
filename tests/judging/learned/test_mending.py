"""What evidence mends in a structure that the model finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dlcot_ray.core.annotation import Label, SectionKind, Source
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import find
from dlcot_ray.judging.learned.mending import mend
from dlcot_ray.judging.rules.judge import Labeller
from dlcot_ray.judging.rules.labels import ApproachLabel
from dlcot_ray.judging.rules.runs import Run

PROBLEM = "A box has 6 rows of 7 pears. How many pears are in it?"
SETS_UP = "There are 6 rows of pears in the box.\n\n"
ANSWERS = "So the number of pears is 6 * 7, and the answer is 42.\n\n"
CHECKS = "Let me check by adding the rows: seven and so on. Yes, that works.\n\n"
ASIDE = "Another way would be to weigh the box, which gets complicated.\n\n"
EXPLORE, VERIFY, CONCLUSION = (
    SectionKind.SOLUTION_EXPLORE,
    SectionKind.VERIFY,
    SectionKind.CONCLUSION,
)


@pytest.fixture(scope="module")
def checker() -> Iterator[AnswerChecker]:
    with AnswerChecker() as checker:
        yield checker


def mended(checker: AnswerChecker, segments: list[str], runs: list[Run]) -> list[Run]:
    found = find(Trace("t", PROBLEM, "".join(segments), "42"), checker)
    assert list(found.segments) == segments
    return mend(runs, found)


def test_an_approach_takes_the_answer_with_which_a_check_would_begin(checker: AnswerChecker) -> None:
    runs = [Run(EXPLORE, 0, 1), Run(VERIFY, 1, 3)]
    assert mended(checker, [SETS_UP, ANSWERS, CHECKS], runs) == [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 3)]


def test_an_approach_that_is_right_where_the_answer_first_stands_takes_all_checks_before_it(
    checker: AnswerChecker,
) -> None:
    segments = [SETS_UP, "So 6 rows of 6 pears would be 36.\n\n", CHECKS, ANSWERS, CHECKS]
    runs = [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 3), Run(VERIFY, 3, 5)]
    found = find(Trace("t", PROBLEM, "".join(segments), "42"), checker)

    def says(label: Label) -> Labeller:
        return lambda answers, start, stop, kind: ApproachLabel(label, None, None, Source.MODEL)

    assert mend(runs, found, says(Label.CORRECT)) == [Run(EXPLORE, 0, 4), Run(VERIFY, 4, 5)]
    assert mend(runs, found, says(Label.INCORRECT)) == runs


def test_a_check_that_is_only_the_answer_goes_whole(checker: AnswerChecker) -> None:
    runs = [Run(EXPLORE, 0, 1), Run(VERIFY, 1, 2), Run(CONCLUSION, 2, 3)]
    found = mended(checker, [SETS_UP, ANSWERS, CHECKS], runs)
    assert found == [Run(EXPLORE, 0, 2), Run(CONCLUSION, 2, 3)]


def test_an_approach_that_has_its_answer_takes_nothing(checker: AnswerChecker) -> None:
    runs = [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 4)]
    assert mended(checker, [SETS_UP, ANSWERS, CHECKS, ANSWERS], runs) == runs


def test_what_reaches_nothing_behind_a_correct_approach_is_a_check(checker: AnswerChecker) -> None:
    runs = [Run(EXPLORE, 0, 2), Run(EXPLORE, 2, 3)]
    assert mended(checker, [SETS_UP, ANSWERS, ASIDE], runs) == [Run(EXPLORE, 0, 2), Run(VERIFY, 2, 3)]


def test_what_reaches_nothing_before_it_stays_an_approach(checker: AnswerChecker) -> None:
    runs = [Run(EXPLORE, 0, 1), Run(EXPLORE, 1, 3)]
    assert mended(checker, [ASIDE, SETS_UP, ANSWERS], runs) == runs


def test_a_check_that_ends_in_doubt_goes_on_with_the_next_look(checker: AnswerChecker) -> None:
    doubt = "Let me count again: that makes 41, so something is off.\n\n"
    runs = [Run(EXPLORE, 0, 1), Run(VERIFY, 1, 2), Run(VERIFY, 2, 3), Run(VERIFY, 3, 4)]
    found = mended(checker, [ANSWERS, doubt, CHECKS, CHECKS], runs)
    assert found == [Run(EXPLORE, 0, 1), Run(VERIFY, 1, 3), Run(VERIFY, 3, 4)]
