"""Approaches of whole traces: their labels (DLCoT step 3) and their clusters (step 4).

In: human approaches and annotations. Out: scores. A human approach is compared with the judge's approach that
covers most of its segments, so a boundary that is a little off costs nothing here: `starts` scores those.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dlcot_ray.core.annotation import Annotation, Approach, JudgeStep, Label
from dlcot_ray.evaluation.calibration import graded
from dlcot_ray.evaluation.cases import ApproachesCase, LabelledApproach
from dlcot_ray.evaluation.metrics.agreement import accuracy, class_f1, cohen_kappa, harmonic_mean, ratio
from dlcot_ray.evaluation.metrics.partitions import PairCounts, pair_counts, v_measure
from dlcot_ray.evaluation.scores import (
    BadCase,
    Graded,
    Measure,
    Scores,
    Sums,
    Table,
    Tally,
    summarise,
    worst_first,
)

LABELS = tuple(label.value for label in (Label.CORRECT, Label.INCORRECT, Label.INCOMPLETE))
NONE = "none"
"""The label if no approach of the judge covers a human one, or if its label is unknown."""


def score_labels(
    cases: Sequence[ApproachesCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Correct, incorrect and incomplete, by approach."""
    own = [label_tally(case, annotations[case.trace.trace_id]) for case in cases]
    guess = [_always_correct(case) for case in cases]
    rows = (
        summarise(judge, own, LABEL_MEASURES, rounds=rounds, seed=seed),
        summarise("always correct", guess, LABEL_MEASURES, rounds=0),
    )
    bad = [b for case in cases for b in _bad_labels(case, annotations[case.trace.trace_id])]
    total: Counter[str] = Counter()
    for one in own:
        total.update({key: int(n) for key, n in one.items()})
    confusion = ", ".join(f"{key} {n}" for key, n in sorted(total.items()))
    count = sum(a.label is not None for case in cases for a in case.approaches)
    marks = tuple(m for case in cases for m in _graded_labels(case, annotations[case.trace.trace_id]))
    notes = (f"human>judge: {confusion}",)
    table = Table("labels of approaches", rows)
    return Scores("label", count, (table,), worst_first(bad), notes, graded=marks)


def score_clusters(
    cases: Sequence[ApproachesCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Same method or not, by pairs of approaches and by V-measure of each trace."""
    truths = [[a.method for a in case.approaches] for case in cases]
    own = [judged_cluster_tally(case, annotations[case.trace.trace_id]) for case in cases]
    contestants = {
        "all the same": [[0] * len(t) for t in truths],
        "all distinct": [list(range(len(t))) for t in truths],
    }
    rows = [summarise(judge, own, CLUSTER_MEASURES, rounds=rounds, seed=seed)]
    for name, groups in contestants.items():
        tallies = [cluster_tally(t, g) for t, g in zip(truths, groups, strict=True)]
        rows.append(summarise(name, tallies, CLUSTER_MEASURES, rounds=0))
    bad = []
    for case, pairs in zip(cases, own, strict=True):
        merged, apart = pairs["pairs.only_predicted"], pairs["pairs.only_reference"]
        what = f"{merged:.0f} pairs wrongly merged, {apart:.0f} wrongly kept apart"
        start, stop = case.approaches[0].start, case.approaches[-1].stop
        bad.append(BadCase(case.trace.trace_id, merged + apart, start, stop, what))
    notes = ("pairs: of approaches that the judge covers by two of its own",)
    table = Table("approaches by method", tuple(rows))
    return Scores("clusters", len(cases), (table,), worst_first(bad), notes)


def covering(approach: LabelledApproach, annotation: Annotation) -> Approach | None:
    """The judge's approach that shares most segments with a human one, or None where none shares any."""

    def shared(other: Approach) -> int:
        return min(approach.stop, other.stop) - max(approach.start, other.start)

    best = max(annotation.approaches, key=shared, default=None)
    return best if best is not None and shared(best) > 0 else None


def label_tally(case: ApproachesCase, annotation: Annotation) -> Tally:
    """Confusion counts over the approaches of one trace."""
    counts: dict[str, float] = {}
    for approach in case.approaches:
        if approach.label is not None:
            key = f"{approach.label.value}>{_label(covering(approach, annotation))}"
            counts[key] = counts.get(key, 0) + 1
    return counts


def clusters_of(case: ApproachesCase, annotation: Annotation) -> list[int]:
    """The judge's cluster of every human approach; one that no approach covers is alone."""
    found = []
    for index, approach in enumerate(case.approaches):
        cover = covering(approach, annotation)
        found.append(-1 - index if cover is None else cover.cluster)
    return found


def judged_cluster_tally(case: ApproachesCase, annotation: Annotation) -> Tally:
    """As `cluster_tally`, with only those pairs that the judge covers by two approaches of its own.

    A pair inside one approach of the judge, or with a part outside all of them, is a matter of boundaries.
    """
    covers = [covering(approach, annotation) for approach in case.approaches]
    pairs = Counter(
        (case.approaches[i].method == case.approaches[j].method, one.cluster == other.cluster)
        for (i, one), (j, other) in itertools.combinations(enumerate(covers), 2)
        if one is not None and other is not None and one is not other
    )
    counts = PairCounts(pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False])
    truth = [approach.method for approach in case.approaches]
    whole = cluster_tally(truth, clusters_of(case, annotation))
    return {**whole, **{f"pairs.{name}": float(n) for name, n in counts._asdict().items()}}


def cluster_tally(truth: Sequence[int | None], found: Sequence[int]) -> Tally:
    """Pair counts and V-measure of one trace; a trace with one approach has no pairs."""
    pairs, v = pair_counts(truth, found), v_measure(truth, found)
    counts: dict[str, float] = {f"pairs.{name}": float(n) for name, n in pairs._asdict().items()}
    if len(truth) > 1:
        counts |= {"traces": 1.0, "v": v.v, "homogeneity": v.homogeneity, "completeness": v.completeness}
    return counts


def _label(approach: Approach | None) -> str:
    return approach.label.value if approach is not None and approach.label.value in LABELS else NONE


def _always_correct(case: ApproachesCase) -> Tally:
    counts: dict[str, float] = {}
    for approach in case.approaches:
        if approach.label is not None:
            key = f"{approach.label.value}>{Label.CORRECT.value}"
            counts[key] = counts.get(key, 0) + 1
    return counts


def _confusion(s: Sums) -> np.ndarray:
    return s.confusion((*LABELS, NONE))


def _label_f1(index: int) -> Measure:
    return Measure(f"f1_{LABELS[index]}", lambda s: class_f1(_confusion(s), index))


def _pair_precision(s: Sums) -> np.ndarray:
    return ratio(s["pairs.both"], s["pairs.both"] + s["pairs.only_predicted"])


def _pair_recall(s: Sums) -> np.ndarray:
    return ratio(s["pairs.both"], s["pairs.both"] + s["pairs.only_reference"])


def _mean(name: str) -> Measure:
    return Measure(name, lambda s: ratio(s[name], s["traces"]))


def _found(s: Sums) -> np.ndarray:
    """Share of the wrong approaches that the judge labels incorrect."""
    index = LABELS.index(Label.INCORRECT.value)
    confusion = _confusion(s)
    return ratio(confusion[..., index, index], confusion[..., index, :].sum(-1))


LABEL_MEASURES = (
    Measure("accuracy", lambda s: accuracy(_confusion(s))),
    Measure("accuracy_covered", lambda s: accuracy(s.confusion(LABELS))),
    Measure("incorrect_found", _found),
    Measure("kappa", lambda s: cohen_kappa(_confusion(s))),
    *(_label_f1(index) for index in range(len(LABELS))),
)
CLUSTER_MEASURES = (
    Measure(
        "pair_f1", lambda s: harmonic_mean(np.nan_to_num(_pair_precision(s)), np.nan_to_num(_pair_recall(s)))
    ),
    Measure("pair_precision", _pair_precision),
    Measure("pair_recall", _pair_recall),
    Measure(
        "kept_apart", lambda s: ratio(s["pairs.neither"], s["pairs.neither"] + s["pairs.only_predicted"])
    ),
    _mean("v"),
    _mean("homogeneity"),
    _mean("completeness"),
)


def _bad_labels(case: ApproachesCase, annotation: Annotation) -> list[BadCase]:
    bad = []
    for approach in case.approaches:
        found = _label(covering(approach, annotation))
        if approach.label is not None and found != approach.label.value:
            offsets = annotation.segment_offsets
            text = case.trace.reasoning[offsets[approach.start] : offsets[approach.stop]]
            what = f"labelled {found}, the human says {approach.label.value}"
            # A wrong approach labelled correct does more harm than a correct one that is missed.
            loss = 2.0 if found == Label.CORRECT.value else 1.0
            bad.append(BadCase(case.trace.trace_id, loss, approach.start, approach.stop, what, text))
    return bad


def _graded_labels(case: ApproachesCase, annotation: Annotation) -> list[Graded]:
    marks = []
    for index, approach in enumerate(case.approaches):
        if approach.label is not None:
            cover = covering(approach, annotation)
            right = float(_label(cover) == approach.label.value)
            sure = cover.confidence if cover is not None else None
            marks.append(graded(f"{case.trace.trace_id}/{index}", annotation, JudgeStep.LABELS, right, sure))
    return marks
