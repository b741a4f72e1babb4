"""Checks and closing words by evidence: which checks affirm the answer, and where the conclusion begins.

In: a trace and its settled annotation. Out: the annotation with checks that end on the answer as affirmations
and with closing words where the trace has any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dlcot_ray.core.annotation import Annotation, Label, Section, SectionKind, Verification, VerificationKind
from dlcot_ray.core.applying.examinations import with_whole_checks
from dlcot_ray.core.applying.looks import leaves_conflict
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.applying.repeating import with_repeats_as_checks
from dlcot_ray.core.applying.standalone import with_standalone_checks
from dlcot_ray.core.gating.wholeness import closing_words
from dlcot_ray.core.policies.standing import conclusion_start, kept_check, trunk_stop
from dlcot_ray.core.seams.cues import BOTH, VERDICT
from dlcot_ray.core.stating.outcomes import argues, is_plain_outcome
from dlcot_ray.core.stating.stated import accepted_answers, ends_on, states
from dlcot_ray.core.trace import Trace

_CONTINUES = re.compile(
    r"\s{0,20}(?:\\\[|\$\$)?\s{0,20}(?:=|\\(?:approx|equiv|implies|Rightarrow)\b|[≈≡⇒])"
    r"|\W{0,40}(?:(?:so|and|again|yes|okay|also|which|that|this|it|everything|all)\b[,\s]{0,20}){0,3}"
    r"(?:looks?|seems?|is|the) (?:\w+ )?(?:correct|right|good|fine|consistent|same(?: \w+)?)\W{0,40}$"
    r"|\W{0,40}(?:subtract|add|multiply|divid|combin|simplify|substitut)ing\b[^.\n]{0,60}"
    r"\b(?:we|i) (?:get|have|find)\b",
    re.IGNORECASE,
)
"""A segment that goes on with a formula or a calculation before it, or is a bare verdict on it."""


def with_evidence(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose open checks affirm where they end on the answer, with closing words found."""
    ended = _with_ends(trace, with_repeats_as_checks(trace, annotation))
    checked = with_whole_checks(trace, _affirmed(trace, ended))
    return _closed(trace, with_standalone_checks(trace, checked))


def _with_ends(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose last check has its end, also where the judge left it out or in the conclusion.

    What goes on with a formula of the check, or is a bare verdict on it, belongs to the check.
    """
    check = max(annotation.verifications, key=lambda v: v.start, default=None)
    count = len(annotation.segment_offsets) - 1
    if check is None or any(approach.start >= check.stop for approach in annotation.approaches):
        return annotation
    start, stop = check.stop, _tail(trace, annotation, check.stop)
    if stop == start:
        return annotation
    checks = tuple(replace(v, stop=stop) if v is check else v for v in annotation.verifications)
    closing = conclusion_start(annotation)
    if closing >= stop:
        return replace(annotation, verifications=checks)
    sections = [replace(s, stop=min(s.stop, closing)) for s in annotation.sections if s.start < closing]
    sections[-1:] = [replace(section, stop=stop) for section in sections[-1:]]
    if stop < count:
        sections.append(Section(SectionKind.CONCLUSION, stop, count))
    return replace(annotation, verifications=checks, sections=tuple(sections))


def _tail(trace: Trace, annotation: Annotation, start: int) -> int:
    """Where the segments from `start` on end that go on with the text before them, or judge it.

    What a colon announces belongs to the announcement.
    """
    count = len(annotation.segment_offsets) - 1
    while start < count and (
        _CONTINUES.match(annotation.segment_text(trace.reasoning, start))
        or annotation.segment_text(trace.reasoning, start - 1).rstrip().endswith(":")
    ):
        start += 1
    return start


def _affirmed(trace: Trace, annotation: Annotation) -> Annotation:
    """Affirmation is evidence: a check that ends on the accepted answer affirms it, in whatever words.

    One without a figure and without a verdict is only announced ("let me double-check that"), and affirms
    nothing.
    """
    accepted, trunk = accepted_answers(annotation), trunk_stop(annotation)
    if not accepted or trunk is None:
        return annotation
    offsets = annotation.segment_offsets

    def judged(check: Verification) -> Verification:
        if check.start < trunk:
            return check
        text = trace.reasoning[offsets[check.start] : offsets[check.stop]]
        if check.kind is VerificationKind.NEGATION:
            return (
                replace(check, kind=VerificationKind.AFFIRMATION)
                if _comes_to_agree(annotation, check, text, accepted)
                else check
            )
        if check.kind is VerificationKind.AFFIRMATION:
            examines = any(map(str.isdigit, text)) or VERDICT.search(text) or states(text, accepted)
            return check if examines else replace(check, kind=VerificationKind.CHECK)
        affirms = ends_on(text, accepted)
        return replace(check, kind=VerificationKind.AFFIRMATION) if affirms else check

    return replace(annotation, verifications=tuple(map(judged, annotation.verifications)))


def _comes_to_agree(annotation: Annotation, check: Verification, text: str, accepted: Sequence[str]) -> bool:
    """Whether a check that is said to find fault with a right solution ends on its answer, without a doubt.

    It rules out other values ("8 cannot be written so"), which finds no fault.
    """
    first = annotation.first_correct_segment
    right = check.approach is not None and annotation.approaches[check.approach].label is Label.CORRECT
    found = first is not None and check.start <= first < check.stop
    return right and not found and not is_open(text) and not leaves_conflict(text) and ends_on(text, accepted)


def _closed(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose conclusion states the answer, if one of the last segments does.

    "I think that is right" alone is no outcome, so the sentence before it that states one belongs to it.
    """
    count, trunk = len(annotation.segment_offsets) - 1, trunk_stop(annotation)
    accepted, start = accepted_answers(annotation), conclusion_start(annotation)
    if trunk is None or not accepted or annotation.truncated:
        return annotation
    if any(
        states(annotation.segment_text(trace.reasoning, segment), accepted) for segment in range(start, count)
    ):
        return annotation
    if start == count:
        start = max(trunk, closing_words(trace.reasoning, annotation))
        while start < count and argues(annotation.segment_text(trace.reasoning, start)):
            start += 1
    starts = [a.start for a in annotation.approaches] + [v.start for v in annotation.verifications]
    stays = kept_check(annotation, trunk)
    ends = stays is not None and annotation.verifications[stays].stop == start
    text = annotation.segment_text(trace.reasoning, start - 1)
    outcome = start - 1 >= trunk and max(starts, default=0) < start - 1 and is_plain_outcome(text)
    if outcome and not ends and states(text, accepted) and not BOTH.search(text):
        start -= 1
    if any(check.start < start < check.stop for check in annotation.verifications):
        start = _tail(trace, annotation, start)
    return annotation if start == conclusion_start(annotation) else _concluding(annotation, start)


def _concluding(annotation: Annotation, start: int) -> Annotation:
    """The annotation whose conclusion begins at segment `start`, inside the last section before it."""
    sections = [
        replace(section, stop=min(section.stop, start))
        for section in annotation.sections
        if section.start < start
    ]
    count = len(annotation.segment_offsets) - 1
    return replace(
        annotation,
        sections=(*sections, Section(SectionKind.CONCLUSION, start, count)),
        approaches=tuple(replace(a, stop=min(a.stop, start)) for a in annotation.approaches),
        verifications=tuple(replace(v, stop=min(v.stop, start)) for v in annotation.verifications),
    )
