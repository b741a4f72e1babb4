"""Macro-structure, approaches and verifications of a trace (DLCoT steps 1, 2.1, 2.2).

In: segments, the problem, and which segments state an answer. Out: runs of segments of one kind. The head and
the tail are found first. Between them one pass keeps a small state: the kind of the current run, and whether
an answer stands. Before that, only approaches open; from then on, looks at the answer are checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial

from dlcot_ray.core.annotation import SectionKind
from dlcot_ray.judging.rules import approaches, checks
from dlcot_ray.judging.rules.head import find_head
from dlcot_ray.judging.rules.runs import Run
from dlcot_ray.judging.rules.tail import conclusion_start

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def find_runs(segments: Sequence[str], problem: str, answered: Sequence[bool]) -> list[Run]:
    """Cut a trace into runs. `answered[i]`: segment i states a candidate final answer.

    Every approach and every verification is a run of its own; runs partition the segments.
    """
    runs = find_head(segments, problem, answered)
    at = runs[-1].stop if runs else 0
    tail = conclusion_start(segments, answered, at)
    kind, start = EXPLORE, at
    # Few traces ask for the figures, so they are read when they are first asked for.
    figures = cache(partial(approaches.first_figures, problem, segments))
    standing = again = returned = False
    for i in range(at, tail):
        if i > start:
            standing = standing or (returned and checks.insists(segments[i]))
            opens = _opens(segments, answered, figures, i, tail, kind, start, standing=standing)
            if opens is not None:
                runs.append(Run(kind, start, i))
                again, returned = standing and opens is EXPLORE, False
                standing = standing and opens is VERIFY
                kind, start = opens, i
        standing = standing or answered[i]
        returned = returned or (again and _arrives_again(segments[i]))
    if tail > start:
        runs.append(Run(kind, start, tail))
    if tail < len(segments):
        runs.append(Run(SectionKind.CONCLUSION, tail, len(segments)))
    return runs


def _opens(
    segments: Sequence[str],
    answered: Sequence[bool],
    figures: Callable[[], Mapping[str, int]],
    i: int,
    tail: int,
    kind: SectionKind,
    start: int,
    *,
    standing: bool,
) -> SectionKind | None:
    """The kind of the run that opens at i, inside a run of `kind` from `start`; None where it goes on."""
    if not standing:
        return EXPLORE if approaches.opens_instead(segments, start, i, tail) else None
    exploring = kind is EXPLORE
    if approaches.opens_again(segments, answered, figures, i, tail, exploring=exploring):
        return EXPLORE
    if checks.looks_back(segments[i]):
        return VERIFY if exploring or _looks_anew(segments, answered, i) else None
    if checks.doubts(segments[i]) and (exploring or _renews(segments, answered, i)):
        return VERIFY
    return None


def _arrives_again(segment: str) -> bool:
    """Whether a second way ends here: the segment says that the same result came out, and settles it."""
    return approaches.says_same(segment) and checks.settles(segment, answered=False)


def _renews(segments: Sequence[str], answered: Sequence[bool], i: int) -> bool:
    """Whether the doubt at i opens a check of its own: behind an answer, or a result that came out again."""
    if answered[i - 1]:
        return _looks_anew(segments, answered, i)
    return _arrives_again(segments[i - 1])


def _looks_anew(segments: Sequence[str], answered: Sequence[bool], i: int) -> bool:
    """Whether the look at i is a check of its own: it insists, or a verdict or a result stands before it."""
    before = segments[i - 1]
    return (
        checks.insists(segments[i])
        or checks.states(before)
        or checks.settles(before, answered=answered[i - 1])
    )
