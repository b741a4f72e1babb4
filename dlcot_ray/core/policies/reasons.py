"""The reasons of an edit, written once the result is known, so that each is true of the text that comes out.

In: an annotation and the final script, whose drops carry a rule ("redundant"). Out: the script whose drops
name what is in them ("redundant: approach 2 (correct) repeats approach 0"). A reason says only what is
certain: that an approach is correct, which one is repeated or checked, and which check stays whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dlcot_ray.core.annotation import Annotation, Label, Verification, VerificationKind
from dlcot_ray.core.edits import Edit, EditOp, EditScript, merge_script, segments_of
from dlcot_ray.core.policies.parts import CHECKS_GO, OFF_TRUNK
from dlcot_ray.core.policies.redundancy import ITS_APPROACH, REDUNDANT
from dlcot_ray.core.policies.standing import trunk_stop
from dlcot_ray.core.policies.trunk import AFTER, AFTER_ANSWER

NAMED = frozenset({REDUNDANT, ITS_APPROACH, AFTER, AFTER_ANSWER, OFF_TRUNK, *CHECKS_GO.values()})
"""The rules whose drops are named; loops, seams and errors have reasons of their own."""


def owners(annotation: Annotation) -> list[tuple[str, int]]:
    """For each segment the item that it is part of: ("approach", 0), ("check", 2) or ("", 0)."""
    owned = [("", 0)] * (len(annotation.segment_offsets) - 1)
    for i, approach in enumerate(annotation.approaches):
        owned[approach.start : approach.stop] = [("approach", i)] * (approach.stop - approach.start)
    for i, check in enumerate(annotation.verifications):
        owned[check.start : check.stop] = [("check", i)] * (check.stop - check.start)
    return owned


def with_reasons(annotation: Annotation, script: Sequence[Edit]) -> EditScript:
    """The script with the reasons of its drops written out."""
    owned = owners(annotation)
    # A sentence that a seam takes out does not make an item partial.
    dropped = set(
        segments_of((edit for edit in script if not edit.reason.startswith("seam: ")), (EditOp.DROP,))
    )
    return merge_script(
        piece
        for edit in script
        for piece in (
            _pieces(annotation, edit, owned, dropped)
            if edit.op is EditOp.DROP and edit.reason in NAMED
            else (edit,)
        )
    )


def _pieces(
    annotation: Annotation, edit: Edit, owned: Sequence[tuple[str, int]], dropped: set[int]
) -> Iterator[Edit]:
    start = edit.start
    while start < edit.stop:
        stop = start + 1
        while stop < edit.stop and owned[stop] == owned[start]:
            stop += 1
        reason = _reason(annotation, edit.reason, owned[start], dropped)
        yield Edit(EditOp.DROP, start, stop, "", reason)
        start = stop


def _reason(annotation: Annotation, rule: str, owner: tuple[str, int], dropped: set[int]) -> str:
    kind, index = owner
    if kind == "approach":
        approach = annotation.approaches[index]
        part = "" if dropped.issuperset(range(approach.start, approach.stop)) else "part of "
        correct = " (correct)" if approach.label is Label.CORRECT else ""
        reason = f"{rule}: {part}approach {index}{correct}"
        earlier = (
            i
            for i, other in enumerate(annotation.approaches[:index])
            if other.cluster == approach.cluster and dropped.isdisjoint(range(other.start, other.stop))
        )
        first = next(earlier, None) if rule == REDUNDANT else None
        return reason if first is None else f"{reason} repeats approach {first}"
    if kind == "check":
        return _check_reason(annotation, rule, index, dropped)
    return rule


def _check_reason(annotation: Annotation, rule: str, index: int, dropped: set[int]) -> str:
    check = annotation.verifications[index]
    of = "" if check.approach is None else f" of approach {check.approach}"
    if rule == ITS_APPROACH and check.approach is not None:
        approach = annotation.approaches[check.approach]
        if not dropped.issuperset(range(approach.start, approach.stop)):
            rule = REDUNDANT
    part = "" if dropped.issuperset(range(check.start, check.stop)) else "part of "
    trunk = trunk_stop(annotation)
    if check.kind is VerificationKind.CHECK and trunk is not None and check.start >= trunk:
        return f"{rule}: {part}text behind the answer"
    reason = f"{rule}: {part}check{of}"
    whole = (
        other
        for other in annotation.verifications
        if other.kind is VerificationKind.AFFIRMATION
        and (trunk is None or other.start >= trunk)
        and dropped.isdisjoint(range(other.start, other.stop))
    )
    kept = next(whole, None) if rule == REDUNDANT else None
    return reason if kept is None else f"{reason}, another check stays ({_place(kept)})"


def _place(check: Verification) -> str:
    one = check.stop == check.start + 1
    return f"segment {check.start}" if one else f"segments {check.start} to {check.stop - 1}"
