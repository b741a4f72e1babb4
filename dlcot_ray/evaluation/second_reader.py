"""One person's labels in the place of a judge, to say how far two readers agree.

In: the cases of a second label set, about the same traces. Out: annotations and dropped text, so that every
figure is computed as for a judge. What the second reader did not label is not compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    ReferenceKind,
    Source,
    Verification,
)
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    ChecksCase,
    DroppedCase,
    LabelledApproach,
    SectionsCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.dropping import Dropped

READ = (SegmentationCase, SectionsCase, ApproachesCase, ChecksCase, ArrivalCase, DroppedCase)
"""The kinds of case that a reader of whole traces can be compared on."""


def shared_cases(cases: Iterable[Case], others: Iterable[Case]) -> list[Case]:
    """Those of `cases` whose trace the other reader labelled in the same kind."""
    told = {(type(case), case.trace.trace_id) for case in others if isinstance(case, READ)}
    return [case for case in cases if isinstance(case, READ) and (type(case), case.trace.trace_id) in told]


def annotations_of(
    cases: Sequence[Case], base: Mapping[str, Annotation] | None = None
) -> dict[str, Annotation]:
    """The labels as annotations, by trace id.

    Args:
        cases: of one reader.
        base: a judge's annotations, for what a reader does not label: the reference, loops, truncation. Give
            them where a policy is to be applied to the reader's structure.
    """
    found: dict[str, Annotation] = {}
    for case in cases:
        if isinstance(case, READ):
            name = case.trace.trace_id
            known = found.get(name) or (base or {}).get(name) or _blank(case.trace)
            found[name] = replace(known, fingerprint="", judge="reader")
    for case in cases:
        if isinstance(case, READ):
            found[case.trace.trace_id] = _with(found[case.trace.trace_id], case)
    return {name: _answered(annotation) for name, annotation in found.items()}


def drops_of_reader(cases: Iterable[Case]) -> dict[str, Dropped]:
    """What the reader would drop, by trace id."""
    return {case.trace.trace_id: Dropped(case.drop) for case in cases if isinstance(case, DroppedCase)}


def _blank(trace: Trace) -> Annotation:
    return Annotation(
        trace_id=trace.trace_id,
        fingerprint="",
        judge="",
        segment_offsets=split_segments(trace.reasoning),
        sections=(),
        approaches=(),
        verifications=(),
        reference=None,
        reference_kind=ReferenceKind.NONE,
        first_correct_segment=None,
        loops=(),
        truncated=False,
        steps=(),
    )


def _with(annotation: Annotation, case: Case) -> Annotation:
    """The annotation with what one case says."""
    if isinstance(case, SectionsCase):
        return replace(annotation, sections=case.sections)
    if isinstance(case, ApproachesCase):
        approaches = tuple(_approach(index, item) for index, item in enumerate(case.approaches))
        return replace(annotation, approaches=approaches)
    if isinstance(case, ChecksCase):
        checks = tuple(
            Verification(check.start, check.stop, check.kind, check.approach, index)
            for index, check in enumerate(case.checks)
        )
        return replace(annotation, verifications=checks)
    if isinstance(case, ArrivalCase):
        return replace(annotation, first_correct_segment=case.first_correct_segment)
    return annotation


def _approach(index: int, item: LabelledApproach) -> Approach:
    label = item.label or Label.UNKNOWN
    cluster = -1 - index if item.method is None else item.method
    return Approach(item.start, item.stop, label, Source.EVIDENCE, None, None, cluster)


def _answered(annotation: Annotation) -> Annotation:
    """The annotation with the place of the answer in every correct approach, as policies need it."""
    first = annotation.first_correct_segment

    def answered(approach: Approach) -> Approach:
        if approach.label is not Label.CORRECT:
            return approach
        inside = first is not None and approach.start <= first < approach.stop
        segment = first if inside else approach.stop - 1
        return replace(approach, answer=annotation.reference, answer_segment=segment)

    return replace(annotation, approaches=tuple(answered(a) for a in annotation.approaches))
