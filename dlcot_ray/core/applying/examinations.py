"""Whole examinations: which check behind the trunk examines the answer and settles what it asks.

In: a trace and its annotation. Out: the annotation whose first affirming check behind the trunk is whole. A
look that only announces, repeats the answer or ends in a doubt is no check that could stay alone; what
follows it directly belongs to it, up to the first verdict. English only; every pattern is linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dlcot_ray.core import seam_cues as cues
from dlcot_ray.core.annotation import Annotation, Verification, VerificationKind
from dlcot_ray.core.arrival import accepted_answers, ends_on
from dlcot_ray.core.policies.standing import trunk_stop
from dlcot_ray.core.seams import sentences
from dlcot_ray.core.trace import Trace

EXAMINES_CHARS = 100
"""Least characters, without announcements and doubts, of an examination that computes nothing."""

END_CHARS = 300
"""Characters at the end of a check that hold its verdict."""

OPENING_CHARS = 240
"""Characters at the beginning of a check that say what it asks."""

LONG = 500
"""Least characters of a check whose own question counts as answered where it ends on the answer."""

_COMPUTES = re.compile(
    r"\d\s*[-+*/×·÷^%]\s*[\d(\\$]|[=≈<>≤≥→]|\\(?:frac|times|cdot|approx|sqrt|binom|equiv)|\d!|\bC\(\d"
)
_ASKS_WHETHER = re.compile(
    r"\b(?:check|see|ensure|verify|consider|sure|confirm)\b[^.?!\n]{0,30}\b(?:if|whether|that)\b|\?",
    re.IGNORECASE,
)
"""Announces a question of its own, which an answer said again does not settle."""
_SETTLED = re.compile(
    r"\b(?:right|correct|consistent|fine|valid|safe|works?|holds?|match(?:es)?|confirm(?:s|ed)?|reasonable|"
    r"agrees?|same|makes sense|checks? out|adds? up|yes|yep|yeah|no (?:mistakes?|problem|errors?|others?)|"
    r"still|sure|confident|good|perfect|regardless|doesn't (?:matter|affect|change)|satisf\w+|okay|so no|"
    r"already|as (?:calculated|computed|found|before|above|earlier|expected|we (?:had|found|saw)))\b|[✓✔]",
    re.IGNORECASE,
)
_WAITS = re.compile(r"\W*(?:(?:but|so|oh|no|okay)\b\W*)*(?:wait|hold on|hmm+)\W*$", re.IGNORECASE)
_HEDGES = re.compile(
    r"^\W*(?:(?:but|so|and|wait|hmm+|well|then|therefore|thus|or)\b[\s,.]*)*"
    r"(?:maybe|perhaps|probably|alternatively)\b(?! (?:because|i (?:was|just|confused|mixed)))|"
    r"\b(?:maybe|perhaps|might (?:be|have|need)|not sure|unsure)\b[^.!?]*$",
    re.IGNORECASE,
)
_STILL_TO_DO = re.compile(
    r"\b(?:but|however|though)\b[^.!?]{0,40}\b(?:need|should|have|want|must|ought)\b(?: to)?[^.!?]{0,20}"
    r"\b(?:check|verify|confirm|consider|make sure|be sure|see|ensure|think)\b",
    re.IGNORECASE,
)
"""A sentence that says what is still to be examined."""


def is_open(text: str) -> bool:
    """Whether a text ends in a question, a doubt or an announcement, so that what follows settles it."""
    last = _last_sentence(text)
    if not last or last.endswith(("?", ":")):
        return bool(last)
    if _HEDGES.search(last) or _STILL_TO_DO.search(last) or _WAITS.match(last):
        return True
    concludes = cues.CONCLUDES.search(last) is not None
    return not concludes and (cues.ANNOUNCES.match(last) is not None or cues.DOUBTS.search(last) is not None)


def is_left_open(text: str) -> bool:
    """Whether the last sentence of a text says that something is still to be examined, or only may be so."""
    last = _last_sentence(text)
    return _STILL_TO_DO.search(last) is not None or (_HEDGES.match(last) is not None and "=" not in last)


def is_whole(text: str, accepted: Sequence[str]) -> bool:
    """Whether a check examines something of its own, answers what it asks, and comes to an end."""
    if is_open(text) or not _examines(text):
        return False
    if _SETTLED.search(text.rstrip()[-END_CHARS:]):
        return True
    asks = _ASKS_WHETHER.search(text[:OPENING_CHARS]) is not None
    return (len(text) >= LONG or not asks) and ends_on(text, accepted)


def _examines(text: str) -> bool:
    """Whether more is left than announcements, doubts and an answer said again."""
    left = [
        said
        for said in (text[start:stop] for start, stop in sentences(text))
        if _COMPUTES.search(said)
        or not (cues.ANNOUNCES.match(said) or cues.LONE.match(said) or cues.DOUBTS.search(said))
    ]
    work = "".join(left).strip()
    return len(work) >= EXAMINES_CHARS or _COMPUTES.search(work) is not None


def _last_sentence(text: str) -> str:
    spans = sentences(text.rstrip())
    return text[slice(*spans[-1])].strip() if spans else ""


def with_whole_checks(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose first affirming check behind the trunk is a whole examination.

    Stubs are joined to what follows them directly. Where no examination is whole, the first checks in a row
    stay together up to the first verdict.
    """
    trunk, accepted = trunk_stop(annotation), accepted_answers(annotation)
    if trunk is None or not accepted:
        return annotation
    rows = list(_rows(annotation, trunk))
    for row in rows:
        for first, last in _first_whole(trace, annotation, row, accepted):
            return _joined(annotation, trunk, first, last)
    return annotation


def _first_whole(
    trace: Trace, annotation: Annotation, row: range, accepted: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """The first checks of a row that together are a whole examination, as first and last index.

    Where the answer first stands in a check, only a verdict makes it one; without, it may be the solution.
    """
    at = annotation.first_correct_segment
    offsets, checks = annotation.segment_offsets, annotation.verifications
    for first in row:
        if checks[first].kind is VerificationKind.NEGATION:
            continue
        for last in range(first, row.stop):
            text = trace.reasoning[offsets[checks[first].start] : offsets[checks[last].stop]]
            arrives = at is not None and checks[first].start <= at < checks[last].stop
            if is_whole(text, accepted) and (not arrives or _SETTLED.search(text.rstrip()[-END_CHARS:])):
                yield first, last
                return
        return


def _rows(annotation: Annotation, trunk: int) -> Iterator[range]:
    """Checks of the standing solution behind the trunk that follow each other directly, by index."""
    later = {i for i, approach in enumerate(annotation.approaches) if approach.start >= trunk}
    checks = annotation.verifications
    start: int | None = None
    for i, check in enumerate(checks):
        eligible = check.start >= trunk and check.approach not in later
        if start is not None and not (eligible and checks[i - 1].stop == check.start):
            yield range(start, i)
            start = None
        if eligible and start is None:
            start = i
    if start is not None:
        yield range(start, len(checks))


def _joined(annotation: Annotation, trunk: int, first: int, last: int) -> Annotation:
    """The annotation with checks `first` to `last` as one that affirms, and none that affirms before it."""
    checks = annotation.verifications
    whole = replace(checks[first], stop=checks[last].stop, kind=VerificationKind.AFFIRMATION)
    before = (_demoted(check) if check.start >= trunk else check for check in checks[:first])
    return replace(annotation, verifications=(*before, whole, *checks[last + 1 :]))


def _demoted(check: Verification) -> Verification:
    affirms = check.kind is VerificationKind.AFFIRMATION
    return replace(check, kind=VerificationKind.CHECK) if affirms else check
