"""Policies by a model's scores: what goes first, what a budget leaves alone, and what happens without scores."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dlcot_ray.core.annotation import Annotation, SegmentScore
from dlcot_ray.core.enhance import UNGATED, enhance
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.policies.base import PolicyError
from dlcot_ray.core.policies.registry import DEFAULT_POLICY, parse_policy, policy_help, reads_scores
from dlcot_ray.core.policies.scores import Scores, mean_surprisal, rank_surprisal_ratio
from dlcot_ray.core.trace import Trace
from tests.support.annotations import AFFIRMS, CORRECT, annotated

LINES = [
    "I need the number of pears in 6 rows of 7.",
    "6 * 7 = 42, so 42.",
    "Alternatively, by columns: 7 * 6 = 42, so 42 again.",
    "Or with tens: 10 * 7 - 4 * 7 = 70 - 28 = 42, so 42.",
    "Check: 42 / 7 = 6, good.",
    "So there are 42 pears.",
]
SCORES = [
    (10, 9.0, 3.0, 12.0),
    (8, 7.0, 1.0, 9.0),
    (12, 30.0, 0.5, 4.0),
    (20, 8.0, 2.5, 3.0),
    (9, 2.0, 4.0, 1.0),
]


def scored(entropy: bool = True) -> tuple[Trace, Annotation]:
    """A trace of three approaches; the third is the most predictable one. The last line was not shown."""
    trace, annotation = annotated(
        LINES,
        [(0, 2, CORRECT, 0), (2, 3, CORRECT, 1), (3, 4, CORRECT, 2)],
        [(4, 5, 0, 0)],
        conclusion=5,
        kinds=(AFFIRMS,),
    )
    scores = [
        SegmentScore(tokens, surprisal, first, 3 * tokens, sure if entropy else None)
        for tokens, surprisal, first, sure in SCORES
    ]
    return trace, replace(annotation, scores=(*scores, SegmentScore()), scored_by="m@1")


def kept(policy: str, annotation: Annotation) -> list[int]:
    drops = parse_policy(policy).drops(annotation)
    return [i for i in range(len(LINES)) if i not in drops]


def test_the_papers_cuts_keep_the_segments_with_the_highest_scores() -> None:
    _, annotation = scored()
    assert kept("step_entropy_50", annotation) == [0, 1]
    assert kept("first_token_surprisal_25", annotation) == [4]
    assert kept("first_token_surprisal_45", annotation) == [0, 4]


def test_a_budget_drops_what_the_model_could_predict_first_and_no_more_than_needed() -> None:
    trace, annotation = scored()
    assert parse_policy(DEFAULT_POLICY).drops(annotation).keys() == {2, 3}
    size = len(trace.reasoning)
    third, second = len(LINES[3]) + 2, len(LINES[2]) + 2
    assert kept("budget_99", annotation) == [0, 1, 2, 4, 5]
    assert kept(f"budget_{100 * (size - third) // size + 1}", annotation) == [0, 1, 2, 4, 5]
    assert kept(f"budget_{100 * (size - third - second) // size}", annotation) == [0, 1, 4, 5]
    # What the default policy keeps stays, whatever the budget.
    assert kept("budget_1", annotation) == [0, 1, 4, 5]
    assert kept("budget_45_tokens", annotation) == [0, 1, 2, 4, 5]
    assert kept("budget_38_tokens", annotation) == [0, 1, 4, 5]
    assert kept("budget_59_tokens", annotation) == [0, 1, 2, 3, 4, 5]


def test_gates_hold_for_a_budget_and_not_for_the_baselines() -> None:
    trace, annotation = scored()
    made = enhance(trace, annotation, parse_policy("budget_50"))
    assert made.gates
    assert all(gate.passed for gate in made.gates)
    assert "42 pears" in made.reasoning
    assert enhance(trace, annotation, parse_policy("step_entropy_10")).reason == UNGATED
    with pytest.raises(PolicyError, match="step_entropy_10 is a baseline without gates"):
        parse_policy("step_entropy_10+keep_first")
    assert parse_policy("budget_50+clean_local").scores is Scores.SURPRISAL


@pytest.mark.parametrize("policy", ["budget_50", "step_entropy_50", "first_token_surprisal_50"])
def test_without_scores_nothing_goes_and_the_row_says_so(policy: str) -> None:
    trace, annotation = scored()
    made = enhance(trace, replace(annotation, scores=()), parse_policy(policy))
    assert (made.status, made.reason, made.reasoning) == (Status.UNCHANGED, "no_scores", trace.reasoning)


def test_entropy_is_a_score_of_its_own() -> None:
    trace, annotation = scored(entropy=False)
    assert enhance(trace, annotation, parse_policy("step_entropy_50")).reason == "no_scores"
    assert enhance(trace, annotation, parse_policy("first_token_surprisal_50")).reason == UNGATED


def test_which_scores_a_policy_reads() -> None:
    assert reads_scores(DEFAULT_POLICY) is None
    assert reads_scores("budget_70+preference_pairs") is Scores.SURPRISAL
    assert reads_scores("step_entropy_20") is Scores.ENTROPY
    for name in ("step_entropy_100", "budget_0", "budget_tokens", "first_token_surprisal"):
        with pytest.raises(PolicyError, match="unknown policy"):
            parse_policy(name)
    assert {"step_entropy_P", "budget_P"} <= policy_help().keys()


def test_figures_of_a_trace() -> None:
    _, annotation = scored()
    assert mean_surprisal(annotation.scores[2:4]) == pytest.approx(38 / 32)
    assert rank_surprisal_ratio(annotation) == pytest.approx(3 * 59 / 56)
    assert rank_surprisal_ratio(replace(annotation, scores=())) is None
