"""Where an approach arrives: it is correct only if it ends on the answer (DLCoT step 2.3).

In: a trace and its annotation. Out: the annotation with corrected labels and ends of approaches. A reference
that occurs in passing (``5bc = 180`` on the way to the answer 180) makes an unfinished approach look solved,
and a policy would cut the trace there. So a correct approach has to hold the first correct segment of the
annotation, or the last thing that it states has to be the reference. Otherwise it takes over the shortest
prefix of the checks behind it that ends on the answer, or becomes incomplete where a later approach arrives.
Where the answer stands only in a check or the conclusion, the approach before it is the one that arrives. A
value that is asked, supposed or denied is stated nowhere. In doubt, text counts as work and stays.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from dlcot_ray.core.evidence.answers import find_answers
from dlcot_ray.core.policies.standing import conclusion_start
from dlcot_ray.core.seams.references import refers_back
from dlcot_ray.core.stating.facts import is_stated
from dlcot_ray.core.stating.outcomes import is_plain_outcome
from dlcot_ray.core.stating.stated import (
    IN_PASSING,
    SAID,
    WINDOW,
    accepted_answers,
    ends_on,
    ends_otherwise,
    is_accepted,
)
from dlcot_ray.core.trace import Trace

LAST_WORDS = 3
LAST_WORDS_CHARS = 240
"""Number of segments at the end of a trace, and characters of each, that can be its conclusion."""


def settle(trace: Trace, annotation: Annotation) -> Annotation:
    """Correct the label and the end of the first correct approach.

    If the trace ends with another answer, an approach is correct only if it states the reference outright,
    and the conclusion is removed. The `answer_segment` of the first correct approach becomes the first
    segment that ends on the answer. Its `stop` moves behind the segments that complete it. Correct
    approaches before it that never reach the answer become incomplete. If the trace has no conclusion but
    its last segments state the answer, they become the conclusion.
    """
    if _ends_on_truth(trace, annotation):
        annotation = crowned(annotation)
    correct = [i for i, approach in enumerate(annotation.approaches) if approach.label is Label.CORRECT]
    if not correct or annotation.reference is None:
        return annotation
    approaches = list(annotation.approaches)
    doubtful = ends_otherwise(trace, annotation)
    for index in correct:
        if doubtful and not _says_so(trace, annotation, approaches[index]):
            approaches[index] = replace(approaches[index], label=Label.INCOMPLETE)
            continue
        settled = _settled(trace, annotation, index, last=index == correct[-1])
        if settled is not None:
            approaches[index] = settled
            break
        approaches[index] = replace(approaches[index], label=Label.INCOMPLETE)
    if doubtful:
        annotation = replace(annotation, sections=_without_conclusion(annotation.sections))
    if all(new is old for new, old in zip(approaches, annotation.approaches, strict=True)):
        return annotation if doubtful else _concluded(trace, annotation)
    checks = annotation.verifications
    if any(new.stop != old.stop for new, old in zip(approaches, annotation.approaches, strict=True)):
        checks = _left_of(checks, approaches)
    annotation = replace(annotation, approaches=tuple(approaches), verifications=checks)
    return annotation if doubtful else _concluded(trace, annotation)


def crowned(annotation: Annotation) -> Annotation:
    """The annotation with a correct approach, if its answer stands only in a check or in the conclusion.

    The last approach that begins before the first correct segment becomes correct, unless it ends on
    another answer. Its `answer_segment` is None: the answer stands behind it.
    """
    first = annotation.first_correct_segment
    if first is None or any(approach.label is Label.CORRECT for approach in annotation.approaches):
        return annotation
    index = max((i for i, a in enumerate(annotation.approaches) if a.start <= first), default=None)
    if index is None or annotation.approaches[index].label is Label.INCORRECT:
        return annotation
    approach = annotation.approaches[index]
    segment = first if first < approach.stop else None
    new = replace(approach, label=Label.CORRECT, answer=annotation.reference, answer_segment=segment)
    approaches = (*annotation.approaches[:index], new, *annotation.approaches[index + 1 :])
    return replace(annotation, approaches=approaches)


def _settled(trace: Trace, annotation: Annotation, index: int, *, last: bool) -> Approach | None:
    """Approach `index`, cut where it reaches the answer; None if it never does and another one may."""
    approach, first = annotation.approaches[index], annotation.first_correct_segment
    if approach.answer_segment is None:
        return _completed(approach, first, conclusion_start(annotation))
    if first is not None and first >= approach.start:
        inside = first < approach.stop and approach.answer_segment != first
        return replace(approach, answer_segment=first) if inside else approach
    offsets, accepted = annotation.segment_offsets, accepted_answers(annotation, approach)
    start = max(offsets[approach.answer_segment], offsets[approach.stop] - WINDOW)
    if ends_on(trace.reasoning[start : offsets[approach.stop]], accepted):
        if approach.answer_segment == approach.stop - 1:
            return approach
        segment = _arrival(trace, annotation, accepted, approach.answer_segment, approach.stop)
        segment = approach.stop - 1 if segment is None else segment
        return approach if segment == approach.answer_segment else replace(approach, answer_segment=segment)
    if index + 1 < len(annotation.approaches):
        end = annotation.approaches[index + 1].start
    else:
        end = max(conclusion_start(annotation), approach.stop)
    segment = _arrival(trace, annotation, accepted, approach.stop, end)
    if segment is None:
        return approach if last else None
    grown = approach.completed_segments + segment + 1 - approach.stop
    return replace(approach, stop=segment + 1, answer_segment=segment, completed_segments=grown)


def _completed(approach: Approach, first: int | None, end: int) -> Approach:
    """The approach with the checks up to the segment behind it where the answer first stands."""
    if first is None or not approach.stop <= first < end:
        return approach
    grown = approach.completed_segments + first + 1 - approach.stop
    return replace(approach, stop=first + 1, answer_segment=first, completed_segments=grown)


def _ends_on_truth(trace: Trace, annotation: Annotation) -> bool:
    """Whether the end of the trace states an accepted answer, and no other one behind it."""
    if annotation.reference is None or annotation.first_correct_segment is None:
        return False
    return ends_on(trace.reasoning, accepted_answers(annotation)) and not ends_otherwise(trace, annotation)


def _says_so(trace: Trace, annotation: Annotation, approach: Approach) -> bool:
    offsets = annotation.segment_offsets
    text = trace.reasoning[offsets[approach.start] : offsets[approach.stop]]
    said = [a for a in find_answers(text, passing=False) if a.form in SAID and is_stated(text, a)]
    return bool(said) and is_accepted(said[-1].text, accepted_answers(annotation, approach))


def _without_conclusion(sections: Sequence[Section]) -> tuple[Section, ...]:
    return tuple(
        replace(section, kind=SectionKind.VERIFY) if section.kind is SectionKind.CONCLUSION else section
        for section in sections
    )


def _arrival(
    trace: Trace, annotation: Annotation, accepted: Sequence[str], start: int, stop: int
) -> int | None:
    """The first of segments `[start, stop)` that ends on an accepted answer."""
    offsets = annotation.segment_offsets
    for segment in range(start, stop):
        if ends_on(trace.reasoning[offsets[segment] : offsets[segment + 1]], accepted):
            return segment
    return None


def _concluded(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation with the last segments that state the answer as conclusion, if it has none."""
    trunk = next(a for a in annotation.approaches if a.label is Label.CORRECT)
    count = len(annotation.segment_offsets) - 1
    if conclusion_start(annotation) < count:
        return annotation
    offsets, accepted = annotation.segment_offsets, accepted_answers(annotation)
    starts = [a.start for a in annotation.approaches] + [v.start for v in annotation.verifications]
    first = max(starts) + 1
    for segment in range(count - 1, max(first, trunk.stop, count - LAST_WORDS) - 1, -1):
        text = trace.reasoning[offsets[segment] : offsets[segment + 1]]
        if len(text) > LAST_WORDS_CHARS:
            break
        hangs = refers_back(text, adjacent=True, single=True) or not is_plain_outcome(text)
        if _states_outright(text, accepted) and not hangs:
            break
    else:
        return annotation
    if len(text) > LAST_WORDS_CHARS:
        return annotation
    last = annotation.sections[-1]
    sections = (
        *annotation.sections[:-1],
        replace(last, stop=segment),
        Section(SectionKind.CONCLUSION, segment, count),
    )
    return replace(
        annotation,
        sections=sections,
        approaches=tuple(replace(a, stop=min(a.stop, segment)) for a in annotation.approaches),
        verifications=tuple(replace(v, stop=min(v.stop, segment)) for v in annotation.verifications),
    )


def _states_outright(text: str, accepted: Sequence[str]) -> bool:
    outright = [a for a in find_answers(text) if a.form is not IN_PASSING and is_stated(text, a)]
    return bool(outright) and is_accepted(outright[-1].text, accepted)


def _left_of(checks: Sequence[Verification], approaches: Sequence[Approach]) -> tuple[Verification, ...]:
    """The checks without the segments that approaches took over; a shortened check no longer affirms."""
    left: list[Verification] = []
    for check in checks:
        taken = max((a.stop for a in approaches if a.start < check.start < a.stop), default=check.start)
        if taken == check.start:
            left.append(check)
        elif taken < check.stop:
            left.append(replace(check, start=taken, kind=VerificationKind.CHECK))
    return tuple(left)
