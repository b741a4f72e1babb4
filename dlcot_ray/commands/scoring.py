"""Judges the traces of label sets and scores the result, for `dlcot evaluate` and for quality floors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from dlcot_ray.cluster.judge_pool import Judgements, Place, judge_traces
from dlcot_ray.config.judges import make_judge
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.evaluation.evaluate import Options, score_cases, traces_of
from dlcot_ray.evaluation.report import SetScores
from dlcot_ray.inputs.label_files import LabelSet
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.protocol import Judge, MethodComparer

ANSWER_SECONDS = 20.0
"""Time limit of one comparison of answers. It is longer than in a job, so that a busy machine does not change
figures."""


def score_sets(
    sets: Sequence[LabelSet], judge: JudgeConfig, place: Place, options: Options
) -> tuple[str, Judgements, list[SetScores]]:
    """Judge the traces of all sets, each once, and score every set.

    Returns:
        The judge's identity, its judgements, and the scores.

    Raises:
        JobError: the judge cannot be started.
    """
    probe = make_judge(judge)
    try:
        judged = judge_traces(traces_of([case for item in sets for case in item.cases]), judge, place)
        with AnswerChecker(timeout_seconds=ANSWER_SECONDS) as checker:
            scored = [
                SetScores(item.name, item.layout, item.digest, scores)
                for item in sets
                for scores in score_cases(
                    item.cases,
                    judged.annotations,
                    probe.identity,
                    comparer=comparer_of(probe),
                    checker=checker,
                    options=options,
                )
            ]
        return probe.identity, judged, scored
    finally:
        probe.close()


def comparer_of(judge: Judge) -> MethodComparer | None:
    """The judge, if it has `method_similarity`; else None."""
    return cast(MethodComparer, judge) if hasattr(judge, "method_similarity") else None
