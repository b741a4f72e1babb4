"""Macro-structure, approaches and verifications of a trace from cues (DLCoT steps 1, 2.1, 2.2).

In: segments, the problem, and which segments state an answer. Out: runs of segments of one kind. One pass
with a small state: the current section, and whether an answer stands. "Alternatively" and "Wait" open a run
only when an answer stands or enough work lies behind: a split at every such word gives a median of six
approaches where readers see one to three.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Section, SectionKind, VerificationKind
from dlcot_ray.judging.rules import cues

HEAD_SEGMENTS = 8
"""Number of segments at the start that are searched for restatement and understanding."""

MIN_APPROACH_CHARS = 240
"""Characters; a shorter "approach" is an aside and stays with the run before it."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Run:
    """Segments `[start, stop)` of one kind."""

    kind: SectionKind
    start: int
    stop: int


def find_runs(segments: Sequence[str], problem: str, answered: Sequence[bool]) -> list[Run]:
    """Cut a trace into runs. `answered[i]`: segment i states a candidate final answer.

    Every approach and every verification is a run of its own; runs partition the segments.
    """
    count = len(segments)
    head = _head_runs(segments, problem)
    tail = _conclusion_start(segments, answered, head[-1].stop if head else 0)
    runs = list(head)
    at = head[-1].stop if head else 0
    kind, start = SectionKind.SOLUTION_EXPLORE, at
    standing = False
    for i in range(at, tail):
        opens = _opens(segments, i, i - start, standing, kind) if i > start else None
        if opens is not None:
            runs.append(Run(kind, start, i))
            kind, start = opens, i
        standing = standing or answered[i]
    if tail > start:
        runs.append(Run(kind, start, tail))
    if tail < count:
        runs.append(Run(SectionKind.CONCLUSION, tail, count))
    return _without_asides(runs, segments)


def sections_of(runs: Sequence[Run]) -> tuple[Section, ...]:
    """Neighbouring runs of one kind joined into sections."""
    sections: list[Section] = []
    for run in runs:
        if sections and sections[-1].kind is run.kind:
            sections[-1] = Section(run.kind, sections[-1].start, run.stop)
        else:
            sections.append(Section(run.kind, run.start, run.stop))
    return tuple(sections)


def verification_kind(text: str) -> VerificationKind:
    """Whether a check affirms, negates or leaves open; the last word decides."""
    negations = [m.end() for m in cues.NEGATION.finditer(text)]
    affirmations = [m.end() for m in cues.AFFIRMATION.finditer(text)]
    if not negations and not affirmations:
        return VerificationKind.CHECK
    if negations and (not affirmations or negations[-1] > affirmations[-1]):
        return VerificationKind.NEGATION
    return VerificationKind.AFFIRMATION


def _opens(
    segments: Sequence[str], i: int, done: int, standing: bool, kind: SectionKind
) -> SectionKind | None:
    segment = segments[i]
    explore, verify = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY
    if cues.HEADED_APPROACH.match(segment) or cues.announces_approach(segment):
        worked = done >= 3 or sum(map(len, segments[i - done : i])) >= MIN_APPROACH_CHARS
        return explore if standing or worked else None
    if cues.ALTERNATIVELY.match(segment):
        return explore if standing or (done >= 6 and _ahead(segments, i) >= 3) else None
    if not standing:
        return None
    if cues.VERIFY.match(segment) or (
        kind is explore and cues.RECONSIDER.match(segment) and cues.QUESTIONING.search(segment)
    ):
        return verify
    return None


def _ahead(segments: Sequence[str], i: int) -> int:
    """Segments until the next cue: the length of an alternative."""
    for j in range(i + 1, min(len(segments), i + 6)):
        if cues.ALTERNATIVELY.match(segments[j]) or cues.announces_approach(segments[j]):
            return j - i
    return min(len(segments), i + 6) - i


def _head_runs(segments: Sequence[str], problem: str) -> list[Run]:
    """Leading restatement and understanding; at least one segment is left for the exploration."""
    problem_words = {w.lower() for w in _WORD.findall(problem)}
    limit = min(HEAD_SEGMENTS, len(segments) - 1)
    repeat = 0
    while repeat < min(limit, 4) and _restates(segments[repeat], problem_words, first=repeat == 0):
        repeat += 1
    understand = repeat
    while understand < limit and _is_understanding(segments[understand]):
        understand += 1
    runs = []
    if repeat:
        runs.append(Run(SectionKind.QUESTION_REPEAT, 0, repeat))
    if understand > repeat:
        runs.append(Run(SectionKind.PROBLEM_UNDERSTAND, repeat, understand))
    return runs


def _restates(segment: str, problem_words: set[str], *, first: bool) -> bool:
    words = [w.lower() for w in _WORD.findall(segment)]
    if not words or len(segment) > 1500:
        return False
    shared = sum(w in problem_words for w in words) / len(words)
    if len(cues.SOLVING.findall(segment)) > 3:
        return False
    return shared >= (0.45 if first else 0.6) or (first and bool(cues.OPENING.search(segment)))


def _is_understanding(segment: str) -> bool:
    return bool(cues.OPENING.search(segment)) and len(cues.SOLVING.findall(segment)) <= 1


def _conclusion_start(segments: Sequence[str], answered: Sequence[bool], head: int) -> int:
    """First segment of the trailing conclusion, or len(segments) where the trace has none."""
    start = len(segments)
    last = len(segments) - 1
    if (
        last > head
        and cues.ENDING.match(segments[last])
        and len(segments[last]) < 600
        and (not answered[last] or any(answered[head:last]))
    ):
        start = last
    while start - 1 > head and len(segments) - start < 4:
        i = start - 1
        if (
            cues.CONCLUDE.match(segments[i])
            or (answered[i] and "\\boxed" in segments[i] and len(segments[i]) < 400)
            or (
                start < len(segments)
                and len(segments[i]) < 60
                and not cues.SOLVING.search(segments[i])
                and i - 1 > head
            )
        ):
            start = i
        else:
            break
    return start


def _without_asides(runs: Sequence[Run], segments: Sequence[str]) -> list[Run]:
    """Join approaches that are too short to the run before them."""
    kept: list[Run] = []
    for run in runs:
        size = sum(len(segments[i]) for i in range(run.start, run.stop))
        last = kept[-1] if kept else None
        exploring = (SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY)
        aside = run.kind is SectionKind.SOLUTION_EXPLORE and size < MIN_APPROACH_CHARS
        if last is not None and last.kind in exploring and aside:
            kept[-1] = Run(last.kind, last.start, run.stop)
        else:
            kept.append(run)
    return kept
