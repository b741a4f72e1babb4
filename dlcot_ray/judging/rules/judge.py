"""The `rules` judge: the whole method without a model, deterministic, on any machine.

The baseline that every model has to beat, the fallback when one fails, and the engine of the fast
tests. It trades judgement for evidence: labels and errors are computed, structure is read off cues,
"the same method" is vocabulary. Confidence says how much of an answer was evidence.
"""

from __future__ import annotations

from collections.abc import Sequence

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    ReferenceKind,
    SectionKind,
    Source,
    Step,
    StepStatus,
    Verification,
)
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.rules.clusters import SAME_METHOD, assign_clusters, similarity, term_vector, terms_of
from dlcot_ray.judging.rules.labels import UnitAnswers, find_errors, label_range
from dlcot_ray.judging.rules.structure import Run, find_runs, sections_of, verification_kind

VERSION = 3
"""Raised whenever the same trace may get another annotation."""


class RulesJudge:
    """Judge by cues and evidence. Holds one bounded helper process for the CAS, started when needed."""

    def __init__(self, cas_timeout_seconds: float = 1.0) -> None:
        self._checker = AnswerChecker(timeout_seconds=cas_timeout_seconds)

    @property
    def identity(self) -> str:
        """``rules/VERSION``."""
        return f"rules/{VERSION}"

    def start(self) -> None:
        """Nothing to load: the helper process starts when it is first needed."""

    @property
    def checker(self) -> AnswerChecker:
        """What answers are compared with."""
        return self._checker

    @property
    def same_method(self) -> float:
        """The similarity from which two texts count as one method."""
        return SAME_METHOD

    def method_similarity(self, problem: str, first: str, second: str) -> float:
        """How alike the methods of two solutions to one problem are, 0..1."""
        shared = terms_of(problem)
        return similarity(term_vector(first, shared), term_vector(second, shared))

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace; never awaits."""
        return self.annotate(trace)

    def close(self) -> None:
        """Stop the helper process."""
        self._checker.close()

    def annotate(self, trace: Trace) -> Annotation:
        """Annotate one trace, synchronously. Raises nothing for any text."""
        return annotate(trace, find(trace, self._checker), self.identity)


def annotate(trace: Trace, found: Findings, identity: str) -> Annotation:
    """The rules' annotation of a trace whose findings are known."""
    units, answers, kind = found.units, found.answers, found.reference_kind
    runs, completed = _complete_last(find_runs(units, trace.problem, answers.candidate), answers)
    approaches = _approaches(runs, units, found.offsets, answers, kind, trace.problem, completed)
    return Annotation(
        trace_id=trace.trace_id,
        fingerprint=fingerprint(trace, identity),
        judge=identity,
        unit_offsets=found.offsets,
        sections=sections_of(runs),
        approaches=approaches,
        verifications=_verifications(runs, units, trace.problem),
        reference=found.reference,
        reference_kind=kind,
        first_correct_unit=found.first_correct_unit,
        loops=found.loops,
        truncated=found.truncated,
        steps=_steps(kind, len(approaches)),
    )


def _complete_last(runs: list[Run], answers: UnitAnswers) -> tuple[list[Run], int]:
    """DLCoT 2.3: move the smallest answering prefix of the next check into an unanswered last approach.

    Returns the runs and how many units were moved.
    """
    last = max((i for i, r in enumerate(runs) if r.kind is SectionKind.SOLUTION_EXPLORE), default=None)
    if last is None or last + 1 >= len(runs) or runs[last + 1].kind is not SectionKind.VERIFY:
        return runs, 0
    run, check = runs[last], runs[last + 1]
    if any(answers.candidate[run.start : run.stop]):
        return runs, 0
    stop = next((i + 1 for i in range(check.start, check.stop) if answers.candidate[i]), None)
    if stop is None:
        return runs, 0
    grown = Run(run.kind, run.start, stop)
    rest = [Run(check.kind, stop, check.stop)] if stop < check.stop else []
    return [*runs[:last], grown, *rest, *runs[last + 2 :]], stop - check.start


def _approaches(
    runs: list[Run],
    units: Sequence[str],
    offsets: tuple[int, ...],
    answers: UnitAnswers,
    kind: ReferenceKind,
    problem: str,
    completed: int,
) -> tuple[Approach, ...]:
    explored = [run for run in runs if run.kind is SectionKind.SOLUTION_EXPLORE]
    texts = ["".join(units[run.start : run.stop]) for run in explored]
    clusters = assign_clusters(texts, problem)
    approaches = []
    for index, (run, cluster) in enumerate(zip(explored, clusters, strict=True)):
        label, answer, unit = label_range(answers, run.start, run.stop, kind)
        errors = find_errors(units, offsets, run.start, run.stop)
        compared = kind in (ReferenceKind.GROUND_TRUTH, ReferenceKind.RESPONSE) and answer is not None
        approaches.append(
            Approach(
                run.start,
                run.stop,
                label,
                Source.EVIDENCE if label is not Label.UNKNOWN else Source.RULES,
                answer,
                unit,
                cluster,
                errors,
                completed if index == len(explored) - 1 else 0,
                0.9 if compared else 0.6,
            )
        )
    return tuple(approaches)


def _verifications(runs: list[Run], units: Sequence[str], problem: str) -> tuple[Verification, ...]:
    checks = []
    seen = -1
    for run in runs:
        seen += run.kind is SectionKind.SOLUTION_EXPLORE
        if run.kind is SectionKind.VERIFY:
            checks.append((run, seen if seen >= 0 else None, "".join(units[run.start : run.stop])))
    clusters = assign_clusters([text for _, _, text in checks], problem)
    return tuple(
        Verification(run.start, run.stop, verification_kind(text), approach, cluster)
        for (run, approach, text), cluster in zip(checks, clusters, strict=True)
    )


def _steps(kind: ReferenceKind, approaches: int) -> tuple[StepStatus, ...]:
    compared = 0.9 if kind is ReferenceKind.GROUND_TRUTH else 0.7 if kind is ReferenceKind.RESPONSE else 0.4
    return (
        StepStatus(Step.MACRO, Source.RULES, 0.6),
        StepStatus(Step.APPROACHES, Source.RULES, 0.8 if approaches <= 1 else 0.5),
        StepStatus(Step.VERIFICATIONS, Source.RULES, 0.6),
        StepStatus(Step.COMPLETE, Source.EVIDENCE, 0.8),
        StepStatus(Step.LABELS, Source.EVIDENCE, compared),
        StepStatus(Step.ERRORS, Source.EVIDENCE, 0.5),
        StepStatus(Step.CLUSTERS, Source.RULES, 0.8 if approaches <= 1 else 0.5),
    )
