"""One answer to STRUCTURE from several, and how far these agree. Pure.

In: answers about the same segments, by several votes. Out: the answer that they make together, and the mean
F1 of their openings against it. Each segment gets the kind of part that most answers see there. A part opens
where that kind changes, or where most answers have opened another part of the same kind since the last one
opened; so answers that differ by a segment or two still count together. A check ends as most answers say.
Among things that equally many answers say, the one that is said first counts, in the order of the votes. An
answer that more than half of the votes give is thus the result as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean
from typing import TypeVar

from dlcot_ray.core.annotation import SectionKind, VerificationKind
from dlcot_ray.judging.model.questions.marks import Mark, read_structure, write_structure

T = TypeVar("T")
Answer = Sequence[Mark]

LONE = 0.6
"""The agreement of an answer that is the only one: as sure as one that had to be asked for twice."""


def elected(answers: Sequence[tuple[Mark, ...]]) -> tuple[tuple[Mark, ...], float]:
    """The answer that `answers` (at least one, none empty) make together, and their agreement, 0..1.

    An opening is the same in two answers if its segment, its kind and the end of its check are.
    """
    if len(answers) == 1:
        return answers[0], LONE
    # Reading takes out a conclusion that others stand behind, as it does in the answer of a model.
    made = read_structure(write_structure(_joined(answers)))
    return made, fmean(_f1(_openings(answer), _openings(made)) for answer in answers)


def _joined(answers: Sequence[Answer]) -> list[Mark]:
    """The marks of all answers together."""
    openings: list[tuple[int, SectionKind]] = []
    for segment in sorted({mark.segment for answer in answers for mark in answer}):
        held = [_holding(answer, segment) for answer in answers]
        kind = _most([mark.kind for mark in held])
        since = openings[-1][0] if openings else -1
        again = _most([mark.kind is kind and mark.segment > since for mark in held])
        if not openings or again or kind is not openings[-1][1]:
            openings.append((segment, kind))
    stops = [*(segment for segment, _ in openings[1:]), None]
    begun = [segment for segment, kind in openings if kind is SectionKind.SOLUTION_EXPLORE]
    return [
        _check(answers, segment, stop, begun) if kind is SectionKind.VERIFY else Mark(segment, kind)
        for (segment, kind), stop in zip(openings, stops, strict=True)
    ]


def _check(answers: Sequence[Answer], start: int, stop: int | None, begun: Sequence[int]) -> Mark:
    """The check at segments `[start, stop)`: how it ends, and the approach that it examines.

    Args:
        begun: where the approaches begin. Answers may number them differently, so the approach is known by
            its segment.
    """
    outcomes: list[VerificationKind | None] = []
    examined: list[int | None] = []
    for answer in answers:
        inside = (mark for mark in answer if mark.segment > start and (stop is None or mark.segment < stop))
        checks = (m for m in (_holding(answer, start), *inside) if m.kind is SectionKind.VERIFY)
        check = next(checks, None)
        if check is not None:
            outcomes.append(check.outcome)
            examined.append(_begin(answer, check.of))
    of = _most(examined)
    number = None if of is None else sum(segment <= of for segment in begun) - 1
    return Mark(start, SectionKind.VERIFY, _most(outcomes), None if number == -1 else number)


def _begin(answer: Answer, approach: int | None) -> int | None:
    """The first segment of an approach of an answer; None where there is none of that number."""
    begun = [mark.segment for mark in answer if mark.kind is SectionKind.SOLUTION_EXPLORE]
    return begun[approach] if approach is not None and approach < len(begun) else None


def _holding(answer: Answer, segment: int) -> Mark:
    """The mark of the part in which a segment lies."""
    return max((mark for mark in answer if mark.segment <= segment), key=lambda mark: mark.segment)


def _most(said: Sequence[T]) -> T:
    """What most say; among several, what is said first."""
    counts = Counter(said)
    return max(counts, key=lambda one: counts[one])


def _openings(answer: Answer) -> set[tuple[int, SectionKind, VerificationKind | None]]:
    return {(mark.segment, mark.kind, mark.outcome) for mark in answer}


def _f1(one: set[T], other: set[T]) -> float:
    return 2 * len(one & other) / (len(one) + len(other))
