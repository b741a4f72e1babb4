"""The `rules` judge: the whole method without a model, deterministic, on any machine (DLCoT steps 1 to 4).

In: a trace. Out: an annotation. Labels and errors are computed, structure is read from cues, and "the same
method" means similar vocabulary. Each confidence is the share of cases in which the rules are right when they
decide like this. It is the baseline for models, and supplies the answer where a model's question fails.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    JudgeStep,
    ReferenceKind,
    SectionKind,
    Source,
    StepStatus,
    Verification,
)
from dlcot_ray.core.arithmetic.alarms import find_errors
from dlcot_ray.core.arrival import crowned
from dlcot_ray.core.language import UNKNOWN_LANGUAGE, has_cues, language_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.rules import confidence
from dlcot_ray.judging.rules.checks import verification_kind
from dlcot_ray.judging.rules.clusters import SAME_METHOD, assign_clusters, similarity, term_vector, terms_of
from dlcot_ray.judging.rules.labels import ApproachLabel, SegmentAnswers, label_range
from dlcot_ray.judging.rules.reaching import reach
from dlcot_ray.judging.rules.runs import Run, sections_of
from dlcot_ray.judging.rules.structure import find_runs

VERSION = 14
"""Increase it when the same trace may get another annotation."""


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
        """The checker that compares answers."""
        return self._checker

    @property
    def same_method(self) -> float:
        """The similarity from which two texts count as one method."""
        return SAME_METHOD

    def method_similarity(self, problem: str, first: str, second: str) -> float:
        """The similarity of the methods of two solutions to one problem, 0..1."""
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


Labeller = Callable[[SegmentAnswers, int, int, ReferenceKind], ApproachLabel]
"""Labels the approach in segments `[start, stop)`, as `label_range` does."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Runs of a trace, what found them, and how sure it is.

    Attributes:
        sections: confidence in the sections and checks, 0..1.
        approaches: confidence in where approaches begin, 0..1.
        note: why the trace was not read, or empty.
        label: what labels an approach.
    """

    runs: list[Run]
    source: Source
    sections: float
    approaches: float
    note: str = ""
    label: Labeller = label_range


def annotate(trace: Trace, found: Findings, identity: str) -> Annotation:
    """The rules' annotation of a trace whose findings are known."""
    if not has_cues(language := language_of(trace.reasoning)):
        unread = [Run(SectionKind.SOLUTION_EXPLORE, 0, len(found.segments))] if found.segments else []
        note = f"{UNKNOWN_LANGUAGE}:{language}"
        return assemble(trace, found, Structure(unread, Source.RULES, 0.0, 0.0, note), identity)
    runs = find_runs(found.segments, trace.problem, found.answers.candidate)
    sure = confidence.of_approaches(found.segments, runs)
    return assemble(trace, found, Structure(runs, Source.RULES, confidence.SECTIONS, sure), identity)


def assemble(trace: Trace, found: Findings, structure: Structure, identity: str) -> Annotation:
    """The annotation of a trace of known structure: labels and errors by evidence, methods by vocabulary."""
    segments, answers, kind = found.segments, found.answers, found.reference_kind
    runs, completed = _complete_last(reach(structure.runs, answers, kind), answers)
    labels = confidence.of_labels(kind, found.reference, answers, found.first_correct_segment)
    approaches, labels, methods = _approaches(runs, found, trace.problem, completed, labels, structure.label)
    annotation = Annotation(
        trace_id=trace.trace_id,
        fingerprint=fingerprint(trace, identity),
        judge=identity,
        segment_offsets=found.offsets,
        sections=sections_of(runs),
        approaches=approaches,
        verifications=_verifications(runs, segments, trace.problem),
        reference=found.reference,
        reference_kind=kind,
        first_correct_segment=found.first_correct_segment,
        loops=found.loops,
        truncated=found.truncated,
        steps=_steps(approaches, labels, structure, methods),
    )
    return crowned(annotation) if answers.ends_right else annotation


def _complete_last(runs: list[Run], answers: SegmentAnswers) -> tuple[list[Run], int]:
    """DLCoT 2.3: move the smallest answering prefix of the next check into an unanswered last approach.

    Returns the runs and how many segments were moved.
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
    runs: list[Run], found: Findings, problem: str, completed: int, sure_of_labels: float, label: Labeller
) -> tuple[tuple[Approach, ...], float, float]:
    """The approaches, and the confidence in their labels, and in which of them use the same method."""
    explored = [run for run in runs if run.kind is SectionKind.SOLUTION_EXPLORE]
    texts = ["".join(found.segments[run.start : run.stop]) for run in explored]
    grouping = assign_clusters(texts, problem)
    approaches, sure = [], []
    for index, (run, cluster, nearest) in enumerate(
        zip(explored, grouping.numbers, grouping.nearest, strict=True)
    ):
        ends = label(found.answers, run.start, run.stop, found.reference_kind)
        sure_of_method = confidence.of_method(nearest, SAME_METHOD)
        sure.append(sure_of_labels if ends.sure is None else ends.sure)
        approaches.append(
            Approach(
                run.start,
                run.stop,
                ends.label,
                ends.source,
                ends.answer,
                ends.segment,
                cluster,
                find_errors(found.text, found.offsets, run.start, run.stop),
                completed if index == len(explored) - 1 else 0,
                round(min(sure[-1], sure_of_method), 3),
            )
        )
    methods = min((confidence.of_method(near, SAME_METHOD) for near in grouping.nearest), default=1.0)
    labels = sum(sure) / len(sure) if sure else sure_of_labels
    return tuple(approaches), labels, methods


def _verifications(runs: list[Run], segments: Sequence[str], problem: str) -> tuple[Verification, ...]:
    checks = []
    seen = -1
    for run in runs:
        seen += run.kind is SectionKind.SOLUTION_EXPLORE
        if run.kind is SectionKind.VERIFY:
            checks.append((run, seen if seen >= 0 else None, "".join(segments[run.start : run.stop])))
    clusters = assign_clusters([text for _, _, text in checks], problem).numbers
    return tuple(
        Verification(run.start, run.stop, verification_kind(text), approach, cluster)
        for (run, approach, text), cluster in zip(checks, clusters, strict=True)
    )


def _steps(
    approaches: Sequence[Approach], labels: float, structure: Structure, methods: float
) -> tuple[StepStatus, ...]:
    found = any(approach.errors for approach in approaches)
    errors = confidence.ERROR_FOUND if found else confidence.NO_ERROR_FOUND
    return (
        StepStatus(JudgeStep.MACRO, structure.source, round(structure.sections, 3), structure.note),
        StepStatus(JudgeStep.APPROACHES, structure.source, round(structure.approaches, 3)),
        StepStatus(JudgeStep.VERIFICATIONS, structure.source, round(structure.sections, 3)),
        StepStatus(JudgeStep.COMPLETE, Source.EVIDENCE, round(labels, 3)),
        StepStatus(JudgeStep.LABELS, Source.EVIDENCE, round(labels, 3)),
        StepStatus(JudgeStep.ERRORS, Source.EVIDENCE, errors),
        StepStatus(JudgeStep.CLUSTERS, Source.RULES, round(min(methods, structure.approaches), 3)),
    )
