"""The figures of one trace, from its text and its annotation.

In: a trace, its annotation, and policies. Out: `TraceFigures`. A figure is None where it is not defined, such
as everything about right and wrong where there is no reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dlcot_ray.core.annotation import Annotation, Label, ReferenceKind
from dlcot_ray.core.evidence.loops import inner_loops
from dlcot_ray.core.language import language_of
from dlcot_ray.core.markup import find_control_word
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace

_FAILED = (Label.INCORRECT, Label.INCOMPLETE)
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class TraceFigures:
    """What a profile knows of one trace; `measures.MEASURES` says what each number means.

    Attributes:
        tokens, characters, segments: lengths of the thinking.
        sections: kind of section -> its share of the characters.
        ends: ``right`` or ``wrong`` by the last approach with an answer, ``open`` without such an approach,
            ``unknown`` where there is nothing to compare with.
        reference: what answers were compared with.
        language: ISO 639-1 code, empty for a text with hardly any words.
    """

    tokens: int
    characters: int
    segments: int
    sections: Mapping[str, float]
    approaches: int
    methods: int
    checks: int
    ends: str
    reference: str
    language: str
    outcome_efficiency: float | None
    process_efficiency: float | None
    underthinking: float | None
    failed_steps: float | None
    review_ratio: float
    branch_density: float
    behind_answer: float | None
    loops: float
    unclosed: float
    control_words: float
    arithmetic_errors: int

    def value(self, name: str) -> float | None:
        """A measure by its name."""
        found = getattr(self, name)
        return None if found is None else float(found)


def figures_of(trace: Trace, annotation: Annotation) -> TraceFigures:
    """All figures of a trace."""
    text, offsets = trace.reasoning, annotation.segment_offsets
    tokens, count = estimate_tokens(text), max(len(offsets) - 1, 0)
    ends = end_of(annotation)
    behind = _behind_answer(annotation)
    failed = sum(item.stop - item.start for item in annotation.approaches if item.label in _FAILED)
    known = ends != "unknown"
    texts = (text, trace.response or "")
    return TraceFigures(
        tokens=tokens,
        characters=len(text),
        segments=count,
        sections=section_shares(annotation),
        approaches=len(annotation.approaches),
        methods=len({item.cluster for item in annotation.approaches}),
        checks=len(annotation.verifications),
        ends=ends,
        reference=annotation.reference_kind.value,
        language=language_of(text),
        outcome_efficiency=_outcome_efficiency(text, tokens, annotation) if known else None,
        process_efficiency=process_efficiency(annotation),
        underthinking=underthinking(annotation) if ends == "wrong" else None,
        failed_steps=failed / count if known and count else None,
        review_ratio=_share(annotation, ((item.start, item.stop) for item in annotation.verifications)),
        branch_density=1000 * max(len(annotation.approaches) - 1, 0) / tokens if tokens else 0.0,
        behind_answer=behind,
        loops=loop_share(text, annotation),
        unclosed=float(annotation.truncated),
        control_words=float(any(find_control_word(item) is not None for item in texts)),
        arithmetic_errors=sum(len(item.errors) for item in annotation.approaches),
    )


def end_of(annotation: Annotation) -> str:
    """Whether a trace ends on its reference: ``right``, ``wrong``, ``open`` or ``unknown``."""
    if annotation.reference_kind in (ReferenceKind.NONE, ReferenceKind.TRACE):
        return "unknown"
    answered = [item.label for item in annotation.approaches if item.answer is not None]
    if not answered:
        return "open"
    return {Label.CORRECT: "right", Label.INCORRECT: "wrong"}.get(answered[-1], "open")


def section_shares(annotation: Annotation) -> dict[str, float]:
    """Kind of section -> its share of the characters."""
    offsets = annotation.segment_offsets
    total = offsets[-1] or 1
    found: dict[str, float] = {}
    for section in annotation.sections:
        size = offsets[section.stop] - offsets[section.start]
        found[section.kind.value] = found.get(section.kind.value, 0.0) + size / total
    return found


def process_efficiency(annotation: Annotation) -> float | None:
    """The share of approaches and checks, by characters, whose method occurs there for the first time."""
    offsets = annotation.segment_offsets
    parts = [(item.start, item.stop, (0, item.cluster)) for item in annotation.approaches]
    parts += [(item.start, item.stop, (1, item.cluster)) for item in annotation.verifications]
    seen: set[tuple[int, int]] = set()
    fresh = total = 0
    for start, stop, method in sorted(parts):
        size = offsets[stop] - offsets[start]
        total += size
        fresh += 0 if method in seen else size
        seen.add(method)
    return fresh / total if total else None


def underthinking(annotation: Annotation) -> float:
    """The share of characters behind the first right approach of a trace that ends wrong; 0 without one."""
    right = next((item for item in annotation.approaches if item.label is Label.CORRECT), None)
    if right is None:
        return 0.0
    offsets = annotation.segment_offsets
    return 1 - offsets[right.stop] / offsets[-1]


def loop_share(text: str, annotation: Annotation) -> float:
    """The share of characters that repeat what stands directly before them, between or inside segments."""
    offsets = annotation.segment_offsets
    inside = {number for start, stop in annotation.loops for number in range(start, stop)}
    size = sum(offsets[number + 1] - offsets[number] for number in inside)
    for number, segment in enumerate(segment_texts(text, offsets)):
        if number not in inside:
            size += sum(stop - start for start, stop in inner_loops(segment))
    return size / len(text) if text else 0.0


def chosen_share(annotation: Annotation, policy: Policy) -> float:
    """The share of characters that a policy chooses to drop, before any gate is asked."""
    return _share(annotation, ((number, number + 1) for number in policy.drops(annotation)))


def _outcome_efficiency(text: str, tokens: int, annotation: Annotation) -> float:
    first = annotation.first_correct_segment
    if first is None or not tokens:
        return 0.0
    return estimate_tokens(text[: annotation.segment_offsets[first + 1]]) / tokens


def _behind_answer(annotation: Annotation) -> float | None:
    first, offsets = annotation.first_correct_segment, annotation.segment_offsets
    return None if first is None or not offsets[-1] else 1 - offsets[first + 1] / offsets[-1]


def _share(annotation: Annotation, spans: Iterable[Span]) -> float:
    offsets = annotation.segment_offsets
    return sum(offsets[stop] - offsets[start] for start, stop in spans) / (offsets[-1] or 1)
