"""What stays once the right answer stands: the trunk, one affirming check, the closing words.

In: an annotation. Out: the segment where each of them begins or ends. Every policy that keeps a check takes
it from here, so that two joined policies never keep two different checks and drop both.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcot_ray.core.annotation import (
    Annotation,
    Label,
    ReferenceKind,
    SectionKind,
    Verification,
    VerificationKind,
)

KNOWN = (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)


@dataclass(frozen=True, slots=True)
class Standing:
    """A trace whose right answer stands.

    Attributes:
        trunk: the first segment behind the trunk, which ends with the item where the answer first stands.
        check: index of the check that stays, or None where no check affirms the answer.
        closing: the first segment of the conclusion, or the number of segments where there is none.
    """

    trunk: int
    check: int | None
    closing: int


def standing(annotation: Annotation) -> Standing | None:
    """Where the answer stands and what stays behind it, or None where it never stands."""
    trunk = trunk_stop(annotation)
    if trunk is None:
        return None
    return Standing(trunk, kept_check(annotation, trunk), conclusion_start(annotation))


def first_correct(annotation: Annotation) -> int | None:
    """Index of the first correct approach."""
    return next((i for i, a in enumerate(annotation.approaches) if a.label is Label.CORRECT), None)


def trunk_stop(annotation: Annotation) -> int | None:
    """The first segment behind the trunk, or None where no right answer stands.

    The trunk ends with the first correct approach. If the first correct segment lies in a later item, that
    item belongs to the trunk too: in doubt less is cut. Where no approach is correct, a check may have found
    the error and the right answer; the trunk then ends with that check. A check that affirms does not belong
    to the trunk, because it is the check that stays.
    """
    index, at = first_correct(annotation), annotation.first_correct_segment
    stop = None if index is None else annotation.approaches[index].stop
    if at is None:
        return stop
    check = next((check for check in annotation.verifications if check.start <= at < check.stop), None)
    known = annotation.reference_kind in KNOWN
    mended = known and check is not None and (stop is None or check.kind is VerificationKind.NEGATION)
    if not mended and (stop is None or at < stop):
        return stop
    if check is not None:
        return check.start if check.kind is VerificationKind.AFFIRMATION else check.stop
    return next((a.stop for a in annotation.approaches if a.start <= at < a.stop), stop)


def kept_check(annotation: Annotation, trunk: int) -> int | None:
    """The first check from segment `trunk` on that affirms the answer and examines no later solution.

    Where there is none, the first that affirms it behind a later correct solution: the gates tell whether it
    can stay without that one.
    """
    later = {i for i, approach in enumerate(annotation.approaches) if approach.start >= trunk}
    affirming = [
        i
        for i, check in enumerate(annotation.verifications)
        if check.kind is VerificationKind.AFFIRMATION and check.start >= trunk
    ]
    own = (i for i in affirming if annotation.verifications[i].approach not in later)
    others = (i for i in affirming if _is_of_correct(annotation, annotation.verifications[i]))
    return next(own, next(others, None))


def _is_of_correct(annotation: Annotation, check: Verification) -> bool:
    return check.approach is not None and annotation.approaches[check.approach].label is Label.CORRECT


def conclusion_start(annotation: Annotation) -> int:
    """First segment of the trailing conclusion, or the number of segments where there is none."""
    last = annotation.sections[-1] if annotation.sections else None
    if last is not None and last.kind is SectionKind.CONCLUSION:
        return last.start
    return len(annotation.segment_offsets) - 1


def is_unsolved(annotation: Annotation) -> bool:
    """Whether the trace does not reach the known answer, or stops before any end.

    Without a reference from outside the trace, only a truncated trace counts as unsolved.
    """
    if trunk_stop(annotation) is not None:
        return False
    return annotation.reference_kind in KNOWN or annotation.truncated


def unfinished_start(annotation: Annotation) -> int:
    """First segment of the last item if the trace stops unsolved, else the number of segments.

    Without that item an unfinished trace would look finished.
    """
    count = len(annotation.segment_offsets) - 1
    if not annotation.truncated or trunk_stop(annotation) is not None:
        return count
    starts = [a.start for a in annotation.approaches] + [v.start for v in annotation.verifications]
    return max(starts, default=count)
