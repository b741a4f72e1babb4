"""The questions of the model judge, one entry of `QUESTIONS` each (DLCoT steps 1 to 4).

An entry holds everything that is special about a question: its step, its wording, when and about what it is
asked, the language of the answer, how the answer is read, and what a dry run assumes it to be. `program.py`
asks what stands in the table; `program.py` and `assembly.py` use the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dlcot_ray.core.annotation import JudgeStep, SectionKind
from dlcot_ray.judging.model.labelling import is_open
from dlcot_ray.judging.model.questions import answers, assumed
from dlcot_ray.judging.model.questions.answers import LabelAnswer, NamedError, spoken
from dlcot_ray.judging.model.questions.joining import last, owned_errors, owned_marks, united
from dlcot_ray.judging.model.questions.marks import Mark, read_structure, structure_language
from dlcot_ray.judging.model.questions.options import CAUSES_OPTION, CHECK_METHODS_OPTION, ERRORS_OPTION
from dlcot_ray.judging.model.questions.question import Part, Question, Scope, When
from dlcot_ray.judging.model.questions.voting import elected
from dlcot_ray.judging.model.structure import Ranges, completion_check

EXPLORE, VERIFY = SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY


def _structure(scope: Scope) -> Part:
    start, stop = scope.start, scope.stop
    return Part({"first": start + 1, "last": stop}, structure_language(start, stop), ((start, stop),))


def _errors(scope: Scope, answered: Sequence[Any]) -> Part | None:
    """Asked about all approaches at once, or one by one where one answer cannot name all their segments."""
    ranges = scope.ranges(EXPLORE) if scope.structure is not None else ((scope.start, scope.stop),)
    at_once = sum(stop - start for start, stop in ranges) <= answers.MAX_ERRORS
    asked = [ranges] if at_once else [(one,) for one in ranges]
    if not ranges or len(answered) >= len(asked):
        return None
    ranges = asked[len(answered)]
    values = {"ranges": spoken(ranges), "against": scope.against}
    return Part(values, answers.errors_language(ranges), ranges)


def _causes(scope: Scope, answered: Sequence[str]) -> Part | None:
    """What is wrong in each segment with errors, one after the other."""
    segments = _erroneous(scope.answers.get(ERRORS) or ())
    if len(answered) >= len(segments) or not scope.is_shown:
        return None
    segment = segments[len(answered)]
    return Part({"segment": segment + 1, "against": scope.against}, answers.CAUSE, ((segment, segment + 1),))


def _erroneous(errors: Sequence[NamedError]) -> list[int]:
    return sorted({error.segment for error in errors})[: answers.MAX_CAUSES]


def _completion(scope: Scope) -> Part | None:
    """Asked where evidence finds no answer in the last approach, and a check follows it."""
    if scope.structure is None or not scope.is_shown:
        return None
    check = completion_check(scope.structure, scope.found.answers.candidate)
    if check is None:
        return None
    ranges = ((check.start, check.stop),)
    return Part({"ranges": spoken(ranges)}, answers.completion_language(ranges), ranges)


def _labels(scope: Scope, answered: Sequence[Mapping[int, LabelAnswer]]) -> Part | None:
    """Asked about approaches whose answer could not be computed or compared."""
    ranges = scope.ranges(EXPLORE)
    unsure = [i for i, (start, stop) in enumerate(ranges) if is_open(scope.found, start, stop)]
    chunk = _chunk(unsure, len(answered))
    if not chunk:
        return None
    language = answers.labels_language({index + 1: ranges[index] for index in chunk})
    values = {"items": _named(ranges, chunk), "against": scope.against}
    return Part(values, language, ranges, tuple(index + 1 for index in chunk))


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


def _same(scope: Scope, answered: Sequence[tuple[bool, ...]]) -> Part | None:
    """Each merge of two approaches in both orders, because a cut may rest on it."""
    merges = [(a, b) for a, b in (scope.answers.get(APPROACH_CLUSTERS) or {}).items() if a != b]
    pairs = [pair for a, b in merges for pair in ((b, a), (a, b))]
    if len(answered) >= len(pairs):
        return None
    pair, ranges = pairs[len(answered)], scope.ranges(EXPLORE)
    one, other = (_named(ranges, [item - 1]) for item in pair)
    return Part({"one": one, "other": other}, answers.YES_OR_NO, ranges, pair)


def _once(make: Callable[[Scope], Part | None]) -> Callable[[Scope, Sequence[Any]], Part | None]:
    """For questions of one part."""
    return lambda scope, answered: None if answered else make(scope)


def _chunk(items: Sequence[int], number: int) -> Sequence[int]:
    size = answers.ITEMS_PER_QUESTION
    return items[number * size : (number + 1) * size]


def _named(ranges: Ranges, items: Sequence[int]) -> str:
    return ", ".join(f"{item + 1} (segments {spoken([ranges[item]])})" for item in items)


STRUCTURE: Question[tuple[Mark, ...]] = Question(
    step=JudgeStep.MACRO,
    wording="structure",
    when=When.FIRST,
    next_part=_once(_structure),
    read=read_structure,
    join=owned_marks,
    assumed=assumed.structure,
    also=(JudgeStep.APPROACHES, JudgeStep.VERIFICATIONS),
    implied=True,
    vote=elected,
)
ERRORS: Question[tuple[NamedError, ...]] = Question(
    step=JudgeStep.ERRORS,
    wording="errors",
    when=When.WINDOW,
    next_part=_errors,
    read=answers.read_errors,
    join=owned_errors,
    assumed=assumed.errors,
    option=ERRORS_OPTION,
    spare=(),
)
COMPLETION: Question[int | None] = Question(
    step=JudgeStep.COMPLETE,
    wording="complete_answer",
    when=When.COMPLETION,
    next_part=_once(_completion),
    read=answers.read_completion,
    join=last,
    assumed=lambda rules, part: "0",
)
LABELS: Question[Mapping[int, LabelAnswer]] = Question(
    step=JudgeStep.LABELS,
    wording="labels",
    when=When.WHOLE,
    next_part=_labels,
    read=answers.read_labels,
    join=united,
    assumed=assumed.labels,
)
APPROACH_CLUSTERS: Question[Mapping[int, int]] = Question(
    step=JudgeStep.CLUSTERS,
    wording="clusters",
    when=When.WHOLE,
    next_part=_clusters(EXPLORE, "approaches"),
    read=answers.read_clusters,
    join=united,
    assumed=assumed.clusters,
    implied=True,
)
CHECK_CLUSTERS: Question[Mapping[int, int]] = Question(
    step=JudgeStep.CLUSTERS,
    wording="clusters",
    when=When.WHOLE,
    next_part=_clusters(VERIFY, "checks"),
    read=answers.read_clusters,
    join=united,
    assumed=assumed.clusters,
    option=CHECK_METHODS_OPTION,
    implied=True,
)
SAME: Question[tuple[bool, ...]] = Question(
    step=JudgeStep.CLUSTERS,
    wording="same",
    when=When.LAST,
    next_part=_same,
    read=lambda text: (text == "y",),
    join=lambda found: tuple(said for _, answer in found for said in answer),
    assumed=lambda rules, part: "y",
    implied=True,
)
CAUSES: Question[tuple[str, ...]] = Question(
    step=JudgeStep.ERRORS,
    wording="causes",
    when=When.LAST,
    next_part=lambda scope, answered: _causes(scope, [text for said in answered for text in said]),
    read=lambda text: (" ".join(text.split()),),
    join=lambda found: tuple(text for _, said in found for text in said),
    assumed=assumed.cause,
    option=CAUSES_OPTION,
)

QUESTIONS: tuple[Question[Any], ...] = (
    STRUCTURE,
    ERRORS,
    COMPLETION,
    LABELS,
    APPROACH_CLUSTERS,
    CHECK_CLUSTERS,
    SAME,
    CAUSES,
)
"""In the order in which they are asked."""


def confirmed(clusters: Mapping[int, int], said: Sequence[bool] | None) -> dict[int, int]:
    """The merges of approaches to which both orders of `SAME` said yes; the others stand alone."""
    made: dict[int, int] = {}
    at = 0
    for item, root in clusters.items():
        agreed = item == root or (said is not None and all(said[at : at + 2]) and len(said) >= at + 2)
        at += 0 if item == root else 2
        made[item] = root if agreed else item
    return made


def causes_of(errors: Sequence[NamedError], said: Sequence[str] | None) -> dict[int, str]:
    """Segment -> what is wrong there, from the answers to `CAUSES`."""
    return dict(zip(_erroneous(errors), said or (), strict=False))
