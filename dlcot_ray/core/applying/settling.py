"""What settles a doubt at the end of the way to the answer, so that it may not go.

In: a trace and its settled annotation. Out: the segments behind the trunk that stay with it, if any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dlcot_ray.core.annotation import Annotation, Label, Verification
from dlcot_ray.core.applying.looks import (
    END_CHARS,
    is_settled,
    is_settled_surely,
    leads_further,
    leaves_conflict,
    opens,
    refers_to_remark,
)
from dlcot_ray.core.applying.openness import is_left_open, is_open, last_sentence, sets_out
from dlcot_ray.core.policies.standing import Standing, standing
from dlcot_ray.core.stating.stated import accepted_answers, ends_on, states
from dlcot_ray.core.trace import Trace

DOUBT_CHARS = 300
"""Characters at the end of the trunk that are searched for a doubt."""
CONFLICT_CHARS = 1000
"""Characters at the end of the trunk that are searched for two results in conflict."""
ARRIVING_SEGMENTS = 4
"""Segments at the end of the trunk, or of the check that stays, one of which ends on the answer."""
_NUMBER = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
_CONCLUDES = re.compile(r"\W*(?:so|therefore|thus|hence)\b", re.IGNORECASE)
_DOUBTS = re.compile(
    r"\b(?:is (?:that|this|it) (?:really |actually )?(?:correct|right|true)\s*\?|"
    r"(?:maybe|perhaps) i(?:'ve)? (?:made|missed|messed|mis\w+)|did i (?:make|miss|mess|mis\w+)|"
    r"i (?:might|may|could) have (?:made|missed|messed|mis\w+))",
    re.IGNORECASE,
)
_BOTH_WAYS = re.compile(
    r"\b(?:try|use|do|compare|work through|go through) (?:it )?(?:in |by |with )?(?:both|two|the two) "
    r"(?:different )?(?:methods|ways|approaches)\b",
    re.IGNORECASE,
)
"""Sets out to solve the problem twice."""
_WONDERS = re.compile(
    r"^\W*(?:(?:but|so|and|oh|no)\b[\s,]*)*(?:wait|hold on|hmm+)\b[^?]*"
    r"\b(?:maybe|perhaps|mixed (?:\w+ )?up|intuitive|sure|right|wrong|possible|enough|"
    r"too (?:\w+))\b[^?]*\?\W*$",
    re.IGNORECASE,
)
"""A question that doubts what stands before it."""


def settling(trace: Trace, annotation: Annotation) -> range | None:
    """The segments directly behind the trunk that settle a doubt at its end, or None where it ends in none.

    "Is that right? Maybe I made a mistake." may not stay without the work that answers it: the items behind
    it, up to the first that ends on the answer without a doubt. If none does, all of them settle it; so they
    do if the check that stays ends open.
    """
    stays, accepted = standing(annotation), accepted_answers(annotation)
    if stays is None or stays.trunk == 0 or not accepted:
        return None
    at = stays.trunk
    if stays.check is not None:
        check = annotation.verifications[stays.check]
        looked = trace.reasoning[
            annotation.segment_offsets[check.start] : annotation.segment_offsets[check.stop]
        ]
        if (is_open(looked) or leaves_conflict(looked)) and check.stop < stays.closing:
            return range(at, _settled_by(trace, annotation, check.stop, stays.closing))
        closed = _closed_at(trace, annotation, check, stays.closing)
        if closed > check.stop:
            return range(check.start, closed)
    items = _items(annotation, at)
    approach = next((a for a in annotation.approaches if a.start == at), None)
    opening = annotation.segment_text(trace.reasoning, at)[:DOUBT_CHARS] if items else ""
    asked = approach is not None and approach.label is Label.CORRECT and _DOUBTS.search(opening) is not None
    if not items or items[0][0] != at:
        return None
    way = trace.reasoning[: annotation.segment_offsets[at]]
    doubted = (
        asked
        or (approach is not None and _BOTH_WAYS.search(way) is not None)
        or _is_doubtful(annotation.segment_text(trace.reasoning, at - 1))
        or leaves_conflict(way[-CONFLICT_CHARS:])
    )
    if not doubted and _arrives(trace, annotation, stays, accepted):
        return None
    stop = _settled_by(trace, annotation, at, stays.closing)
    return range(at, stop) if doubted or stop < stays.closing else None


def _closed_at(trace: Trace, annotation: Annotation, check: Verification, closing: int) -> int:
    """Where the check that stays comes to a verdict: where it stops, or behind the segments that give one.

    A check of which only the opening stays is worse than none. If no verdict follows, all of it stays.
    """
    accepted = accepted_answers(annotation)
    for stop in range(check.stop, closing):
        said, behind = (annotation.segment_text(trace.reasoning, at) for at in (stop - 1, stop))
        if not (leads_further(behind) or refers_to_remark(behind)) and has_outcome(said, behind, accepted):
            return stop
    return max(check.stop, closing)


def has_outcome(text: str, behind: str, accepted: Sequence[str]) -> bool:
    """Whether a segment gives a verdict or the answer, or concludes before a new look opens behind it."""
    if is_open(text):
        return False
    last = last_sentence(text)
    if is_settled(last) or is_settled_surely(text.rstrip()[-END_CHARS:]) or states(text, accepted):
        return True
    return opens(behind) and "=" not in last and _CONCLUDES.match(last) is not None


def _settled_by(trace: Trace, annotation: Annotation, at: int, closing: int) -> int:
    """Where the first item from segment `at` on ends that ends on the answer without a doubt."""
    offsets, accepted = annotation.segment_offsets, accepted_answers(annotation)
    for start, stop in _items(annotation, at):
        text = trace.reasoning[offsets[start] : offsets[stop]]
        if not is_open(text) and not leaves_conflict(text) and ends_on(text, accepted):
            return stop
    return closing


def _items(annotation: Annotation, at: int) -> list[tuple[int, int]]:
    """The approaches and checks that begin at segment `at` or behind it."""
    items = [(approach.start, approach.stop) for approach in annotation.approaches]
    items += [(check.start, check.stop) for check in annotation.verifications]
    return sorted(item for item in items if item[0] >= at)


def _arrives(trace: Trace, annotation: Annotation, stays: Standing, accepted: Sequence[str]) -> bool:
    """Whether the way to the answer ends on it, and not on a value from which a step still leads there.

    "61 + 94 = 155, so N = 1155" is not yet the remainder 155. Only numbers are compared.
    """
    if _NUMBER.fullmatch(accepted[0].strip("$ ")) is None:
        return True
    ends = list(range(max(0, stays.trunk - ARRIVING_SEGMENTS), stays.trunk))
    if stays.check is not None:
        check = annotation.verifications[stays.check]
        ends += range(max(check.start, check.stop - ARRIVING_SEGMENTS), check.stop)
    return any(
        ends_on(annotation.segment_text(trace.reasoning, segment), accepted) for segment in reversed(ends)
    )


def _is_doubtful(text: str) -> bool:
    if _DOUBTS.search(text[-DOUBT_CHARS:]) is not None or is_left_open(text) or sets_out(text):
        return True
    return _WONDERS.search(last_sentence(text)) is not None
