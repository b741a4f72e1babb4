"""Policies that end a trace after its answer: the trunk stays, the text after the answer is dropped.

The trunk is everything up to and including the item where the right answer first stands, nearly always the
first correct approach. DLCoT (arXiv 2503.16385) finds that it carries what a student learns. A trace without
a right answer has no trunk and stays unchanged.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.base import Drops, drop_range
from dlcot_ray.core.policies.standing import first_correct, standing

AFTER = "after the solution"
AFTER_ANSWER = "after the first correct answer"


def keep_first(annotation: Annotation) -> Drops:
    """Keep everything up to the end of the trunk, and the conclusion.

    Source: DLCoT step 5.1, ``keep_first``.
    """
    drops: Drops = {}
    if (stays := standing(annotation)) is not None:
        drop_range(drops, stays.trunk, stays.closing, AFTER)
    return drops


def keep_first_plus_check(annotation: Annotation) -> Drops:
    """Keep the trunk, the first check that affirms its answer, and the conclusion.

    Source: DLCoT step 5.1, ``keep_first``, with one verification as in the paper's structure.
    """
    drops: Drops = {}
    if (stays := standing(annotation)) is None:
        return drops
    at = stays.trunk
    if stays.check is not None:
        check = annotation.verifications[stays.check]
        drop_range(drops, at, min(check.start, stays.closing), AFTER)
        at = check.stop
    drop_range(drops, at, stays.closing, AFTER)
    return drops


def earliest_correct_prefix(annotation: Annotation) -> Drops:
    """Keep the shortest prefix that ends where a correct approach first states its answer.

    Source: the prefix pruning of "first correct solution" datasets, e.g. "Do NOT think that much for 2+3=?"
    (arXiv 2412.21187, first-correct solutions), applied to one trace.
    """
    drops: Drops = {}
    index = first_correct(annotation)
    if index is not None and (segment := annotation.approaches[index].answer_segment) is not None:
        drop_range(drops, segment + 1, len(annotation.segment_offsets) - 1, AFTER_ANSWER)
    return drops
