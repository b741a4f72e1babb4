"""Judges the traces of label sets and scores the result, for `dlcot evaluate` and for quality floors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from dlcot_ray.cluster.judge_pool import Judgements, Place, judge_traces
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.annotation import Annotation
from dlcot_ray.errors import JobError
from dlcot_ray.evaluation.cases import Case
from dlcot_ray.evaluation.dropping import Dropped, drops_of_policy
from dlcot_ray.evaluation.evaluate import Options, dropped_traces_of, fitted, score_cases, traces_of
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.evaluation.second_reader import annotations_of, drops_of_reader, shared_cases
from dlcot_ray.inputs.label_files import LabelSet
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.protocol import Judge, MethodComparer

ANSWER_SECONDS = 20.0
"""Time limit of one comparison of answers. It is longer than in a job, so that a busy machine does not change
figures."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of a judge, or of a reader in its place.

    Attributes:
        identity: of the judge, or the reader's name.
        judged: what it says of each trace.
        scores: of every kind in every set.
        drops: what is dropped of each trace, by id.
        cases: those that were scored.
    """

    identity: str
    judged: Judgements
    scores: list[SetScores]
    drops: Mapping[str, Dropped]
    cases: Sequence[Case]


def score_sets(sets: Sequence[LabelSet], judge: JudgeConfig, place: Place, options: Options) -> Scored:
    """Judge the traces of all sets, each once, and score every set.

    Raises:
        JobError: the judge cannot be started.
    """
    probe = make_judge(judge)
    cases = _cases(sets)
    try:
        judged = _judged(cases, judge, place)
        drops = drops_of_policy(dropped_traces_of(cases), judged.annotations, options.policy)
        comparer = comparer_of(probe)
        scored = _scores(sets, judged.annotations, probe.identity, drops, comparer, options)
        return Scored(probe.identity, judged, scored, drops, cases)
    finally:
        probe.close()


def score_reader(
    sets: Sequence[LabelSet],
    others: Sequence[LabelSet],
    judge: JudgeConfig | None,
    place: Place,
    options: Options,
) -> Scored:
    """Score the labels of another reader on what both readers labelled.

    Args:
        sets: the labels that count as right.
        others: the labels that are scored.
        judge: None compares what both readers drop. With a judge, `options.policy` drops instead: it gets
            the other reader's structure, and from the judge what readers do not label (reference, loops).
        place: where to judge.
        options: how to score.

    Raises:
        JobError: the two have no trace in common, or the judge cannot be started.
    """
    read = _cases(others)
    sets = [replace(item, cases=tuple(shared_cases(item.cases, read))) for item in sets]
    cases = _cases(sets)
    if not cases:
        raise JobError("the two readers have no trace in common", "check set= and reader=")
    name = f"reader {'+'.join(item.name for item in others)}"
    if judge is None:
        judged = Judgements(annotations_of(read), {}, 0.0)
        drops = drops_of_reader(read)
    else:
        made = _judged(cases, judge, place)
        judged = replace(made, annotations=annotations_of(shared_cases(read, cases), made.annotations))
        drops = drops_of_policy(dropped_traces_of(cases), judged.annotations, options.policy)
        name = f"{options.policy.expression} on {name}"
    scored = _scores(sets, judged.annotations, name, drops, None, options)
    return Scored(name, judged, scored, drops, cases)


def _judged(cases: Sequence[Case], judge: JudgeConfig, place: Place) -> Judgements:
    traces = traces_of(cases)
    judged = judge_traces(traces, judge, place)
    return replace(judged, annotations=fitted(traces, judged.annotations))


def _cases(sets: Sequence[LabelSet]) -> list[Case]:
    return [case for item in sets for case in item.cases]


def _scores(
    sets: Sequence[LabelSet],
    annotations: Mapping[str, Annotation],
    judge: str,
    drops: Mapping[str, Dropped],
    comparer: MethodComparer | None,
    options: Options,
) -> list[SetScores]:
    with AnswerChecker(timeout_seconds=ANSWER_SECONDS) as checker:
        return [
            SetScores(item.name, item.layout, item.digest, scores)
            for item in sets
            for scores in score_cases(
                item.cases,
                annotations,
                judge,
                drops=drops,
                comparer=comparer,
                checker=checker,
                options=options,
            )
        ]


def comparer_of(judge: Judge) -> MethodComparer | None:
    """The judge, if it has `method_similarity`; else None."""
    return cast(MethodComparer, judge) if hasattr(judge, "method_similarity") else None
