"""From the answers about a trace to its annotation.

In: a program that has run, and its outcome. Out: approaches, verifications and step statuses, with the rules
judge's values where a question failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlcot_ray.core.annotation import Annotation, JudgeStep, Source, StepStatus
from dlcot_ray.core.arrival import crowned
from dlcot_ray.judging.model.asking import Account
from dlcot_ray.judging.model.program import Outcome, Program
from dlcot_ray.judging.model.questions.question import Question
from dlcot_ray.judging.model.questions.table import (
    APPROACH_CLUSTERS,
    CHECK_CLUSTERS,
    ERRORS,
    EXPLORE,
    LABELS,
    QUESTIONS,
    VERIFY,
)
from dlcot_ray.judging.model.structure import Ranges, approaches_of, numbered_clusters, verifications_of
from dlcot_ray.judging.rules.clusters import assign_clusters
from dlcot_ray.judging.rules.runs import sections_of

_MODEL_CONFIDENCE = 0.8
_REASKED_CONFIDENCE = 0.6
_NOTE = 160
"""Characters of a failure's cause that the step's status keeps."""


def assemble(program: Program, outcome: Outcome, fingerprint: str, identity: str) -> Annotation:
    """The annotation of a trace whose program has run."""
    found, account, structure = program.found, program.account, outcome.structure
    labels = {item - 1: label for item, label in (outcome.of(LABELS) or {}).items()}
    errors = outcome.of(ERRORS)
    clusters = _clusters(program, outcome, APPROACH_CLUSTERS, structure.ranges(EXPLORE))
    check_clusters = _clusters(program, outcome, CHECK_CLUSTERS, structure.ranges(VERIFY))
    annotation = Annotation(
        trace_id=program.trace.trace_id,
        fingerprint=fingerprint,
        judge=identity,
        segment_offsets=found.offsets,
        sections=sections_of(structure.runs),
        approaches=approaches_of(structure, found, labels, clusters, errors or ()),
        verifications=verifications_of(structure, found.segments, check_clusters),
        reference=found.reference,
        reference_kind=found.reference_kind,
        first_correct_segment=found.first_correct_segment,
        loops=found.loops,
        truncated=found.truncated,
        steps=statuses(program.by_rules, account, outcome.failed),
        tokens=account.total(),
        replies=tuple(account.replies),
    )
    annotation = crowned(annotation) if found.answers.ends_right else annotation
    return _with_answers(annotation, outcome, QUESTIONS)


def _with_answers(annotation: Annotation, outcome: Outcome, questions: Sequence[Question[Any]]) -> Annotation:
    """The annotation with the answers that questions put into it themselves, in the order of the table."""
    for question in questions:
        answer = outcome.of(question)
        if question.apply is not None and answer is not None:
            annotation = question.apply(annotation, answer)
    return annotation


def statuses(
    by_rules: Annotation, account: Account, failed: Mapping[JudgeStep, str]
) -> tuple[StepStatus, ...]:
    """How each step of the table was decided, with its cost, in the order of the method.

    Args:
        by_rules: the rules judge's annotation, whose answer stands where no question was asked.
        account: what was asked and what it cost.
        failed: step -> why the model has no usable answer.
    """
    steps = {question.step for question in QUESTIONS}
    return tuple(_status(step, by_rules, account, failed.get(step)) for step in JudgeStep if step in steps)


def _status(step: JudgeStep, by_rules: Annotation, account: Account, failure: str | None) -> StepStatus:
    asked, again = account.questions.get(step, 0), account.reasked.get(step, 0)
    rules = next((status for status in by_rules.steps if status.step is step), None)
    source, confidence, note = Source.RULES, 0.0, ""
    if rules is not None:
        source, confidence, note = rules.source, rules.confidence, rules.note
    if failure is not None:
        note = f"the rules' answer: {failure}"[:_NOTE]
    elif asked or any(question.implied for question in QUESTIONS if question.step is step):
        source, note = Source.MODEL, ""
        confidence = _REASKED_CONFIDENCE if again else _MODEL_CONFIDENCE
    cost = account.tokens.get(step)
    if cost is None:
        return StepStatus(step, source, confidence, note)
    return StepStatus(step, source, confidence, note, cost, asked, again)


def _clusters(
    program: Program, outcome: Outcome, question: Question[Mapping[int, int]], ranges: Ranges
) -> tuple[int, ...]:
    """One cluster number per range: the model's, or the rules' where the question failed."""
    answer = outcome.of(question)
    if answer is None:
        texts = ["".join(program.found.segments[start:stop]) for start, stop in ranges]
        return assign_clusters(texts, program.trace.problem).numbers
    # The first item is never asked about, because no item precedes it.
    roots = {1: 1, **answer}
    return numbered_clusters([roots[index + 1] for index in range(len(ranges))])
