"""What can be computed about a trace before any question is asked: segments, reference, answers, loops.

In: a trace. Out: its `Findings`. Both judges start from them. The rules judge reads its structure from them;
the model judge asks only what they leave open, and checks the model's answers with them.
"""

from __future__ import annotations

from dataclasses import dataclass

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.evidence.loops import find_loops, is_truncated, with_broken_tail
from dlcot_ray.core.segments import segment_texts, split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.answering.reference import find_reference
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.rules.labels import SegmentAnswers, read_answers


@dataclass(frozen=True, slots=True)
class Findings:
    """Evidence about one trace.

    Attributes:
        text: the reasoning.
        offsets: n+1 code-point offsets of the segments.
        segments: their texts.
        reference, reference_kind: what answers are compared with.
        answers: what each segment states.
        first_correct_segment, loops, truncated: as in `Annotation`.
    """

    text: str
    offsets: tuple[int, ...]
    segments: tuple[str, ...]
    reference: str | None
    reference_kind: ReferenceKind
    answers: SegmentAnswers
    first_correct_segment: int | None
    loops: tuple[tuple[int, int], ...]
    truncated: bool


def find(trace: Trace, checker: AnswerChecker) -> Findings:
    """Compute the findings of one trace. Raises nothing for any text."""
    offsets = split_segments(trace.reasoning)
    segments = segment_texts(trace.reasoning, offsets)
    reference, kind = find_reference(trace)
    answers = read_answers(segments, reference, checker, trace.problem)
    loops, truncated = find_loops(segments), is_truncated(trace.reasoning, trace.response)
    if truncated and answers.first_correct is None:
        loops = with_broken_tail(segments, loops)
    return Findings(
        trace.reasoning,
        offsets,
        tuple(segments),
        reference,
        kind,
        answers,
        answers.first_correct,
        loops,
        truncated,
    )
