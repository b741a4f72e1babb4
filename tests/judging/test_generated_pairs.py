"""400 pairs of answers with known truth: nearly all are decided rightly, and none that differ are equal."""

from __future__ import annotations

import pytest

from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.judging.equivalence import AnswerChecker, Verdict
from tests.support.answer_pairs import MAKERS, answer_pairs

PAIRS = answer_pairs(seed=20, count=420)


def test_generated_pairs_are_of_every_kind_and_of_both_labels() -> None:
    assert {pair.kind for pair in PAIRS} == {maker.__name__ for maker in MAKERS}
    assert 0.4 < sum(pair.equal for pair in PAIRS) / len(PAIRS) < 0.6


def test_results_without_a_cas_are_never_wrong() -> None:
    decided = [(pair, quick_equivalent(pair.answer, pair.reference)) for pair in PAIRS]
    assert [pair for pair, equal in decided if equal is not None and equal is not pair.equal] == []
    assert sum(equal is not None for _, equal in decided) > 250


@pytest.mark.timeout(300)
def test_generated_pairs_are_decided_rightly() -> None:
    with AnswerChecker(timeout_seconds=20) as checker:
        verdicts = [checker.verdict(pair.answer, pair.reference) for pair in PAIRS]
    found = list(zip(PAIRS, verdicts, strict=True))
    assert [pair for pair, verdict in found if verdict is Verdict.EQUAL and not pair.equal] == []
    assert [pair for pair, verdict in found if verdict is Verdict.DIFFERENT and pair.equal] == []
    wrong = [pair for pair, verdict in found if (verdict is Verdict.EQUAL) != pair.equal]
    assert len(wrong) <= 0.03 * len(found), wrong
