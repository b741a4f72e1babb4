"""The label of one approach: evidence where it is certain, else what the model says, checked by evidence.

In: findings, the approach's segments, the model's answer. Out: a label with its source. On 673 approaches of
365 readings, evidence that an approach is correct was right in 99 of 100 cases, and that it is incorrect in
37 of 43; these are not asked about. Where evidence found no answer, readers still saw the right one in a
sixth of the approaches (in another form, in words, or without "so"). So there the model may say "correct",
if it names the segment and nothing in that segment contradicts it.
"""

from __future__ import annotations

from dlcot_ray.core.annotation import Label, ReferenceKind, Source
from dlcot_ray.judging.answering.reading import figures, has_figures
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model.questions.answers import LabelAnswer
from dlcot_ray.judging.rules.labels import ApproachLabel, label_range

COMPARED = (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE)


def is_open(found: Findings, start: int, stop: int) -> bool:
    """Whether evidence leaves the label of segments `[start, stop)` open, so that the model is asked."""
    label = label_range(found.answers, start, stop, found.reference_kind).label
    return label in (Label.UNKNOWN, Label.INCOMPLETE)


def labelled(found: Findings, start: int, stop: int, said: LabelAnswer | None) -> ApproachLabel:
    """The label of segments `[start, stop)`.

    Args:
        said: the model's answer, or None where it was not asked or gave none.
    """
    by_rules = label_range(found.answers, start, stop, found.reference_kind)
    if said is None or by_rules.label not in (Label.UNKNOWN, Label.INCOMPLETE) or _is_refuted(found, said):
        return by_rules
    if said.label is Label.CORRECT:
        return ApproachLabel(Label.CORRECT, found.reference or by_rules.answer, said.segment, Source.MODEL)
    if said.label is Label.INCORRECT and said.segment is not None:
        stated = found.answers.other[said.segment]
        return ApproachLabel(Label.INCORRECT, stated, said.segment, Source.MODEL)
    return ApproachLabel(said.label, by_rules.answer, by_rules.segment, Source.MODEL)


def _is_refuted(found: Findings, said: LabelAnswer) -> bool:
    """Whether evidence contradicts that an approach is correct.

    Where there is a reference, the segment has to be named. It must not state another answer as its result,
    and it must show the figures of the reference, if that has any.
    """
    if said.label is not Label.CORRECT or found.reference_kind not in COMPARED:
        return False
    if said.segment is None or found.answers.other[said.segment] is not None:
        return True
    return not has_figures(found.segments[said.segment], figures(found.reference or ""))
