"""Policies that prune approaches and checks of a method that the trace has used before.

DLCoT (arXiv 2503.16385) step 5.1. An item is redundant when an earlier item of its kind has the same cluster
number. Clusters are compared as numbers. The last approach and traces without a verification section are
treated like all others.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation, Label
from dlcot_ray.core.policies.base import LOOP, Drops, drop_range, without_unfinished
from dlcot_ray.core.policies.standing import Standing, standing, unfinished_start

REDUNDANT = "redundant"
ITS_APPROACH = "its approach is dropped"

SURE = 0.96
"""Least confidence in an approach's label and method for a cut on the way to the answer.

Similar words give at most 0.95: of ten such cuts that rested on them, eight took what readers keep.
"""

FULLNESS = 0.25
"""Least length of the approach that stays, as a share of the one that repeats its method.

A shorter one is an announcement, and the work is in the later one.
"""


def keep_one_per_cluster(annotation: Annotation) -> Drops:
    """Keep one approach per method, and one check of the answer once it stands.

    Source: DLCoT step 5.1 with one survivor per cluster. On the way to the answer only an approach goes that
    reaches none and repeats the method of one that is about as full; wrong answers stay with their
    correction. Behind the trunk an approach goes if its method is that of an earlier one, unless it is the
    first correct one of its method. Checks of a dropped approach go with it. Behind the trunk one check
    stays: the one that `standing` names, else the first. Repetition loops are dropped. The approach on which
    an unsolved trace ends stays.
    """
    drops: Drops = {}
    # Loops come first, so that they go also where the check around them is given back.
    drop_loops(drops, annotation)
    stays = standing(annotation)
    gone = _repeated(annotation, stays)
    for i in gone:
        drop_range(drops, annotation.approaches[i].start, annotation.approaches[i].stop, REDUNDANT)
    settled = [
        i
        for i, check in enumerate(annotation.verifications)
        if stays is not None and check.start >= stays.trunk and check.approach is not None
    ]
    kept = stays.check if stays is not None else None
    if kept is None:
        kept = next((i for i in settled if annotation.verifications[i].approach not in gone), None)
    for i, check in enumerate(annotation.verifications):
        if check.approach in gone and i != kept:
            drop_range(drops, check.start, check.stop, ITS_APPROACH)
        elif i in settled and i != kept:
            drop_range(drops, check.start, check.stop, REDUNDANT)
    drops = without_unfinished(drops, annotation)
    drop_loops(drops, annotation)
    return drops


def _repeated(annotation: Annotation, stays: Standing | None) -> set[int]:
    """The approaches that repeat a method and may go."""
    approaches, offsets = annotation.approaches, annotation.segment_offsets
    sizes = [offsets[a.stop] - offsets[a.start] for a in approaches]
    kept: dict[int, list[int]] = {}
    gone: set[int] = set()
    for i, approach in enumerate(approaches):
        earlier = kept.get(approach.cluster, [])
        if stays is not None and approach.start >= stays.trunk:
            correct = approach.label is Label.CORRECT
            repeats = bool(earlier) and (
                not correct or any(approaches[k].label is Label.CORRECT for k in earlier)
            )
        else:
            full = any(sizes[k] >= FULLNESS * sizes[i] for k in earlier)
            open_end = approach.label is Label.INCOMPLETE and i + 1 < len(approaches)
            repeats = full and open_end and approach.confidence >= SURE
        if repeats:
            gone.add(i)
        else:
            kept.setdefault(approach.cluster, []).append(i)
    return gone


def delete_multi(annotation: Annotation, last: int | None) -> Drops:
    """Drop the last `last` redundant approaches and checks, or all of them.

    Source: DLCoT step 5.1, ``delete_multi_1``, ``delete_multi_2`` and ``delete_multi_all``. The first item
    of a cluster stays, correct or not, as in the paper. If this would drop the only correct approach, the
    gates restore it. If a trace stops unsolved, its last approach stays.
    """
    redundant: list[tuple[int, int]] = []
    for items in (annotation.approaches, annotation.verifications):
        seen: set[int] = set()
        for item in items:
            if item.cluster in seen:
                redundant.append((item.start, item.stop))
            seen.add(item.cluster)
    unfinished = unfinished_start(annotation)
    redundant = sorted(item for item in redundant if item[0] < unfinished)
    drops: Drops = {}
    for start, stop in redundant if last is None else redundant[max(0, len(redundant) - last) :]:
        drop_range(drops, start, stop, REDUNDANT)
    return drops


def drop_loops(drops: Drops, annotation: Annotation) -> None:
    """Add to `drops` the segments that only repeat the text directly before them."""
    for start, stop in annotation.loops:
        drop_range(drops, start, stop, LOOP)
