"""Policies that end a trace after its answer: the trunk stays, the text after the answer is dropped.

The trunk is everything up to and including the first correct approach. DLCoT (arXiv 2503.16385) finds that it
carries what a student learns. A trace without a correct approach has no trunk and stays unchanged.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.base import (
    Drops,
    affirming_check,
    conclusion_start,
    drop_between,
    first_correct,
)


def keep_first(annotation: Annotation) -> Drops:
    """Keep everything up to the end of the first correct approach, and the conclusion.

    Source: DLCoT step 5.1, ``keep_first``.
    """
    drops: Drops = {}
    if (index := first_correct(annotation)) is not None:
        stop = annotation.approaches[index].stop
        drop_between(drops, annotation, stop, conclusion_start(annotation), "after the solution")
    return drops


def keep_first_plus_check(annotation: Annotation) -> Drops:
    """Keep the trunk, the first check that affirms its answer, and the conclusion.

    Source: DLCoT step 5.1, ``keep_first``, with one verification as in the paper's structure. The check
    must belong to the correct approach and must not be longer than it, because a longer check is a second
    solution.
    """
    drops: Drops = {}
    if (index := first_correct(annotation)) is None:
        return drops
    kept = affirming_check(annotation, index)
    at, end = annotation.approaches[index].stop, conclusion_start(annotation)
    if kept is not None:
        check = annotation.verifications[kept]
        drop_between(drops, annotation, at, min(check.start, end), "after the solution")
        at = check.stop
    drop_between(drops, annotation, at, end, "after the solution")
    return drops


def earliest_correct_prefix(annotation: Annotation) -> Drops:
    """Keep the shortest prefix that ends where a correct approach first states its answer.

    Source: the prefix pruning of "first correct solution" datasets, e.g. "Do NOT think that much for 2+3=?"
    (arXiv 2412.21187, first-correct solutions), applied to one trace.
    """
    drops: Drops = {}
    index = first_correct(annotation)
    if index is not None and (segment := annotation.approaches[index].answer_segment) is not None:
        count = len(annotation.segment_offsets) - 1
        drop_between(drops, annotation, segment + 1, count, "after the first correct answer")
    return drops
