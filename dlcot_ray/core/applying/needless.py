"""Where a careful reader would begin and end the cut behind the answer, by a judge's chances and by evidence.

In: a trace, its settled annotation with `needless`, and the segments that an edit drops. Out: the run of
segments behind the answer that goes instead, and the annotation whose items end where that run does. The
edit's choice is evidence, and so is each chance: their log-odds are added up over the characters, and the
run with the highest sum goes. It begins and ends only where a thought does.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation, Section, SectionKind, Verification, VerificationKind
from dlcot_ray.core.applying.looks import END_CHARS, is_settled_surely, leaves_conflict, opens
from dlcot_ray.core.applying.openness import is_open, sets_out, supposes, without_announcement
from dlcot_ray.core.applying.settling import has_outcome
from dlcot_ray.core.policies.standing import Standing, standing
from dlcot_ray.core.stating.stated import accepted_answers, ends_on, states
from dlcot_ray.core.trace import Trace

CHOICE = 0.5
"""Log-odds that the edit's own choice adds to a segment, or takes from one that it keeps."""

CAUTION = 1.0
"""Log-odds that a segment needs beyond even chances, because one that is needed does more harm by going."""

KEPT, GONE = 0.45, 0.6
"""Chances up to which a reader keeps a segment, and from which one drops it, where a thought may end."""

NEEDED = 150.0
"""Log-odds times characters that readers would rather keep, which a run may begin or end with: it can begin
and end only where a thought does."""

TRIES = 20
"""Runs that are looked at before nothing goes."""

_GOES_ON = re.compile(r"\W*(?:then|after that)\b(?!,? (?:i|let|why|how)\b)", re.IGNORECASE)
"""The beginning of a segment that goes on with the step before it."""

_LEAST = 0.005
"""Chances nearer to 0 or 1 count as this far from it."""


def needless_run(
    trace: Trace, annotation: Annotation, dropped: Collection[int], least: int = 0
) -> range | None:
    """The run of segments behind the answer that goes.

    Args:
        trace: the trace.
        annotation: settled.
        dropped: the segments that an edit of the trace drops.
        least: the first segment at which the run may begin.

    Returns:
        The run; empty where nothing is worth it, None where the judge gives no chances or no answer stands.
    """
    stays, accepted = standing(annotation), accepted_answers(annotation)
    count = len(annotation.segment_offsets) - 1
    if stays is None or not accepted or len(annotation.needless) != count:
        return None
    places = _Places(trace, annotation, stays, accepted, dropped)
    behind = max(least, behind_answer(annotation))
    gains = [
        (annotation.segment_offsets[i + 1] - annotation.segment_offsets[i])
        * (_odds(chance) + (CHOICE if i in dropped else -CHOICE) - CAUTION)
        for i, chance in enumerate(annotation.needless)
    ]
    best = _best_run(gains, range(behind, count), range(count + 1))
    if not best or (places.may_start(best.start) and places.may_stop(best.stop)):
        # The best of all runs is allowed, which is usual and spares a look at every place.
        return best
    starts = {i for i in range(behind, count) if places.may_start(i)}
    stops = {i for i in range(behind, count + 1) if places.may_stop(i)}
    return _best_without_needed(gains, starts, stops)


def behind_answer(annotation: Annotation) -> int:
    """The first segment behind the one where the answer first stands; the number of segments without one."""
    stays, first = standing(annotation), annotation.first_correct_segment
    if stays is None:
        return len(annotation.segment_offsets) - 1
    return stays.trunk if first is None else first + 1


def affirming_stop(annotation: Annotation, drops: Collection[int]) -> int | None:
    """Where the first check ends that affirms the answer and stays whole, or None without one."""
    stays = standing(annotation)
    whole = (
        check.stop
        for check in annotation.verifications
        if check.kind is VerificationKind.AFFIRMATION
        and stays is not None
        and check.start >= stays.trunk
        and not any(segment in drops for segment in range(check.start, check.stop))
    )
    return next(whole, None)


def _odds(chance: float) -> float:
    inside = min(max(chance, _LEAST), 1 - _LEAST)
    return math.log(inside / (1 - inside))


def _best_run(gains: Sequence[float], starts: Collection[int], stops: Collection[int]) -> range:
    """The run between allowed places with the highest sum, if that is positive."""
    best, highest = range(0), 0.0
    so_far, least, begin = 0.0, math.inf, 0
    for i in range(len(gains) + 1):
        if i in stops and so_far - least > highest:
            best, highest = range(begin, i), so_far - least
        if i in starts and so_far < least:
            least, begin = so_far, i
        so_far += gains[i] if i < len(gains) else 0.0
    return best


def _best_without_needed(gains: Sequence[float], starts: set[int], stops: set[int]) -> range:
    """The best run between allowed places that neither begins nor ends with much that a reader keeps."""
    for _ in range(TRIES):
        best = _best_run(gains, starts, stops)
        if not best:
            return best
        if _lowest(gains[best.start : best.stop]) < -NEEDED:
            starts.discard(best.start)
        elif _lowest(gains[best.start : best.stop][::-1]) < -NEEDED:
            stops.discard(best.stop)
        else:
            return best
    return range(0)


def _lowest(gains: Sequence[float]) -> float:
    """The lowest sum of the first of some gains."""
    return min(itertools.accumulate(gains), default=0.0)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where a run may begin and end."""

    trace: Trace
    annotation: Annotation
    stays: Standing
    accepted: Sequence[str]
    dropped: Collection[int]

    def may_start(self, segment: int) -> bool:
        """Whether the edit begins to drop here, or something new opens behind a thought that has ended.

        What only goes on with the step before ("Then 54 - 37 = 17.") stays with it. Where the text before
        only supposes something, what follows may settle it. Before the edit's own beginning the thought has
        to end on the answer, or on a sure verdict. A last sentence that only announces the check that goes
        does not count.
        """
        if _GOES_ON.match(self._text(segment)):
            return False
        if segment in self.dropped and segment - 1 not in self.dropped:
            return segment == 0 or not supposes(self._text(segment - 1))
        behind = behind_answer(self.annotation)
        first = min((i for i in self.dropped if i >= behind), default=self._count)
        before = without_announcement(self._text(segment - 1)) if segment else ""
        return self._opens(segment) and self._ends_before(segment, before, sure=segment < first)

    def may_stop(self, segment: int) -> bool:
        """Whether the edit goes on to keep here, an item begins, or it is a place in the conclusion."""
        if segment >= self.stays.closing or segment in self._items:
            return True
        if segment - 1 in self.dropped and segment not in self.dropped:
            return True
        before = self._text(segment - 1) if segment else ""
        return self._opens(segment) and self._ends_before(segment, before, sure=False)

    @property
    def _count(self) -> int:
        return len(self.annotation.segment_offsets) - 1

    @property
    def _items(self) -> frozenset[int]:
        starts = [approach.start for approach in self.annotation.approaches]
        starts += [check.start for check in self.annotation.verifications]
        return frozenset((self.stays.trunk, self.stays.closing, *starts))

    def _text(self, segment: int) -> str:
        return self.annotation.segment_text(self.trace.reasoning, segment)

    def _opens(self, segment: int) -> bool:
        return segment in self._items or opens(self._text(segment))

    def _turns(self, segment: int) -> bool:
        """Whether the chances turn here: a reader keeps what stands before, and drops what follows."""
        before, behind = self.annotation.needless[segment - 1 : segment + 1]
        return before <= KEPT and behind >= GONE

    def _ends_before(self, segment: int, text: str, *, sure: bool) -> bool:
        """Whether the text before a segment has ended: it asks nothing and leaves nothing open."""
        if not text:
            return False
        if is_open(text) or sets_out(text) or leaves_conflict(text):
            return False
        if sure and self._turns(segment):
            return True
        if sure:
            return ends_on(text, self.accepted) or is_settled_surely(text.rstrip()[-END_CHARS:])
        return segment in self._items or has_outcome(text, self._text(segment), self.accepted)


def ending_at(trace: Trace, annotation: Annotation, run: range) -> Annotation:
    """The annotation whose approaches and checks are cut where a run begins and ends.

    What lies behind such a place in an approach becomes a check of it without a verdict, and so does the rest
    of a check. The first part of a check affirms no longer where only what follows it states the answer.
    """
    for at in (run.start, run.stop):
        annotation = _cut_at(trace, annotation, at)
    return annotation


def _cut_at(trace: Trace, annotation: Annotation, at: int) -> Annotation:
    approaches, checks = list(annotation.approaches), list(annotation.verifications)
    sections = list(annotation.sections)
    for i, approach in enumerate(approaches):
        if approach.start < at < approach.stop:
            approaches[i] = replace(approach, stop=at)
            method = 1 + max((check.cluster for check in checks), default=-1)
            checks.append(Verification(at, approach.stop, VerificationKind.CHECK, i, method))
            sections = _looked_on(sections, at, approach.stop)
    for i, check in enumerate(annotation.verifications):
        if check.start < at < check.stop:
            first, rest = replace(check, stop=at), replace(check, start=at, kind=VerificationKind.CHECK)
            if _states_answer(trace, annotation, rest) and not _states_answer(trace, annotation, first):
                first = replace(first, kind=VerificationKind.CHECK)
            checks[i] = first
            checks.append(rest)
    checks.sort(key=lambda check: check.start)
    return replace(
        annotation, approaches=tuple(approaches), verifications=tuple(checks), sections=tuple(sections)
    )


def _states_answer(trace: Trace, annotation: Annotation, check: Verification) -> bool:
    start, stop = annotation.segment_offsets[check.start], annotation.segment_offsets[check.stop]
    return states(trace.reasoning[start:stop], accepted_answers(annotation))


def _looked_on(sections: Sequence[Section], start: int, stop: int) -> list[Section]:
    """The sections with segments `[start, stop)` as verification."""
    out: list[Section] = []
    for section in sections:
        first, last = max(start, section.start), min(stop, section.stop)
        if first >= last:
            out.append(section)
            continue
        if section.start < first:
            out.append(replace(section, stop=first))
        out.append(Section(SectionKind.VERIFY, first, last))
        if last < section.stop:
            out.append(replace(section, start=last))
    return out
