"""Policies by what a model thought of each segment (`scores`): two baselines of papers, and a budget.

In: an annotation with scores. Out: drops; none where the scores are missing. `step_entropy` and
`first_token_surprisal` are cuts as the papers make them, anywhere in the trace, so they are baselines without
gates. `budget` drops no segment that the default policy would keep, and all gates hold for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import groupby, pairwise

from dlcot_ray.core.annotation import Annotation, SegmentScore
from dlcot_ray.core.policies.base import Drops, PolicyFunction
from dlcot_ray.core.policies.baselines import all_but, within
from dlcot_ray.core.policies.reasons import owners
from dlcot_ray.core.policies.redundancy import keep_one_per_cluster
from dlcot_ray.core.policies.scores import Scores, has_scores, mean_surprisal
from dlcot_ray.core.policies.trunk import keep_first_plus_check

_RANKED = re.compile(r"(step_entropy|first_token_surprisal)_([1-9]\d?)")
_BUDGET = re.compile(r"budget_(?:(?P<percent>[1-9]\d?)|(?P<tokens>[1-9]\d*)_tokens)")

_KEYS: dict[str, tuple[Scores, Callable[[SegmentScore], float]]] = {
    "step_entropy": (Scores.ENTROPY, lambda score: score.entropy or 0.0),
    "first_token_surprisal": (Scores.SURPRISAL, lambda score: score.first),
}

HELP = {
    "step_entropy_P": "baseline without gates: keep P percent of the characters, segments of the highest "
    "entropy (needs judge_options.scores=entropy)",
    "first_token_surprisal_P": "baseline without gates: the same by the surprisal of a segment's first token "
    "(needs scores)",
    "budget_P": "of what the default policy drops, only as much as brings the trace to P percent of its "
    "characters, what the model could predict best first (needs scores)",
    "budget_N_tokens": "the same, down to N tokens of the judge's model",
}


def ranked(name: str) -> tuple[PolicyFunction, Scores] | None:
    """The baseline that is called so, e.g. ``step_entropy_20``, and the scores that it reads; else None.

    Source: step entropy, arXiv 2508.03346 (low entropy goes); ASAP, arXiv 2508.05988 (a low surprisal of the
    first token goes; its first stage, a model's own shorter trace as an anchor, is not made here).
    """
    if (match := _RANKED.fullmatch(name)) is None:
        return None
    wanted, key = _KEYS[match[1]]
    return partial(_highest, int(match[2]), wanted, key), wanted


def budget(name: str) -> PolicyFunction | None:
    """The budget that is called so, e.g. ``budget_70`` or ``budget_2000_tokens``; None if it is none."""
    if (match := _BUDGET.fullmatch(name)) is None:
        return None
    if match["percent"]:
        return partial(within_budget, percent=int(match["percent"]))
    return partial(within_budget, tokens=int(match["tokens"]))


def within_budget(annotation: Annotation, percent: int | None = None, tokens: int | None = None) -> Drops:
    """Drop redundant items, the most predictable first, until the trace fits.

    An item is an approach, a check or the text between two, as far as the default policy drops it. Its
    importance is its mean surprisal per token. What the default policy keeps stays, so the budget may be
    missed. One of `percent` (of the characters) and `tokens` is given.
    """
    if not has_scores(annotation, Scores.SURPRISAL):
        return {}
    sizes = [score.tokens for score in annotation.scores]
    limit: float = tokens or 0
    if percent is not None:
        sizes = [stop - start for start, stop in pairwise(annotation.segment_offsets)]
        limit = percent / 100 * sum(sizes)
    drops = keep_first_plus_check(annotation)
    for segment, reason in keep_one_per_cluster(annotation).items():
        drops.setdefault(segment, reason)
    left = sum(sizes)
    kept: Drops = {}
    for item in sorted(_items(annotation, drops), key=partial(_importance, annotation)):
        if left <= limit:
            break
        kept |= {segment: drops[segment] for segment in item}
        left -= sum(sizes[segment] for segment in item)
    return kept


def _highest(
    percent: int, wanted: Scores, key: Callable[[SegmentScore], float], annotation: Annotation
) -> Drops:
    """Keep the segments with the highest values, up to `percent` of the characters."""
    if not has_scores(annotation, wanted):
        return {}
    values = [key(score) for score in annotation.scores]
    order = sorted(range(len(values)), key=lambda segment: (-values[segment], segment))
    return all_but(annotation, within(annotation, order, percent))


def _items(annotation: Annotation, drops: Iterable[int]) -> list[Sequence[int]]:
    """The dropped segments by the item that they are part of."""
    owned = owners(annotation)
    return [list(group) for _, group in groupby(sorted(drops), key=lambda segment: owned[segment])]


def _importance(annotation: Annotation, item: Sequence[int]) -> tuple[float, int]:
    return mean_surprisal(annotation.scores[segment] for segment in item), item[0]
