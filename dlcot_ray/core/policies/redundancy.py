"""Policies that prune approaches and checks of a method that the trace has already used.

DLCoT (arXiv 2503.16385) step 5.1. An item is redundant when an earlier item of its kind has the same
cluster number; clusters are compared as numbers, and the last approach and traces without a
verification section are treated like all others.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.policies.base import (
    Drops,
    conclusion_start,
    drop_range,
    first_correct,
    unfinished_start,
)


def keep_one_per_cluster(annotation: Annotation) -> Drops:
    """Keep one approach per method, and one check of the answer once it is found (the default).

    Of a cluster its first approach stays, and its first correct one too where the first is not correct:
    the step from a wrong turn to its repair is worth learning. A dropped approach takes its checks
    along; on the trunk (before the first correct approach ends) checks stay, being part of the work more
    often than not. Text that only loops goes as well. Where a trace breaks off unsolved, its last attempt
    stays.
    """
    drops: Drops = {}
    kept_correct: set[int] = set()
    seen: dict[int, int] = {}
    gone: set[int] = set()
    for i, approach in enumerate(annotation.approaches):
        correct = approach.label is Label.CORRECT
        if approach.cluster in seen and (not correct or approach.cluster in kept_correct):
            gone.add(i)
            reason = f"redundant: same method as approach {seen[approach.cluster]}"
            drop_range(drops, approach.start, approach.stop, reason)
        else:
            seen.setdefault(approach.cluster, i)
        if correct:
            kept_correct.add(approach.cluster)
    checked = False
    trunk = first_correct(annotation)
    for check in annotation.verifications:
        settled = trunk is not None and check.approach is not None and check.approach >= trunk
        if check.approach in gone:
            drop_range(drops, check.start, check.stop, f"checks dropped approach {check.approach}")
        elif settled and checked:
            drop_range(drops, check.start, check.stop, "redundant: checked before")
        else:
            checked = checked or settled
    drops = _without_unfinished(drops, annotation)
    for start, stop in annotation.loops:
        drop_range(drops, start, stop, "repetition loop")
    return drops


def delete_multi(annotation: Annotation, last: int | None) -> Drops:
    """Drop the last `last` redundant approaches and checks, or all of them (``delete_multi_1/2/all``).

    Where a trace breaks off unsolved, its last attempt stays.
    """
    redundant: list[tuple[int, int, str]] = []
    seen: set[int] = set()
    for approach in annotation.approaches:
        if approach.cluster in seen:
            redundant.append(
                (approach.start, approach.stop, f"redundant: approach cluster {approach.cluster}")
            )
        seen.add(approach.cluster)
    seen = set()
    for check in annotation.verifications:
        if check.cluster in seen:
            redundant.append((check.start, check.stop, f"redundant: verification cluster {check.cluster}"))
        seen.add(check.cluster)
    unfinished = unfinished_start(annotation)
    redundant = sorted(item for item in redundant if item[0] < unfinished)
    drops: Drops = {}
    for start, stop, reason in redundant if last is None else redundant[max(0, len(redundant) - last) :]:
        drop_range(drops, start, stop, reason)
    return drops


def _without_unfinished(drops: Drops, annotation: Annotation) -> Drops:
    unfinished = unfinished_start(annotation)
    return {unit: reason for unit, reason in drops.items() if unit < unfinished}


def keep_first(annotation: Annotation) -> Drops:
    """Keep everything up to the end of the first correct approach, and the conclusion."""
    index = first_correct(annotation)
    drops: Drops = {}
    if index is not None:
        stop = annotation.approaches[index].stop
        drop_range(drops, stop, conclusion_start(annotation), f"after the first correct approach {index}")
    return drops


def earliest_correct_prefix(annotation: Annotation) -> Drops:
    """Keep the shortest prefix that ends where a correct approach first states its answer."""
    index = first_correct(annotation)
    drops: Drops = {}
    if index is not None and (unit := annotation.approaches[index].answer_unit) is not None:
        count = len(annotation.unit_offsets) - 1
        drop_range(drops, unit + 1, count, "after the first correct answer")
    return drops
