"""Second approaches that are in truth the body of a check.

In: a trace and its settled annotation. Out: the annotation in which a correct approach behind the trunk is a
check, if it repeats the method of the standing solution and directly settles what a look before it leaves
open ("Is that right? Let me do it again"). Readers call both together one check.
"""

from __future__ import annotations

from dataclasses import replace

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    Section,
    SectionKind,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.applying.looks import END_CHARS, is_settled
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.policies.standing import first_correct, trunk_stop
from dlcot_ray.core.stating.stated import accepted_answers, ends_on
from dlcot_ray.core.trace import Trace


def with_repeats_as_checks(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose approaches that only repeat the standing solution in a look at it are checks."""
    index = 0
    while index < len(annotation.approaches):
        if _settles_look(trace, annotation, annotation.approaches[index]):
            annotation = _as_check(annotation, index)
        else:
            index += 1
    return annotation


def _settles_look(trace: Trace, annotation: Annotation, approach: Approach) -> bool:
    """Whether an approach repeats the standing one, directly behind it or behind a look, and that is open."""
    standing, trunk = first_correct(annotation), trunk_stop(annotation)
    if standing is None or trunk is None or approach.start < trunk or approach.label is not Label.CORRECT:
        return False
    if approach.cluster != annotation.approaches[standing].cluster:
        return False
    look = next((v for v in annotation.verifications if v.stop == approach.start), None)
    if look is None and approach.start != trunk:
        return False
    return is_open(annotation.segment_text(trace.reasoning, approach.start - 1)) or (
        look is not None and not _is_settled(trace, annotation, look)
    )


def _is_settled(trace: Trace, annotation: Annotation, look: Verification) -> bool:
    """Whether a look comes to a verdict, or ends on the answer."""
    offsets = annotation.segment_offsets
    text = trace.reasoning[offsets[look.start] : offsets[look.stop]]
    return is_settled(text[-END_CHARS:]) or ends_on(text, accepted_answers(annotation))


def _as_check(annotation: Annotation, index: int) -> Annotation:
    """The annotation with approach `index` as a check of the standing one, joined to the look before it."""
    approach, standing = annotation.approaches[index], first_correct(annotation)
    look = next((v for v in annotation.verifications if v.stop == approach.start), None)
    start = approach.start if look is None else look.start
    owner = standing if look is None else look.approach
    cluster = (
        1 + max((v.cluster for v in annotation.verifications), default=-1) if look is None else look.cluster
    )
    new = Verification(start, approach.stop, VerificationKind.AFFIRMATION, owner, cluster)
    others = [_renumbered(v, index, standing) for v in annotation.verifications if v is not look]
    checks = sorted([*others, _renumbered(new, index, standing)], key=lambda check: check.start)
    return replace(
        annotation,
        approaches=(*annotation.approaches[:index], *annotation.approaches[index + 1 :]),
        verifications=tuple(checks),
        sections=_verifying(annotation.sections, approach.start, approach.stop),
    )


def _renumbered(check: Verification, index: int, standing: int | None) -> Verification:
    """A check whose approach has its new number, once approach `index` is none."""
    of = check.approach
    if of is None or of < index:
        return check
    return replace(check, approach=standing if of == index else of - 1)


def _verifying(sections: tuple[Section, ...], start: int, stop: int) -> tuple[Section, ...]:
    """The sections with segments `[start, stop)` in a section that verifies."""
    made: list[Section] = []
    for section in sections:
        for kind, first, last in (
            (section.kind, section.start, min(section.stop, start)),
            (SectionKind.VERIFY, max(section.start, start), min(section.stop, stop)),
            (section.kind, max(section.start, stop), section.stop),
        ):
            if first >= last:
                continue
            if made and made[-1].kind is kind:
                made[-1] = replace(made[-1], stop=last)
            else:
                made.append(Section(kind, first, last))
    return tuple(made)
