"""Where an annotation is too unsure to cut on: nothing but loops goes then, and the reason says why.

In: a trace and its settled annotation. Out: the cause of doubt as one word, or an empty string. A cut rests
on where the answer stands, so the doubts are about that.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.arrival import ends_otherwise
from dlcot_ray.core.policies.standing import first_correct, trunk_stop
from dlcot_ray.core.trace import Trace

SURE = 0.3
"""Least confidence in the labels at which text behind the answer is cut."""

ENDS_OTHERWISE = "ends_on_another_answer"
NOT_LOCATED = "answer_not_located"
LOW_CONFIDENCE = "low_confidence"


def doubt(trace: Trace, annotation: Annotation) -> str:
    """Why only loops may be cut, or an empty string.

    The trace ends on an answer that is not the one accepted; no segment is known to state the answer; or the
    judge is unsure of its labels.
    """
    if trunk_stop(annotation) is None:
        return ""
    if ends_otherwise(trace, annotation):
        return ENDS_OTHERWISE
    index = first_correct(annotation)
    located = annotation.first_correct_segment is not None
    if not located and index is not None and annotation.approaches[index].answer_segment is None:
        return NOT_LOCATED
    sure = min((step.confidence for step in annotation.steps if step.step is JudgeStep.LABELS), default=1.0)
    return LOW_CONFIDENCE if sure < SURE else ""
