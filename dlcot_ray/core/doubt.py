"""Where an annotation is too unsure to cut on: nothing but loops goes then, and the reason says why.

In: a trace and its settled annotation. Out: the cause of doubt in a few words, or an empty string. A cut rests
on where the answer stands, so the doubts are about that.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.policies.standing import first_correct
from dlcot_ray.core.trace import Trace

SURE = 0.3
"""Least confidence in labels at which text behind the answer is cut."""


def doubt(trace: Trace, annotation: Annotation) -> str:
    """Why only loops may be cut, or an empty string."""
    index = first_correct(annotation)
    if index is None:
        return ""
    approach = annotation.approaches[index]
    if approach.answer_segment is None and annotation.first_correct_segment is None:
        return "answer_not_located"
    if approach.confidence < SURE:
        return "low_confidence"
    return ""
