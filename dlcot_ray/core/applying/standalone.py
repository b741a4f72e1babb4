"""Checks behind a second solution: which of them a reader understands without that solution.

In: a trace and its annotation. Out: the annotation in which only such checks affirm, where no check of the
trunk does. A policy that drops the second solution then keeps no check that speaks of it. English only.
"""

from __future__ import annotations

import re
from dataclasses import replace

from dlcot_ray.core.annotation import Annotation, Verification, VerificationKind
from dlcot_ray.core.policies.standing import trunk_stop
from dlcot_ray.core.seams.sentences import sentences
from dlcot_ray.core.trace import Trace

_FIRST_CHARS = 300
_CHECKING = r"(?:(?:double|cross|re)[- ]?)?(?:check|verif|confirm|test|make sure)"
_ANNOUNCES = re.compile(
    rf"\b{_CHECKING}\w*|\b(?:to be|just to be|for) (?:sure|safe|certain|thorough)", re.IGNORECASE
)
_SPEAKS_OF_IT = re.compile(
    r"^\W*(?:(?:and|so|also|as|let's do|let me do)\W+)*(?:another|one more|a (?:second|third|further))"
    r" (?:quick )?(?:check|test|example|point|value|case|verification)\b|"
    r"\balternativ\w+|\b(?:first|earlier|previous|both|last) (?:approach|method|way|calculation)|"
    r"\bearlier,? (?:when|i|we)\b|"
    rf"\b(?:another|other|different|second) (?:way|approach|method|angle|perspective)s?\b(?! to {_CHECKING})|"
    rf"\b{_CHECKING}\w* (?:that|this|these|those) "
    r"(?!(?:is|are|was|the|it|i|we|in|by|with|again|once|to|using)\b)[a-z]{3,}",
    re.IGNORECASE,
)


def stands_alone(text: str) -> bool:
    """Whether the beginning of a check announces an examination, and speaks of no other solution."""
    return _ANNOUNCES.search(_beginning(text)) is not None and not speaks_of_another(text)


def speaks_of_another(text: str) -> bool:
    """Whether the beginning of a check speaks of another solution, or of what was found earlier."""
    return _SPEAKS_OF_IT.search(_beginning(text)) is not None


def _beginning(text: str) -> str:
    spans = sentences(text)[:2]
    return text[: min(spans[-1][1], _FIRST_CHARS)] if spans else ""


def with_standalone_checks(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation in which only checks that stand alone affirm, where no check of the trunk does."""
    trunk, offsets = trunk_stop(annotation), annotation.segment_offsets
    if trunk is None:
        return annotation
    later = {i for i, approach in enumerate(annotation.approaches) if approach.start >= trunk}

    def affirms(check: Verification) -> bool:
        return check.kind is VerificationKind.AFFIRMATION and check.start >= trunk

    if any(affirms(check) and check.approach not in later for check in annotation.verifications):
        return annotation
    return replace(
        annotation,
        verifications=tuple(
            replace(check, kind=VerificationKind.CHECK)
            if affirms(check)
            and not stands_alone(trace.reasoning[offsets[check.start] : offsets[check.stop]])
            else check
            for check in annotation.verifications
        ),
    )
