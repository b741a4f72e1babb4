"""From the answers about a trace to its annotation.

In: a program that has run, and its outcome. Out: approaches, verifications and step statuses, with the rules
judge's values where a question failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    JudgeStep,
    Label,
    ReferenceKind,
    Source,
    StepStatus,
)
from dlcot_ray.core.arrival import crowned
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.model.asking import Account
from dlcot_ray.judging.model.program import Outcome, Program
from dlcot_ray.judging.model.questions.question import Question
from dlcot_ray.judging.model.questions.table import (
    APPROACH_CLUSTERS,
    CAUSES,
    CHECK_CLUSTERS,
    ERRORS,
    EXPLORE,
    LABELS,
    QUESTIONS,
    SAME,
    VERIFY,
    causes_of,
    confirmed,
)
from dlcot_ray.judging.model.scoring import all_scores
from dlcot_ray.judging.model.structure import Ranges, approaches_of, numbered_clusters, verifications_of
from dlcot_ray.judging.rules.clusters import assign_clusters
from dlcot_ray.judging.rules.runs import sections_of

_MODEL_CONFIDENCE = 0.8
_REASKED_CONFIDENCE = 0.6
_NOTE = 160
"""Characters of a failure's cause that the step's status keeps."""


def assemble(
    program: Program, outcome: Outcome, fingerprint: str, identity: str, model: str = ""
) -> Annotation:
    """The annotation of a trace whose program has run; `model` is named beside the scores."""
    found, account, structure = program.found, program.account, outcome.structure
    labels = {item - 1: label for item, label in (outcome.of(LABELS) or {}).items()}
    methods = outcome.of(APPROACH_CLUSTERS)
    roots = None if methods is None else confirmed(methods, outcome.of(SAME))
    clusters = _clusters(program, structure.ranges(EXPLORE), roots)
    check_clusters = _clusters(program, structure.ranges(VERIFY), outcome.of(CHECK_CLUSTERS))
    errors = outcome.of(ERRORS) or ()
    causes = causes_of(errors, outcome.of(CAUSES))
    approaches = approaches_of(structure, found, labels, clusters, errors, causes)
    annotation = Annotation(
        trace_id=program.trace.trace_id,
        fingerprint=fingerprint,
        judge=identity,
        segment_offsets=found.offsets,
        sections=sections_of(structure.runs),
        approaches=approaches,
        verifications=verifications_of(structure, found.segments, check_clusters),
        reference=found.reference,
        reference_kind=found.reference_kind,
        first_correct_segment=_first_correct(found, approaches),
        loops=found.loops,
        truncated=found.truncated,
        steps=statuses(program.by_rules, account, outcome),
        tokens=account.total(),
        replies=account.said(),
        scores=all_scores(account.scores, len(found.segments)),
        scored_by=model if account.scores else "",
    )
    annotation = crowned(annotation) if found.answers.ends_right else annotation
    return _with_answers(annotation, outcome, QUESTIONS)


def _first_correct(found: Findings, approaches: Sequence[Approach]) -> int | None:
    """Where the right answer first stands: by evidence, else the first segment that the model names."""
    if found.first_correct_segment is not None or found.reference_kind is ReferenceKind.NONE:
        return found.first_correct_segment
    named = (a.answer_segment for a in approaches if a.label is Label.CORRECT)
    return next((segment for segment in named if segment is not None), None)


def _with_answers(annotation: Annotation, outcome: Outcome, questions: Sequence[Question[Any]]) -> Annotation:
    """The annotation with the answers that questions put into it themselves, in the order of the table."""
    for question in questions:
        answer = outcome.of(question)
        if question.apply is not None and answer is not None:
            annotation = question.apply(annotation, answer)
    return annotation


def statuses(by_rules: Annotation, account: Account, outcome: Outcome) -> tuple[StepStatus, ...]:
    """How each step of the table was decided, with its cost, in the order of the method.

    Args:
        by_rules: the rules judge's annotation, whose answer stands where no question was asked.
        account: what was asked and what it cost.
        outcome: where the model has no usable answer, and why.
    """
    made = []
    for step in JudgeStep:
        deciding = [question for question in QUESTIONS if step in (question.step, *question.also)]
        if deciding:
            made.append(_status(step, deciding, by_rules, account, outcome))
    return tuple(made)


def _status(
    step: JudgeStep,
    deciding: Sequence[Question[Any]],
    by_rules: Annotation,
    account: Account,
    outcome: Outcome,
) -> StepStatus:
    asked, again = account.questions.get(step, 0), account.reasked.get(step, 0)
    rules = next((status for status in by_rules.steps if status.step is step), None)
    source, confidence, note = Source.RULES, 0.0, ""
    if rules is not None:
        source, confidence, note = rules.source, rules.confidence, rules.note
    failed, partly = (
        next((causes[question.step] for question in deciding if question.step in causes), None)
        for causes in (outcome.failed, outcome.partly)
    )
    if failed is not None:
        note = f"the rules' answer: {failed}"[:_NOTE]
    elif asked or any(question.implied for question in deciding):
        source, note = Source.MODEL, (partly or "")[:_NOTE]
        twice = any(account.reasked.get(question.step) for question in deciding)
        confidence = _REASKED_CONFIDENCE if twice or partly else _MODEL_CONFIDENCE
        agreed = [figure for question in deciding for figure in account.agreed.get(question.step, ())]
        confidence = fmean(agreed) if agreed else confidence
    cost = account.tokens.get(step)
    if cost is None:
        return StepStatus(step, source, confidence, note)
    return StepStatus(step, source, confidence, note, cost, asked, again)


def _clusters(program: Program, ranges: Ranges, roots: Mapping[int, int] | None) -> tuple[int, ...]:
    """One cluster number per range: the model's, or the rules' where it failed or was not asked."""
    if roots is None:
        texts = ["".join(program.found.segments[start:stop]) for start, stop in ranges]
        return assign_clusters(texts, program.trace.problem).numbers
    # The first item is never asked about, because no item precedes it.
    known = {1: 1, **roots}
    return numbered_clusters([known[index + 1] for index in range(len(ranges))])
