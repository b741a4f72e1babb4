"""From the log-probabilities of a prompt to scores of segments. Pure.

In: what an engine says of the tokens of a prompt, and where each segment stands in it. Out: one
`SegmentScore` per segment. The request that fills the prefix cache computes the hidden state of each token of
the trace anyway, so its log-probabilities cost one more product with the output matrix.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from dlcot_ray.core.annotation import MAX_RANK, SegmentScore
from dlcot_ray.core.policies.scores import Scores
from dlcot_ray.judging.model.engine import Completion, Constraint

LIKELIEST = 20
"""Tokens at each place whose probabilities make up the entropy: the most that vLLM gives by default."""


@dataclass(frozen=True, slots=True)
class TokenScore:
    """Of one token of a prompt: its log-probability (nats), its rank from 1, the entropy at its place."""

    logprob: float
    rank: int
    entropy: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Tokens `[start, stop)` of a prompt are the text of one segment, without its mark."""

    segment: int
    start: int
    stop: int


@runtime_checkable
class ScoringEngine(Protocol):
    """An engine that also tells what it thinks of the tokens of a prompt."""

    async def scored(
        self, prompt: Sequence[int], constraint: Constraint, max_tokens: int, *, start: int, scores: Scores
    ) -> tuple[Completion, Sequence[TokenScore]]:
        """As `complete`, greedy, with a score of each token of the prompt from `start` on (at least 1).

        Raises:
            RequestError: this request cannot be served.
            JudgeDied: the engine has stopped.
        """
        ...


def entropy_of(logprobs: Sequence[float]) -> float:
    """The entropy in nats of the likeliest tokens, with the rest of the vocabulary as one more token."""
    total = entropy = 0.0
    for logprob in logprobs:
        chance = math.exp(logprob)
        total += chance
        entropy -= chance * logprob if chance else 0.0
    rest = 1.0 - total
    return entropy - rest * math.log(rest) if rest > 1e-9 else entropy


def segment_scores(
    tokens: Sequence[TokenScore], start: int, places: Sequence[Place]
) -> dict[int, SegmentScore]:
    """The score of each segment.

    Args:
        tokens: of the prompt's tokens from `start` on.
        places: where the segments stand; those without tokens get no score.
    """
    made: dict[int, SegmentScore] = {}
    for place in places:
        mine = tokens[place.start - start : place.stop - start]
        if mine:
            entropies = [token.entropy for token in mine if token.entropy is not None]
            made[place.segment] = SegmentScore(
                tokens=len(mine),
                surprisal=-sum(token.logprob for token in mine),
                first=-mine[0].logprob,
                ranks=sum(min(token.rank, MAX_RANK) for token in mine),
                entropy=sum(entropies) if len(entropies) == len(mine) else None,
            )
    return made


def all_scores(made: Mapping[int, SegmentScore], count: int) -> tuple[SegmentScore, ...]:
    """One score for each of `count` segments, or none where no segment has one."""
    return tuple(made.get(segment, SegmentScore()) for segment in range(count)) if made else ()
