"""Results that the network chooses: only among places and labels that evidence allows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dlcot_ray.core.annotation import Label, ReferenceKind, Source
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.learned.results import LABELS, ResultScores, label_by, with_first

PROBLEM = "A box has 6 rows of 7 pears. How many pears are in it?"
SEGMENTS = [
    "The rows of pears fill the box.\n\n",
    "So the answer is 41.\n\n",
    "Wait, 6 * 7 is not 41, I added wrongly.\n\n",
    "So the answer is 42.\n\n",
    "Let me check by adding the rows: the answer is 42.\n\n",
]
EVEN = np.log(np.full((len(SEGMENTS), 3), 1 / 3))
PLAIN = np.array([1.0, 0.0])


@pytest.fixture(scope="module")
def checker() -> Iterator[AnswerChecker]:
    with AnswerChecker() as checker:
        yield checker


def findings(checker: AnswerChecker, truth: str | None = "42") -> Findings:
    found = find(Trace("t", PROBLEM, "".join(SEGMENTS), truth), checker)
    assert list(found.segments) == SEGMENTS
    return found


def scores(first: list[float], labels: dict[int, Label] | None = None) -> ResultScores:
    likely = EVEN.copy()
    for segment, label in (labels or {}).items():
        likely[segment] = np.log(np.where(np.arange(3) == LABELS.index(label), 0.9, 0.05))
    return ResultScores(np.array(first), likely)


def test_the_answer_first_stands_in_the_likeliest_place_that_states_it(checker: AnswerChecker) -> None:
    # The first segment is likelier still, but states nothing.
    found = with_first(findings(checker), scores([9.0, -1.0, -1.0, 1.0, 2.0]))
    assert found.first_correct_segment == 4
    assert found.answers.arrived == (False, False, False, False, True)
    found = with_first(findings(checker), scores([-1.0, -1.0, -1.0, 2.0, 1.0]))
    assert found.first_correct_segment == found.answers.first_correct == 3


def test_where_every_place_is_unlikely_the_answer_never_stands(checker: AnswerChecker) -> None:
    found = with_first(findings(checker), scores([-3.0] * 5))
    assert found.first_correct_segment is None
    assert not any(found.answers.arrived)


def test_without_a_reference_the_findings_stay(checker: AnswerChecker) -> None:
    found = find(Trace("t", "Prove that 42 is even.", "".join(SEGMENTS)), checker)
    assert found.reference is None
    assert with_first(found, scores([9.0] * 5)) is found


def test_an_approach_is_correct_only_where_it_states_the_right_value(checker: AnswerChecker) -> None:
    found = findings(checker)
    says = scores([0.0] * 5, {1: Label.CORRECT, 3: Label.CORRECT})
    wrong = label_by(says, PLAIN, found.answers, 0, 2, ReferenceKind.GROUND_TRUTH)
    assert (wrong.label, wrong.answer, wrong.segment) == (Label.INCORRECT, "41", 1)
    right = label_by(says, PLAIN, found.answers, 2, 4, ReferenceKind.GROUND_TRUTH)
    assert (right.label, right.answer, right.segment) == (Label.CORRECT, "42", 3)
    assert right.sure == pytest.approx(0.9)


def test_the_network_may_call_incomplete_what_only_mentions_the_value(checker: AnswerChecker) -> None:
    found = findings(checker)
    ends = label_by(
        scores([0.0] * 5, {3: Label.INCOMPLETE}), PLAIN, found.answers, 2, 4, ReferenceKind.GROUND_TRUTH
    )
    assert (ends.label, ends.answer, ends.source) == (Label.INCOMPLETE, None, Source.MODEL)


def test_an_approach_that_states_nothing_is_incomplete(checker: AnswerChecker) -> None:
    found = findings(checker)
    ends = label_by(
        scores([0.0] * 5, {0: Label.INCORRECT}), PLAIN, found.answers, 0, 1, ReferenceKind.GROUND_TRUTH
    )
    assert ends.label is Label.INCOMPLETE


def test_without_a_reference_the_rules_label(checker: AnswerChecker) -> None:
    found = findings(checker, None)
    says = scores([0.0] * 5, {0: Label.CORRECT})
    ends = label_by(says, PLAIN, found.answers, 0, 1, ReferenceKind.NONE)
    assert (ends.label, ends.sure) == (Label.INCOMPLETE, None)
