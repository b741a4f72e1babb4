"""What a dry run takes for the model's answers: those that the rules judge's annotation would be.

In: the rules judge's annotation, and a request. Out: an answer in the language of the request.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation, SectionKind, Verification
from dlcot_ray.judging.model.questions.answers import MAX_ERRORS
from dlcot_ray.judging.model.questions.marks import MAX_MARKS, Mark, write_structure
from dlcot_ray.judging.model.questions.question import Part


def structure(rules: Annotation, part: Part) -> str:
    """The answer to `STRUCTURE` that gives the annotation's parts within the range asked about."""
    ((start, stop),) = part.ranges
    marks = [mark for mark in marks_of(rules) if mark.segment < stop]
    inside = [mark for mark in marks if mark.segment > start]
    before = [mark for mark in marks if mark.segment <= start]
    held = before[-1] if before else marks[0]
    first = Mark(start, held.kind, held.outcome, held.of)
    return write_structure([_beginning(first) if start == 0 else first, *inside][:MAX_MARKS])


def marks_of(annotation: Annotation) -> tuple[Mark, ...]:
    """The parts of an annotation, in order. The approach that a check examines is named if not the latest."""
    sections = [Mark(s.start, s.kind) for s in annotation.sections if s.kind not in _ITEMS]
    approaches = [Mark(a.start, SectionKind.SOLUTION_EXPLORE) for a in annotation.approaches]
    checks = [_check(annotation, check) for check in annotation.verifications]
    return tuple(sorted((*sections, *approaches, *checks), key=lambda mark: mark.segment))


def errors(rules: Annotation, part: Part) -> str:
    """The computed errors."""
    found = {e.start + 1 for a in rules.approaches for e in a.errors}
    inside = {segment + 1 for start, stop in part.ranges for segment in range(start, stop)}
    return " ".join(["E:", *[f"{segment}Ku" for segment in sorted(found & inside)][:MAX_ERRORS]])


def labels(rules: Annotation, part: Part) -> str:
    """Incorrect, and stated in the last segment."""
    return " ".join(f"{item}:I{part.ranges[item - 1][1]}" for item in part.items)


def clusters(rules: Annotation, part: Part) -> str:
    """Every item is a method of its own."""
    return " ".join(f"{item}:{item}" for item in part.items)


def cause(rules: Annotation, part: Part) -> str:
    """A cause of the usual length."""
    return "the product of the two numbers is wrong here"


_ITEMS = (SectionKind.SOLUTION_EXPLORE, SectionKind.VERIFY)


def _check(annotation: Annotation, check: Verification) -> Mark:
    latest = sum(approach.start < check.start for approach in annotation.approaches) - 1
    of = None if check.approach in (None, latest) else check.approach
    return Mark(check.start, SectionKind.VERIFY, check.kind, of)


def _beginning(mark: Mark) -> Mark:
    """The first mark of a trace, which begins with no check and no conclusion."""
    begins = mark.kind not in (SectionKind.VERIFY, SectionKind.CONCLUSION)
    return mark if begins else Mark(mark.segment, SectionKind.SOLUTION_EXPLORE)
