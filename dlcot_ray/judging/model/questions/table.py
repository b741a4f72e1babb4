"""The questions of the model judge, one entry of `QUESTIONS` each (DLCoT steps 1 to 4).

An entry holds everything that is special about a question: its step, its wording, when and about what it is
asked, the language of the answer, how the answer is read, and what a dry run assumes it to be. `program.py`
asks what stands in the table; `program.py` and `assembly.py` use the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from dlcot_ray.core.annotation import (
    Annotation,
    ErrorKind,
    JudgeStep,
    Label,
    ReferenceKind,
    SectionKind,
    VerificationKind,
)
from dlcot_ray.judging.model.questions import answers
from dlcot_ray.judging.model.questions.answers import spoken
from dlcot_ray.judging.model.questions.question import Part, Question, Scope, When
from dlcot_ray.judging.model.structure import Ranges, completion_check
from dlcot_ray.judging.model.windows import Window
from dlcot_ray.judging.rules.labels import label_range

M = TypeVar("M")

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def _sections(scope: Scope) -> Part:
    start, stop = scope.start, scope.stop
    language = answers.sections_language(start, stop)
    return Part({"first": start + 1, "last": stop}, language, ((start, stop),))


def _approaches(scope: Scope) -> Part | None:
    ranges = scope.ranges(EXPLORE)
    if all(stop - start == 1 for start, stop in ranges):
        return None
    return Part({"ranges": spoken(ranges)}, answers.starts_language(ranges), ranges)


def _checks(scope: Scope) -> Part | None:
    ranges = scope.ranges(VERIFY)
    if not ranges:
        return None
    language = answers.starts_language(ranges, answers.MAX_CHECKS, "".join(answers.CHECK_LETTERS))
    return Part({"ranges": spoken(ranges)}, language, ranges)


def _errors(scope: Scope) -> Part | None:
    ranges = scope.ranges(EXPLORE) if scope.structure is not None else ((scope.start, scope.stop),)
    return Part({"ranges": spoken(ranges)}, answers.errors_language(ranges), ranges) if ranges else None


def _completion(scope: Scope) -> Part | None:
    """Asked where the last approach states no answer, and evidence finds none in the check behind it."""
    if scope.structure is None or not scope.is_shown:
        return None
    candidate = scope.found.answers.candidate
    check = completion_check(scope.structure, candidate)
    if check is None or any(candidate[check.start : check.stop]):
        return None
    ranges = ((check.start, check.stop),)
    return Part({"ranges": spoken(ranges)}, answers.segment_language(ranges), ranges)


def _labels(scope: Scope, answered: Sequence[Mapping[int, Label]]) -> Part | None:
    """Asked about approaches whose answer could not be computed or compared."""
    kind = scope.found.reference_kind
    compared = kind in (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)
    ranges = scope.ranges(EXPLORE)
    letters: dict[int, str] = {}
    for index, (start, stop) in enumerate(ranges):
        label, _, _ = label_range(scope.found.answers, start, stop, kind)
        if label is Label.UNKNOWN:
            letters[index] = "CIN"
        elif label is Label.INCOMPLETE:
            # No answer equals the reference here, so "correct" is not offered to the model.
            letters[index] = "IN" if compared else "CIN"
    chunk = _chunk(list(letters), len(answered))
    if not chunk:
        return None
    language = answers.labels_language({index + 1: letters[index] for index in chunk})
    return Part({"items": _named(ranges, chunk)}, language, ranges, tuple(index + 1 for index in chunk))


def _clusters(kind: SectionKind, what: str) -> Callable[[Scope, Sequence[Mapping[int, int]]], Part | None]:
    """Asked about all items of a kind but the first; each may join an earlier one."""

    def next_part(scope: Scope, answered: Sequence[Mapping[int, int]]) -> Part | None:
        ranges = scope.ranges(kind)
        chunk = _chunk(range(1, len(ranges)), len(answered))
        if not chunk:
            return None
        earlier = sorted({1, *(root for answer in answered for root in answer.values())})
        items = [index + 1 for index in chunk]
        shown = _named(ranges, [*(item - 1 for item in earlier), *chunk])
        language = answers.clusters_language(items, earlier)
        return Part({"what": what, "items": shown}, language, ranges, tuple(items))

    return next_part


def _once(make: Callable[[Scope], Part | None]) -> Callable[[Scope, Sequence[Any]], Part | None]:
    """For questions of one part."""
    return lambda scope, answered: None if answered else make(scope)


def _chunk(items: Sequence[int], number: int) -> Sequence[int]:
    size = answers.ITEMS_PER_QUESTION
    return items[number * size : (number + 1) * size]


def _named(ranges: Ranges, items: Sequence[int]) -> str:
    return ", ".join(f"{item + 1} (segments {spoken([ranges[item]])})" for item in items)


def _owned_sections(
    found: Sequence[tuple[Window, tuple[tuple[int, SectionKind], ...]]],
) -> tuple[tuple[int, SectionKind], ...]:
    """Each window's marks within its own segments, and the kind that holds where these begin."""
    joined: list[tuple[int, SectionKind]] = []
    for window, marks in found:
        before = [kind for segment, kind in marks if segment <= window.own_start]
        own = [(segment, kind) for segment, kind in marks if window.own_start < segment < window.own_stop]
        for segment, kind in [(window.own_start, before[-1] if before else marks[0][1]), *own]:
            if not joined or joined[-1][1] is not kind:
                joined.append((segment, kind))
    return tuple(joined)


def _owned(found: Sequence[tuple[Window, tuple[M, ...]]]) -> tuple[M, ...]:
    """The marks, numbers of segments or tuples that begin with one, within each window's own segments."""
    return tuple(
        mark
        for window, marks in found
        for mark in marks
        if window.owns(mark[0] if isinstance(mark, tuple) else mark)  # type: ignore[arg-type]
    )


def _united(found: Sequence[tuple[Window, Mapping[int, M]]]) -> Mapping[int, M]:
    return {item: value for _, answer in found for item, value in answer.items()}


def _last(found: Sequence[tuple[Window, int | None]]) -> int | None:
    return found[-1][1] if found else None


_SECTION_OF = {kind: letter for letter, kind in answers.SECTION_LETTERS.items()}
_CHECK_OF = {kind: letter for letter, kind in answers.CHECK_LETTERS.items()}


def _assumed_sections(rules: Annotation, part: Part) -> str:
    first = part.ranges[0][0] + 1
    marks = [(max(s.start + 1, first), _SECTION_OF[s.kind]) for s in rules.sections if s.stop >= first]
    kept = [f"{at}{letter}" for at, letter in marks if letter != "C" or at == marks[-1][0]]
    return " ".join(kept[: answers.MAX_SECTIONS - 1])


def _assumed_approaches(rules: Annotation, part: Part) -> str:
    return " ".join([str(a.start + 1) for a in rules.approaches][: answers.MAX_APPROACHES])


def _assumed_checks(rules: Annotation, part: Part) -> str:
    marks = [f"{v.start + 1}{_CHECK_OF[v.kind]}" for v in rules.verifications]
    return " ".join(marks[: answers.MAX_CHECKS])


def _assumed_errors(rules: Annotation, part: Part) -> str:
    segments = sorted({e.start + 1 for a in rules.approaches for e in a.errors})
    return " ".join([f"{segment}Ku" for segment in segments][: answers.MAX_ERRORS])


SECTIONS: Question[tuple[tuple[int, SectionKind], ...]] = Question(
    step=JudgeStep.MACRO,
    wording="macro_structure",
    when=When.FIRST,
    next_part=_once(_sections),
    read=answers.read_sections,
    join=_owned_sections,
    assumed=_assumed_sections,
    implied=True,
)
APPROACHES: Question[tuple[int, ...]] = Question(
    step=JudgeStep.APPROACHES,
    wording="approaches",
    when=When.WINDOW,
    next_part=_once(_approaches),
    read=answers.read_starts,
    join=_owned,
    assumed=_assumed_approaches,
    implied=True,
)
CHECKS: Question[tuple[tuple[int, VerificationKind], ...]] = Question(
    step=JudgeStep.VERIFICATIONS,
    wording="verifications",
    when=When.WINDOW,
    next_part=_once(_checks),
    read=answers.read_checks,
    join=_owned,
    assumed=_assumed_checks,
    implied=True,
)
ERRORS: Question[tuple[tuple[int, ErrorKind, bool], ...]] = Question(
    step=JudgeStep.ERRORS,
    wording="errors",
    when=When.WINDOW,
    next_part=_once(_errors),
    read=answers.read_errors,
    join=_owned,
    assumed=_assumed_errors,
)
COMPLETION: Question[int | None] = Question(
    step=JudgeStep.COMPLETE,
    wording="complete_answer",
    when=When.COMPLETION,
    next_part=_once(_completion),
    read=answers.read_segment,
    join=_last,
    assumed=lambda rules, part: "0",
)
LABELS: Question[Mapping[int, Label]] = Question(
    step=JudgeStep.LABELS,
    wording="labels",
    when=When.WHOLE,
    next_part=_labels,
    read=answers.read_labels,
    join=_united,
    assumed=lambda rules, part: " ".join(f"{item}:I" for item in part.items),
)
APPROACH_CLUSTERS: Question[Mapping[int, int]] = Question(
    step=JudgeStep.CLUSTERS,
    wording="clusters",
    when=When.WHOLE,
    next_part=_clusters(EXPLORE, "approaches"),
    read=answers.read_clusters,
    join=_united,
    assumed=lambda rules, part: " ".join(f"{item}:{item}" for item in part.items),
    implied=True,
)
CHECK_CLUSTERS: Question[Mapping[int, int]] = Question(
    step=JudgeStep.CLUSTERS,
    wording="clusters",
    when=When.WHOLE,
    next_part=_clusters(VERIFY, "checks"),
    read=answers.read_clusters,
    join=_united,
    assumed=lambda rules, part: " ".join(f"{item}:{item}" for item in part.items),
    implied=True,
)

QUESTIONS: tuple[Question[Any], ...] = (
    SECTIONS,
    APPROACHES,
    CHECKS,
    ERRORS,
    COMPLETION,
    LABELS,
    APPROACH_CLUSTERS,
    CHECK_CLUSTERS,
)
"""In the order in which they are asked."""
