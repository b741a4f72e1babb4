"""Which solutions use the same method (DLCoT step 4): distinct ones stay apart, retellings merge.

In: pairs of solutions and annotations. Out: scores. The threshold matters as much as the measure, so both
shares are given for all thresholds where the judge has a similarity. Every judge, a model too, is also shown
both solutions in one trace and scored on its clusters, because that is what happens to a trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.evaluation.calibration import graded
from dlcot_ray.evaluation.cases import MethodPairCase
from dlcot_ray.evaluation.metrics.agreement import harmonic_mean, ratio
from dlcot_ray.evaluation.scores import BadCase, Measure, Scores, Sums, Table, Tally, summarise, worst_first
from dlcot_ray.judging.protocol import MethodComparer

CURVE = tuple(round(0.02 * i, 2) for i in range(1, 50))
"""Thresholds of the curve."""


def score(
    cases: Sequence[MethodPairCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    comparer: MethodComparer | None,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Share of distinct pairs kept apart and of retellings merged, by similarity and by whole traces."""
    kinds = sorted({case.how for case in cases})
    measures = (
        *MEASURES,
        *(_merged_how(how) for how in kinds if any(c.same and c.how == how for c in cases)),
    )
    groups = [case.group for case in cases]
    rows, curve = [], []
    whole = [is_merged(case, annotations[case.trace.trace_id]) for case in cases]
    decided, figures = whole, [float(merged) for merged in whole]
    if comparer is not None:
        figures = [comparer.method_similarity(c.trace.problem, c.first, c.second) for c in cases]
        decided = [figure >= comparer.same_method for figure in figures]
        curve = threshold_curve(figures, [case.same for case in cases])
    for name, verdicts in (
        (f"{judge} by similarity", decided if comparer is not None else None),
        (f"{judge} in whole traces", whole),
        ("always the same", [True] * len(cases)),
    ):
        if verdicts is not None:
            tallies = [tally(case, merged) for case, merged in zip(cases, verdicts, strict=True)]
            rows.append(summarise(name, tallies, measures, groups=groups, rounds=rounds, seed=seed))
    notes = []
    if comparer is not None:
        best = max(curve, key=lambda point: min(point["apart"], point["merged"]))
        notes.append(
            f"the judge's bar is {comparer.same_method:g}; on these pairs both shares are highest at "
            f"{best['bar']:g} ({best['apart']:.3f} apart, {best['merged']:.3f} merged)"
        )
    bad = [_bad(c, m, f, annotations) for c, m, f in zip(cases, decided, figures, strict=True)]
    return Scores(
        "methods",
        len(cases),
        (Table("pairs of solutions", tuple(rows)),),
        worst_first(bad),
        tuple(notes),
        {"threshold": curve} if curve else {},
        tuple(
            graded(
                c.trace.trace_id, annotations[c.trace.trace_id], JudgeStep.CLUSTERS, float(merged == c.same)
            )
            for c, merged in zip(cases, whole, strict=True)
        ),
    )


def is_merged(case: MethodPairCase, annotation: Annotation) -> bool:
    """Whether a judge of the whole trace sees one method: each side counts by its largest cluster."""
    cut = case.second_start
    sides = []
    for start, stop in ((0, cut), (cut, annotation.segment_offsets[-1])):
        sizes: Counter[int] = Counter()
        for approach in annotation.approaches:
            a, b = annotation.segment_offsets[approach.start], annotation.segment_offsets[approach.stop]
            sizes[approach.cluster] += max(0, min(b, stop) - max(a, start))
        cluster, size = max(sizes.items(), key=lambda item: (item[1], -item[0]), default=(-1, 0))
        sides.append(cluster if size else None)
    # A side without an approach was judged to be part of the other side, or a check of it.
    return None in sides or sides[0] == sides[1]


def tally(case: MethodPairCase, merged: bool) -> Tally:
    """One pair."""
    if case.same:
        return {
            "same": 1,
            "merged": float(merged),
            f"same.{case.how}": 1,
            f"merged.{case.how}": float(merged),
        }
    return {"distinct": 1, "apart": float(not merged)}


def threshold_curve(figures: Sequence[float], same: Sequence[bool]) -> list[dict[str, float]]:
    """For every threshold: the share of distinct pairs below it, and of same pairs at or above it."""
    values, is_same = np.array(figures), np.array(same, bool)
    distinct, equal = values[~is_same], values[is_same]
    return [
        {
            "bar": bar,
            "apart": float((distinct < bar).mean()) if len(distinct) else float("nan"),
            "merged": float((equal >= bar).mean()) if len(equal) else float("nan"),
        }
        for bar in CURVE
    ]


def _apart(s: Sums) -> np.ndarray:
    return ratio(s["apart"], s["distinct"])


def _merged(s: Sums) -> np.ndarray:
    return ratio(s["merged"], s["same"])


def _merged_how(how: str) -> Measure:
    return Measure(f"merged_{how}", lambda s: ratio(s[f"merged.{how}"], s[f"same.{how}"]))


MEASURES = (
    Measure("apart", _apart),
    Measure("merged", _merged),
    Measure("f1", lambda s: harmonic_mean(_apart(s), _merged(s))),
    Measure("pairs", lambda s: s["same"] + s["distinct"]),
)
"""`f1` is the harmonic mean of the two shares."""


def _bad(case: MethodPairCase, merged: bool, figure: float, annotations: Mapping[str, Annotation]) -> BadCase:
    segments = len(annotations[case.trace.trace_id].segment_offsets) - 1
    wrong = merged != case.same
    what = f"{case.how}: {'merged' if merged else 'kept apart'}, similarity {figure:.2f}"
    loss = (1 + abs(figure - 0.5)) if wrong else 0.0
    return BadCase(case.trace.trace_id, loss, 0, segments, what, case.trace.reasoning)
