"""The `learned` judge: structure by a small model trained on readings, everything else by evidence.

In: a trace. Out: an annotation. The model reads all segments of a trace at once and gives the best legal
structure: sections, where approaches begin, where checks begin. Beside it stands, for each segment, the
chance that a careful reader drops it. Of the places where evidence finds the right answer the model chooses
the first one where it stands, and of the labels that evidence allows the likeliest. Evidence mends the
structure where a label would contradict it. Errors, the kind of a check and the methods come from the same
evidence as with the rules. Traces that are not in English, or have too many segments, are left
to the rules. It needs no framework and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController

from dlcot_ray.core.annotation import Annotation, Source
from dlcot_ray.core.language import has_cues, language_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.learned.arrays import Floats, Ints
from dlcot_ray.judging.learned.chain import best_path, probabilities, scores_of
from dlcot_ray.judging.learned.features import Features, features_of
from dlcot_ray.judging.learned.mending import mend
from dlcot_ray.judging.learned.network import Outlook, read_segments
from dlcot_ray.judging.learned.results import label_by, with_first
from dlcot_ray.judging.learned.states import APPROACH, CHECK, runs_of, states_of
from dlcot_ray.judging.learned.sureness import calibrated, calibrated_odds, raw_confidences
from dlcot_ray.judging.learned.weights import SHIPPED, Weights, load
from dlcot_ray.judging.rules.judge import VERSION as RULES_VERSION
from dlcot_ray.judging.rules.judge import Labeller, Structure, annotate, assemble
from dlcot_ray.judging.rules.labels import label_range
from dlcot_ray.judging.rules.structure import find_runs

VERSION = 8
"""Increase it when the same weights may give the same trace another annotation."""

FIRST_WAYS, MORE_WAYS, CHECKS = 2.2, 2.0, 0.6
"""Added to the scores of states that open an approach before an answer stands, an approach behind one, and a
check: openings are rare, and a plain fit misses too many of them. Chosen by cross-validation. An opening that
is missed before the answer joins an unfinished way to the right one, and then neither label is right."""

SHORT, BY_RULES = 24, 4.0
"""Segments below which openings of the rules count more, and what they add: in short traces the rules see
openings better. Chosen by cross-validation."""


MOST_SEGMENTS = 20_000
"""A trace of more segments is judged by the rules: its features would take more than half a gigabyte. The
longest of 2,560 real traces has a tenth of them."""

PLACES = 3
"""Decimal places of a chance that is stored."""

NETWORK = 0.6
"""Share of the network's log-probabilities in the scores of states. Chosen by cross-validation."""


class LearnedJudge:
    """Judge by learned structure and evidence. Holds a helper process for the CAS, as the rules judge does.

    Args:
        model: the file with the weights, or the folder that `dlcot train-judge` wrote; None takes those of
            the package.
        cas_timeout_seconds: CPU time for one comparison of answers.

    Raises:
        ValueError: the file holds no weights that fit this version.
    """

    def __init__(self, model: str | None = None, cas_timeout_seconds: float = 1.0) -> None:
        self._weights = load(SHIPPED if model is None else Path(model))
        self._identity = f"learned/{VERSION} {self._weights.fingerprint} on rules/{RULES_VERSION}"
        self._checker = AnswerChecker(timeout_seconds=cas_timeout_seconds)

    @property
    def identity(self) -> str:
        """``learned/VERSION``, a hash of the weights, and the rules whose findings are its features."""
        return self._identity

    @property
    def checker(self) -> AnswerChecker:
        """The checker that compares answers."""
        return self._checker

    def start(self) -> None:
        """Nothing to load: the weights are read when the judge is made."""

    async def judge(self, trace: Trace) -> Annotation:
        """Annotate one trace; never awaits."""
        return self.annotate(trace)

    def close(self) -> None:
        """Stop the helper process."""
        self._checker.close()

    def annotate(self, trace: Trace) -> Annotation:
        """Annotate one trace, synchronously. Raises nothing for any text."""
        found = find(trace, self._checker)
        readable = 0 < len(found.segments) <= MOST_SEGMENTS and has_cues(language_of(trace.reasoning))
        if not readable:
            return annotate(trace, found, self._identity)
        return judged(trace, found, case_of(found, trace.problem), self._weights, self._identity)


def case_of(found: Findings, problem: str) -> Features:
    """The features of a trace with at least one segment, as the judge and the training see them."""
    runs = find_runs(found.segments, problem, found.answers.candidate)
    return features_of(found, problem, states_of(runs))


@dataclass(frozen=True, slots=True)
class Reading:
    """The best legal path through the states, and the expected shares of it that are right."""

    path: list[int]
    sections: float
    openings: float


def eagerness_of(features: Features) -> Floats:
    """(n,): what is added to the score of opening an approach at each segment."""
    eager = np.where(features.standing, MORE_WAYS, FIRST_WAYS)
    return eager + BY_RULES * features.opened if len(eager) < SHORT else eager


def read_scores(scores: Floats, eagerness: Floats, offsets: Sequence[int], weights: Weights) -> Reading:
    """The best legal path by the scores of states, with confidences that are not calibrated."""
    eager = scores.copy()
    eager[:, APPROACH] += eagerness
    eager[:, CHECK] += CHECKS
    path = best_path(eager, weights.transitions, weights.starts)
    chances = probabilities(scores, weights.transitions, weights.starts)
    return Reading(path, *raw_confidences(path, chances, offsets))


def scores_by(weights: Weights, columns: Floats, words: tuple[Ints, ...]) -> Outlook:
    """How well each state fits each segment, by chain and network, and what the network adds."""
    # The products are small: further threads would cost CPU by waiting for work, and gain nothing.
    with _libraries().limit(limits=1, user_api="blas"):
        scores = scores_of(columns, words, weights.columns, weights.words)
        if weights.network is None:
            return Outlook(scores, None, None)
        outlook = read_segments(weights.network, columns, words)
        return replace(outlook, states=scores + NETWORK * outlook.states)


@cache
def _libraries() -> ThreadpoolController:
    """The numeric libraries of this process, looked for once."""
    return ThreadpoolController()


def judged(trace: Trace, found: Findings, features: Features, weights: Weights, identity: str) -> Annotation:
    """The annotation of a trace with at least one segment, by some weights."""
    outlook = scores_by(weights, features.columns, features.words)
    reading = read_scores(outlook.states, eagerness_of(features), found.offsets, weights)
    of_sections, of_openings, of_drops, of_labels = weights.calibration
    label: Labeller = label_range
    if outlook.results is not None:
        found = with_first(found, outlook.results)
        label = partial(label_by, outlook.results, of_labels)
    structure = Structure(
        mend(runs_of(reading.path), found, label),
        Source.MODEL,
        calibrated(reading.sections, of_sections),
        calibrated(reading.openings, of_openings),
        label=label,
    )
    chances = () if outlook.needless is None else calibrated_odds(outlook.needless, of_drops).round(PLACES)
    return replace(assemble(trace, found, structure, identity), needless=tuple(map(float, chances)))
