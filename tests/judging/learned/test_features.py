"""Features: what stands in which column, and that they depend on the trace alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.learned.arrays import bucketed, shifted
from dlcot_ray.judging.learned.evidence import Evidence, read_evidence
from dlcot_ray.judging.learned.features import BUCKETS, MOST_WORDS, _Buckets
from dlcot_ray.judging.learned.judge import case_of
from dlcot_ray.judging.learned.signs import signs_of

PROBLEM = "A shelf holds 9 books. How many pairs of books are there?"
TEXT = """The task: 9 books on a shelf, count the pairs.

Each pair is a choice of 2 from 9, so 9*8/2 = 36. The answer is 36.

Let me check: 8+7+6+5+4+3+2+1 = 36. Yes, the answer is 36.

So there are 36 pairs."""


@pytest.fixture(scope="module")
def checker() -> Iterator[AnswerChecker]:
    with AnswerChecker() as checker:
        yield checker


@pytest.fixture
def found(checker: AnswerChecker) -> Findings:
    return find(Trace("t", PROBLEM, TEXT, "36"), checker)


def evidence_of(found: Findings) -> Evidence:
    return read_evidence(found, PROBLEM, np.array([signs_of(s) for s in found.segments], dtype=np.float64))


def test_what_the_trace_ends_on_is_counted(found: Findings) -> None:
    # One-hot: how often the final value was stated before each segment.
    assert evidence_of(found).closing.argmax(axis=1).tolist() == [0, 0, 1, 2]


def test_new_equations_are_those_with_a_number_of_their_own(found: Findings) -> None:
    new_equation = evidence_of(found).events[:, 3]
    assert new_equation.tolist() == [0, 1, 1, 0]


def test_a_trace_that_ends_on_a_wrong_value_is_seen_to_repeat_it(checker: AnswerChecker) -> None:
    found = find(Trace("t", PROBLEM, TEXT, "37"), checker)
    evidence = evidence_of(found)
    assert evidence.phase[:, 0].all()
    assert evidence.closing.argmax(axis=1)[-1] > 0


def test_features_depend_on_the_trace_alone(found: Findings) -> None:
    one, two = case_of(found, PROBLEM), case_of(found, PROBLEM)
    assert np.array_equal(one.columns, two.columns)
    assert all(np.array_equal(a, b) for a, b in zip(one.words, two.words, strict=True))
    assert set(np.unique(one.columns)) <= {0.0, 1.0}
    assert all(words.min() >= 0 and words.max() < BUCKETS for words in one.words)


def test_an_answer_stands_behind_the_segment_that_states_it(found: Findings) -> None:
    assert case_of(found, PROBLEM).standing.tolist() == [False, False, True, True]


def test_words_that_are_no_longer_remembered_have_the_same_bucket() -> None:
    buckets = _Buckets("any")
    before = [buckets[f"word{i}"] for i in range(MOST_WORDS)]
    assert len(buckets) <= MOST_WORDS
    again = buckets["one more"]
    assert len(buckets) == 1
    assert again == buckets["one more"]
    assert [buckets[f"word{i}"] for i in range(9)] == before[:9]


def test_every_trace_has_the_same_columns(checker: AnswerChecker, found: Findings) -> None:
    single = find(Trace("t", "", "x", None), checker)
    assert case_of(single, "").columns.shape == (1, case_of(found, PROBLEM).columns.shape[1])


def test_rows_are_shifted_and_values_bucketed() -> None:
    rows = np.array([[1.0], [2.0], [3.0]])
    assert shifted(rows, 1)[:, 0].tolist() == [2, 3, 0]
    assert shifted(rows, -2)[:, 0].tolist() == [0, 0, 1]
    assert shifted(rows, 5)[:, 0].tolist() == [0, 0, 0]
    assert bucketed([0, 1, 1.5, 9], (1, 2)).argmax(axis=1).tolist() == [0, 1, 1, 2]
