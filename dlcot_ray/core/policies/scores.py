"""Figures from a model's scores of a trace (`SegmentScore`). Pure.

In: an annotation with scores. Out: how surprising its segments are, and the rank-surprisal ratio of the
trace. Scores are those of the judge's own model on its numbered prompt, not of a student on a chat turn: they
order the segments and traces of one job, and are no likelihoods to compare between models.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from dlcot_ray.core.annotation import Annotation, SegmentScore


class Scores(StrEnum):
    """What the model's engine is asked for."""

    SURPRISAL = "surprisal"
    """Log-probability and rank of each token of the trace."""
    ENTROPY = "entropy"
    """These, and how sure the model was of each token."""


def has_scores(annotation: Annotation, wanted: Scores) -> bool:
    """Whether the annotation holds what is wanted."""
    scored = [score for score in annotation.scores if score.tokens]
    if wanted is Scores.ENTROPY:
        return bool(scored) and all(score.entropy is not None for score in scored)
    return bool(scored)


def mean_surprisal(scores: Iterable[SegmentScore]) -> float:
    """Nats per token; 0 for text that was not shown, because it only repeats."""
    tokens, surprisal = 0, 0.0
    for score in scores:
        tokens += score.tokens
        surprisal += score.surprisal
    return surprisal / tokens if tokens else 0.0


def rank_surprisal_ratio(annotation: Annotation) -> float | None:
    """Sum of the tokens' ranks over the sum of their surprisals; None without scores.

    Source: RSR, arXiv 2601.14249, where traces with a lower ratio taught a student more: improbable to it,
    yet near the top of its predictions. The paper scores with the student to be trained.
    """
    surprisal = sum(score.surprisal for score in annotation.scores)
    return sum(score.ranks for score in annotation.scores) / surprisal if surprisal > 0 else None
