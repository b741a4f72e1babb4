"""Whole examinations: which looks behind the trunk examine the answer and settle what they ask.

In: a trace and its annotation. Out: the annotation whose checks of the standing solution are examinations:
looks that announce or end in a doubt are joined to what follows them, up to the verdict; a check that holds
several looks is split behind a verdict where the next look opens. An examination affirms if it works
something out and comes to a verdict. If none does, the checks stay as they were, apart from the joining.
Linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from dlcot_ray.core.annotation import Annotation, Verification, VerificationKind
from dlcot_ray.core.applying.looks import (
    END_CHARS,
    announces_check,
    answers_itself,
    computes,
    is_listed,
    is_settled,
    is_settled_surely,
    leads_further,
    notes_conflict,
    opens,
    refers_to_remark,
    rewrites,
    words_of_its_own,
)
from dlcot_ray.core.applying.openness import is_open
from dlcot_ray.core.evidence.answers import AnswerForm, find_answers
from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.core.policies.standing import trunk_stop
from dlcot_ray.core.stating.facts import is_asked, is_stated
from dlcot_ray.core.stating.question import Question, read_question
from dlcot_ray.core.stating.stated import accepted_answers, ends_on
from dlcot_ray.core.trace import Trace

EXAMINES_CHARS = 120
"""Least characters, without announcements, doubts and memories, of an examination that computes nothing."""

WHOLE_CHARS = 160
"""Least characters of a whole examination; a shorter one is a remark, and what follows it belongs to it."""

INNER_END_CHARS = 160
"""The same for a part of a check, of which only the last segment counts."""

OPENING_CHARS = 240
"""Characters at the beginning of a check that say what it asks."""

LONG = 500
"""Least characters of a check whose own question counts as answered where it ends on the answer."""

_ASKS_WHETHER = re.compile(
    r"\b(?:check|see|ensure|verify|consider|sure|confirm)\b[^.?!\n]{0,30}\b(?:if|whether|that)\b|\?",
    re.IGNORECASE,
)
"""Announces a question of its own, which an answer said again does not settle."""


class Worth(IntEnum):
    """What an examination is worth as the one that stays."""

    OPEN = 0
    STEP = 1
    """It goes on with the solution: it neither says that it checks nor gives a verdict."""
    THIN = 2
    """It comes to a verdict, but has examined nothing of its own."""
    WHOLE = 3
    """It examines and comes to a verdict."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A trace whose segments are read as looks."""

    text: str
    offsets: Sequence[int]
    accepted: Sequence[str]
    arrival: int | None
    """The first correct segment."""
    question: Question

    def segment(self, index: int) -> str:
        return self.text[self.offsets[index] : self.offsets[index + 1]]

    def end(self, start: int, stop: int, chars: int) -> str:
        """The last characters of segments `[start, stop)`."""
        last = self.offsets[stop]
        return self.text[max(self.offsets[start], last - chars) : last].rstrip()

    def has_verdict(self, start: int, stop: int) -> bool:
        """Whether segments `[start, stop)` end in a verdict, or on the answer."""
        if is_settled(self.end(start, stop, END_CHARS)):
            return True
        if self.arrival is not None and start <= self.arrival < stop:
            return False
        opening = self.text[self.offsets[start] : self.offsets[stop]][:OPENING_CHARS]
        asks = _ASKS_WHETHER.search(opening) is not None
        long = self.offsets[stop] - self.offsets[start] >= LONG
        return (long or not asks) and ends_on(self.end(start, stop, LONG), self.accepted)

    def has_sure_verdict(self, start: int, stop: int) -> bool:
        """Whether the last of segments `[start, stop)` gives a verdict in sure words, or the answer."""
        end = self.end(max(start, stop - 1), stop, INNER_END_CHARS)
        return is_settled_surely(end) or ends_on(self.segment(stop - 1), self.accepted)

    def ends_otherwise(self, stop: int) -> bool:
        """Whether the segment before `stop` says last that what is asked is certainly another value."""
        text = self.segment(stop - 1)
        said = [
            answer
            for answer in find_answers(text)
            if answer.form is not AnswerForm.EQUATION and is_stated(text, answer)
        ]
        if not said or quick_equivalent(said[-1].text, self.accepted[0]) is not False:
            return False
        return is_asked(text, said[-1], self.question)

    def is_step(self, start: int, stop: int) -> bool:
        """Whether segments `[start, stop)` only go on: they announce no check, and are short or unsettled."""
        text = self.text[self.offsets[start] : self.offsets[stop]]
        if announces_check(text):
            return False
        return (
            len(text) < WHOLE_CHARS
            or rewrites(text)
            or not is_settled_surely(self.end(start, stop, END_CHARS))
        )


def is_whole(text: str, accepted: Sequence[str]) -> bool:
    """Whether a text examines something of its own, answers what it asks, and comes to an end."""
    reading = _Reading(text, (0, len(text)), accepted, None, read_question(""))
    examines = computes(text) or words_of_its_own(text) >= EXAMINES_CHARS
    return examines and not is_open(text) and reading.has_verdict(0, 1)


def with_whole_checks(trace: Trace, annotation: Annotation) -> Annotation:
    """The annotation whose checks of the standing solution are examinations.

    If one of them is whole, only whole ones affirm. If none is, a whole check behind a later approach affirms
    in their place.
    """
    trunk, accepted = trunk_stop(annotation), accepted_answers(annotation)
    if trunk is None or not accepted:
        return annotation
    first = annotation.first_correct_segment
    question = read_question(trace.problem)
    reading = _Reading(trace.reasoning, annotation.segment_offsets, accepted, first, question)
    own = _made(reading, annotation, _rows(annotation, trunk, later=False))
    if _has_whole(own):
        return _put_in(annotation, own)
    later = _made(reading, annotation, _rows(annotation, trunk, later=True))
    return (
        _put_in(annotation, sorted([*own, *later], key=lambda made: made[0].start))
        if _has_whole(later)
        else annotation
    )


_Made = tuple[range, list[tuple[Verification, Worth]]]
"""A row of checks, by index, and its examinations."""


def _made(reading: _Reading, annotation: Annotation, rows: Iterable[range]) -> list[_Made]:
    return [
        (row, list(_examinations(reading, annotation.verifications[row.start : row.stop]))) for row in rows
    ]


def _has_whole(made: Iterable[_Made]) -> bool:
    return any(worth is Worth.WHOLE for _, parts in made for _, worth in parts)


def _put_in(annotation: Annotation, made: Iterable[_Made]) -> Annotation:
    """The annotation with examinations in the place of rows of checks; whole ones affirm."""
    checks: list[Verification] = []
    at = 0
    for row, parts in made:
        checks += annotation.verifications[at : row.start]
        checks += [_judged(check, affirms=worth is Worth.WHOLE) for check, worth in parts]
        at = row.stop
    checks += annotation.verifications[at:]
    return replace(annotation, verifications=tuple(checks))


def _judged(check: Verification, *, affirms: bool) -> Verification:
    if affirms:
        return replace(check, kind=VerificationKind.AFFIRMATION)
    affirmed = check.kind is VerificationKind.AFFIRMATION
    return replace(check, kind=VerificationKind.CHECK) if affirmed else check


def _examinations(reading: _Reading, checks: Sequence[Verification]) -> Iterator[tuple[Verification, Worth]]:
    """The checks of a row as examinations, each with its worth. A check that finds fault stays as it is.

    A step of the solution is joined to what follows until a whole examination was found.
    """
    stop = checks[-1].stop
    starts = {check.start: check for check in checks}
    faults = [check for check in checks if check.kind is VerificationKind.NEGATION]
    fixed = {place for check in faults for place in (check.start, check.stop)} | {stop}
    first, begin, works, words = checks[0], checks[0].start, False, 0
    owner, found = first, False
    for at in range(begin, stop):
        text, end = reading.segment(at), at + 1
        owner = starts.get(at, owner)
        if at == begin:
            first = owner
        works = works or computes(text)
        words += 0 if works else words_of_its_own(text)
        inner = end not in starts and end not in fixed
        if end not in fixed and not _may_end(reading, end, inner=inner):
            continue
        worth = _worth(reading, begin, end, works=works, words=words)
        worth = Worth.WHOLE if found and worth is Worth.STEP else worth
        if worth is Worth.THIN and end not in fixed and refers_to_remark(reading.segment(end)):
            continue
        sure = not inner or (worth is Worth.WHOLE and reading.has_sure_verdict(begin, end))
        if end in fixed or (worth > Worth.STEP and sure):
            found_fault = first.kind is VerificationKind.NEGATION
            yield replace(first, start=begin, stop=end), Worth.OPEN if found_fault else worth
            found = found or worth is Worth.WHOLE
            begin, works, words = end, False, 0


def _may_end(reading: _Reading, end: int, *, inner: bool) -> bool:
    """Whether an examination may end before segment `end`, which is not the last of its row."""
    text, behind = reading.segment(end - 1), reading.segment(end)
    if (inner and not opens(behind)) or notes_conflict(behind) or leads_further(behind):
        return False
    return not is_open(text) and not (is_listed(text) and is_listed(behind))


def _worth(reading: _Reading, start: int, stop: int, *, works: bool, words: int) -> Worth:
    if is_open(reading.segment(stop - 1)) or not reading.has_verdict(start, stop):
        return Worth.OPEN
    if reading.ends_otherwise(stop):
        return Worth.OPEN
    if not works and words < EXAMINES_CHARS:
        return Worth.STEP if answers_itself(reading.segment(start)) else Worth.THIN
    return Worth.STEP if reading.is_step(start, stop) else Worth.WHOLE


def _rows(annotation: Annotation, trunk: int, *, later: bool) -> Iterator[range]:
    """Checks behind the trunk that follow each other directly, by index.

    Those of the standing solution, or those that stand behind a `later` correct approach.
    """
    behind = {i for i, approach in enumerate(annotation.approaches) if approach.start >= trunk}
    checks = annotation.verifications
    start: int | None = None
    for i, check in enumerate(checks):
        eligible = check.start >= trunk and check.start < check.stop and (check.approach in behind) is later
        if start is not None and not (eligible and checks[i - 1].stop == check.start):
            yield range(start, i)
            start = None
        if eligible and start is None:
            start = i
    if start is not None:
        yield range(start, len(checks))
