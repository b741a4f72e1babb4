"""Where an annotation is too unsure to cut on: nothing but loops goes then, and the reason says why.

In: a trace and its settled annotation. Out: the cause of doubt as one word, or an empty string. A cut rests
on where the answer stands, so the doubts are about that.
"""

from __future__ import annotations

import re

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.applying.endings import ends_elsewhere, never_concludes
from dlcot_ray.core.policies.standing import first_correct, trunk_stop
from dlcot_ray.core.stating.stated import ends_otherwise
from dlcot_ray.core.trace import Trace

SURE = 0.3
"""Least confidence in the labels at which text behind the answer is cut."""

ENDS_OTHERWISE = "ends_on_another_answer"
NOT_LOCATED = "answer_not_located"
NOT_CONCLUDED = "answer_not_concluded"
BLAMED = "later_approach_blames_it"
LOW_CONFIDENCE = "low_confidence"

_BLAMES = re.compile(
    r"\bmy (?:initial|earlier|previous|first|original|whole|entire|prior) (?:\w+ ){1,2}"
    r"(?:is|was|must be|might be|seems|may be) (?:\w+ )?"
    r"(?:wrong|flawed|incorrect|mistaken|faulty|off|not (?:right|correct))\b"
    r"|\bi (?:messed up|was wrong)\b"
    r"|\bi (?:made|must have made|have made) an? (?:\w+ )?(?:mistake|error) "
    r"(?:earlier|before|in (?:the|my) (?:first|initial|earlier|previous))",
    re.IGNORECASE,
)
"""Says that work before was wrong."""
HEDGE_CHARS = 24
_HEDGES = re.compile(r"\b(?:perhaps|maybe|possibly|if|or)\W+$", re.IGNORECASE)
"""Stands before a blame that is only considered."""


def doubt(trace: Trace, annotation: Annotation) -> str:
    """Why only loops may be cut, or an empty string.

    The trace or its reply ends on an answer that is not the one at which the work stands. No segment is known
    to state the answer, or a trace that breaks off has not concluded it. A later
    approach says that the work before was wrong, so the answer may have come by chance. The judge is unsure.
    """
    if trunk_stop(annotation) is None:
        return ""
    if ends_otherwise(trace, annotation) or ends_elsewhere(trace, annotation):
        return ENDS_OTHERWISE
    index = first_correct(annotation)
    located = annotation.first_correct_segment is not None
    if not located and index is not None and annotation.approaches[index].answer_segment is None:
        return NOT_LOCATED
    if never_concludes(trace, annotation):
        return NOT_CONCLUDED
    if _is_blamed(trace, annotation):
        return BLAMED
    sure = min((step.confidence for step in annotation.steps if step.step is JudgeStep.LABELS), default=1.0)
    return LOW_CONFIDENCE if sure < SURE else ""


def _is_blamed(trace: Trace, annotation: Annotation) -> bool:
    """Whether an approach behind the trunk says that the work before it was wrong."""
    trunk, offsets = trunk_stop(annotation), annotation.segment_offsets
    return any(
        _HEDGES.search(trace.reasoning[max(0, blame.start() - HEDGE_CHARS) : blame.start()]) is None
        for approach in annotation.approaches
        if trunk is not None and approach.start >= trunk
        for blame in _BLAMES.finditer(trace.reasoning, offsets[approach.start], offsets[approach.stop])
    )
