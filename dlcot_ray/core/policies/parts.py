"""Policies that drop one kind of part anywhere in a trace: checks, wrong branches, local noise."""

from __future__ import annotations

from enum import StrEnum

from dlcot_ray.core.annotation import Annotation, Label, SectionKind, Verification, VerificationKind
from dlcot_ray.core.policies.base import Drops, drop_range, without_unfinished
from dlcot_ray.core.policies.redundancy import ITS_APPROACH, drop_loops
from dlcot_ray.core.policies.standing import first_correct, trunk_stop

OFF_TRUNK = "off the trunk"
AFTER_CONCLUSION = "after the conclusion"


class Checks(StrEnum):
    """Which checks `drop_verification` drops."""

    ALL = "all"
    REDUNDANT = "redundant"
    """Those of a method that an earlier check has used."""
    NEGATING = "negating"
    """Those that negate a correct approach."""


CHECKS_GO = {which: f"{which} checks go" for which in Checks}
"""The reason of each choice of `drop_verification`."""


def drop_verification(annotation: Annotation, which: Checks) -> Drops:
    """Drop checks: all of them, the redundant ones, or those that doubt a correct approach.

    Source: DLCoT steps 2.2 and 5.1 (verifications as separate parts, pruned by cluster). `NEGATING` keeps a
    check that negates a wrong approach, because it leads to the next approach. If a trace stops unsolved,
    its last approach stays.
    """
    drops: Drops = {}
    seen: set[int] = set()
    for check in annotation.verifications:
        redundant = check.cluster in seen
        seen.add(check.cluster)
        if (
            which is Checks.ALL
            or (which is Checks.REDUNDANT and redundant)
            or (which is Checks.NEGATING and _doubts_without_cause(annotation, check))
        ):
            drop_range(drops, check.start, check.stop, CHECKS_GO[which])
    return without_unfinished(drops, annotation)


def drop_incorrect_branches(annotation: Annotation) -> Drops:
    """Off the trunk, drop approaches that are wrong or reach no answer, with their checks.

    Source: DLCoT step 5.2. On the trunk no item is dropped (`errors=` handles errors there). A trace
    without a correct approach is all trunk.
    """
    drops: Drops = {}
    trunk = trunk_stop(annotation)
    if trunk is None:
        return drops
    gone: set[int] = set()
    for i, approach in enumerate(annotation.approaches):
        if approach.start >= trunk and approach.label in (Label.INCORRECT, Label.INCOMPLETE):
            gone.add(i)
            drop_range(drops, approach.start, approach.stop, OFF_TRUNK)
    for check in annotation.verifications:
        if check.approach in gone:
            drop_range(drops, check.start, check.stop, ITS_APPROACH)
    return drops


def clean_local(annotation: Annotation) -> Drops:
    """Drop repetition loops, and the text after the conclusion of a trace that has reached its answer.

    Source: DLCoT's observation that traces ramble on. Approaches and checks before the conclusion stay.
    """
    drops: Drops = {}
    trunk = first_correct(annotation)
    if trunk is not None:
        arrived = annotation.approaches[trunk].stop
        stops = [s.stop for s in annotation.sections if s.kind is SectionKind.CONCLUSION]
        end = next((stop for stop in stops if stop >= arrived), None)
        if end is not None:
            drop_range(drops, end, len(annotation.segment_offsets) - 1, AFTER_CONCLUSION)
    drop_loops(drops, annotation)
    return drops


def _doubts_without_cause(annotation: Annotation, check: Verification) -> bool:
    if check.kind is not VerificationKind.NEGATION or check.approach is None:
        return False
    return annotation.approaches[check.approach].label is Label.CORRECT
