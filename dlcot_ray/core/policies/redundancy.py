"""Policies that prune approaches and checks of a method that the trace has used before.

DLCoT (arXiv 2503.16385) step 5.1. An item is redundant when an earlier item of its kind has the same cluster
number. Clusters are compared as numbers. The last approach and traces without a verification section are
treated like all others.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.policies.base import (
    LOOP,
    Drops,
    affirming_check,
    drop_range,
    first_correct,
    name_approach,
    name_check,
    unfinished_start,
    without_unfinished,
)


def keep_one_per_cluster(annotation: Annotation) -> Drops:
    """Keep one approach per method, and one check of the answer once it is found.

    Source: DLCoT step 5.1 with one survivor per cluster. The first approach of a cluster stays. If it is
    not correct, the first correct one stays too, so that a student sees the error and its repair. The
    checks of a dropped approach are dropped with it. On the trunk (up to the end of the first correct
    approach) checks stay, because most of them are part of the work. After the trunk one check stays: the
    one that `keep_first_plus_check` keeps, else the first. Repetition loops are dropped. If a trace stops
    unsolved, its last approach stays.
    """
    drops: Drops = {}
    kept_correct: set[int] = set()
    seen: dict[int, int] = {}
    gone: set[int] = set()
    for i, approach in enumerate(annotation.approaches):
        correct = approach.label is Label.CORRECT
        if approach.cluster in seen and (not correct or approach.cluster in kept_correct):
            gone.add(i)
            reason = f"redundant: {name_approach(annotation, i)} repeats approach {seen[approach.cluster]}"
            drop_range(drops, approach.start, approach.stop, reason)
        else:
            seen.setdefault(approach.cluster, i)
        if correct:
            kept_correct.add(approach.cluster)
    trunk = first_correct(annotation)
    settled = {
        i
        for i, check in enumerate(annotation.verifications)
        if trunk is not None
        and check.approach is not None
        and check.approach >= trunk
        and check.approach not in gone
    }
    affirming = None if trunk is None else affirming_check(annotation, trunk)
    kept = min(settled, default=None) if affirming is None else affirming
    for i, check in enumerate(annotation.verifications):
        if check.approach in gone:
            reason = f"its approach is dropped: {name_check(annotation, i)}"
            drop_range(drops, check.start, check.stop, reason)
        elif i in settled and i != kept:
            reason = f"redundant: {name_check(annotation, i)}, check {kept} stays"
            drop_range(drops, check.start, check.stop, reason)
    drops = without_unfinished(drops, annotation)
    drop_loops(drops, annotation)
    return drops


def delete_multi(annotation: Annotation, last: int | None) -> Drops:
    """Drop the last `last` redundant approaches and checks, or all of them.

    Source: DLCoT step 5.1, ``delete_multi_1``, ``delete_multi_2`` and ``delete_multi_all``. The first item
    of a cluster stays, correct or not, as in the paper. If this would drop the only correct approach, the
    gates restore it. If a trace stops unsolved, its last approach stays.
    """
    redundant: list[tuple[int, int, str]] = []
    seen: set[int] = set()
    for i, approach in enumerate(annotation.approaches):
        if approach.cluster in seen:
            redundant.append((approach.start, approach.stop, f"redundant: {name_approach(annotation, i)}"))
        seen.add(approach.cluster)
    seen = set()
    for i, check in enumerate(annotation.verifications):
        if check.cluster in seen:
            reason = f"redundant: {name_check(annotation, i)}, check method {check.cluster}"
            redundant.append((check.start, check.stop, reason))
        seen.add(check.cluster)
    unfinished = unfinished_start(annotation)
    redundant = sorted(item for item in redundant if item[0] < unfinished)
    drops: Drops = {}
    for start, stop, reason in redundant if last is None else redundant[max(0, len(redundant) - last) :]:
        drop_range(drops, start, stop, reason)
    return drops


def drop_loops(drops: Drops, annotation: Annotation) -> None:
    """Add to `drops` the segments that only repeat the text directly before them."""
    for start, stop in annotation.loops:
        drop_range(drops, start, stop, LOOP)
