"""One trace as the viewer shows it: its segments as texts, edits, gates, and what the judge found.

All positions are segment numbers, because a browser counts characters differently (UTF-16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from dlcot_ray.core.annotation import Annotation, Approach, ErrorSpan
from dlcot_ray.core.segments import split_segments
from dlcot_ray.report.stored import StoredTrace

Json = dict[str, Any]


def trace_detail(shown: StoredTrace) -> Json:
    """The trace in plain JSON types.

    ``segments`` are the texts of the source; ``edits`` are ``[op, start, stop, text, reason]`` and cover them
    in order; ``gates`` are ``[name, passed, detail]``; ``found`` is the annotation, or null.
    """
    text, row = shown.trace.reasoning, shown.row
    annotation = shown.annotation
    offsets = _offsets(text, annotation)
    aligned = _aligned(row["edits"], offsets)
    if aligned is None:
        # Another version cut the segments: each edit is then one segment, and annotations do not fit.
        offsets, annotation = _offsets_of_edits(row["edits"]), None
        aligned = _aligned(row["edits"], offsets)
    return {
        "id": row["trace_id"],
        "unit": shown.place.unit,
        "row": shown.place.row,
        "inputRow": row["input_row"],
        "status": row["status"],
        "reason": row["status_reason"],
        "policy": row["policy"],
        "judge": row["judge"],
        "tokens": [row["tokens_before"], row["tokens_after"]],
        "problem": shown.trace.problem,
        "truth": shown.trace.ground_truth,
        "response": shown.trace.response,
        "extra": dict(shown.extra),
        "segments": [text[a:b] for a, b in pairwise(offsets)],
        "edits": aligned or [],
        "gates": [[gate["name"], gate["passed"], gate["detail"]] for gate in row["gates"]],
        "found": _found(annotation, text) if annotation is not None else None,
    }


def source_detail(shown: StoredTrace) -> Json:
    """The trace as a reader sees it who labels: without edits, gates, status and annotation."""
    kept = ("id", "unit", "row", "inputRow", "problem", "truth", "response", "extra", "segments")
    whole = trace_detail(shown)
    offsets = split_segments(shown.trace.reasoning)
    segments = [shown.trace.reasoning[a:b] for a, b in pairwise(offsets)]
    return {**{name: whole[name] for name in kept}, "segments": segments}


def _offsets(text: str, annotation: Annotation | None) -> tuple[int, ...]:
    if annotation is not None and annotation.segment_offsets[-1:] == (len(text),):
        return annotation.segment_offsets
    return split_segments(text)


def _aligned(edits: Sequence[Mapping[str, Any]], offsets: Sequence[int]) -> list[list[Any]] | None:
    """The edits in segments; None where one begins or ends inside a segment."""
    number = {offset: segment for segment, offset in enumerate(offsets)}
    found: list[list[Any]] = []
    for edit in edits:
        start, stop = number.get(edit["start"]), number.get(edit["stop"])
        if start is None or stop is None:
            return None
        found.append([edit["op"], start, stop, edit["text"], edit["reason"]])
    return found


def _offsets_of_edits(edits: Sequence[Mapping[str, Any]]) -> tuple[int, ...]:
    return tuple(sorted({0, *(edit["stop"] for edit in edits)}))


def _found(annotation: Annotation, text: str) -> Json:
    return {
        "sections": [[s.kind.value, s.start, s.stop] for s in annotation.sections],
        "approaches": [_approach(item, text) for item in annotation.approaches],
        "checks": [
            {
                "kind": item.kind.value,
                "start": item.start,
                "stop": item.stop,
                "approach": item.approach,
                "method": item.cluster,
            }
            for item in annotation.verifications
        ],
        "reference": annotation.reference,
        "referenceKind": annotation.reference_kind.value,
        "firstCorrect": annotation.first_correct_segment,
        "loops": [list(loop) for loop in annotation.loops],
        "truncated": annotation.truncated,
        "judge": annotation.judge,
        "steps": [
            {
                "step": item.step.value,
                "source": item.source.value,
                "confidence": round(item.confidence, 3),
                "note": item.note,
            }
            for item in annotation.steps
        ],
    }


def _approach(item: Approach, text: str) -> Json:
    return {
        "start": item.start,
        "stop": item.stop,
        "label": item.label.value,
        "source": item.label_source.value,
        "answer": item.answer,
        "answerSegment": item.answer_segment,
        "method": item.cluster,
        "confidence": round(item.confidence, 3),
        "errors": [_error(error, text) for error in item.errors],
    }


def _error(error: ErrorSpan, text: str) -> Json:
    return {
        "kind": error.kind.value,
        "start": error.start,
        "stop": error.stop,
        "quote": text[error.char_start : error.char_stop],
        "corrected": error.corrected,
        "message": error.message,
    }
