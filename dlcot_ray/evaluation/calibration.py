"""Whether a judge's confidence means something, and what a second judge would add.

In: graded cases. Out: reliability, calibration error and curves. Reliability sets confidence beside the share
that was right. `cascade` sends the traces of least confidence to a second judge, which pays where that judge
is right more often than the first one on those traces. So the break-even accuracy of a second judge is the
first one's score on what it sends. It falls as the share sent shrinks, if the confidence means something.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.evaluation.scores import Graded
from dlcot_ray.judging.cascade import confidence_of

BINS = 10
SHARES = tuple(round(0.1 * i, 1) for i in range(11))


def graded(
    case: str, annotation: Annotation, step: JudgeStep, score: float, confidence: float | None = None
) -> Graded:
    """A case with the confidence of its step in the annotation, or `confidence` if it is given."""
    own = next((status.confidence for status in annotation.steps if status.step is step), 0.0)
    return Graded(case, own if confidence is None else confidence, confidence_of(annotation), score)


def reliability(cases: Sequence[Graded], bins: int = BINS) -> list[dict[str, float]]:
    """Cases, mean confidence and mean score in equal bins of confidence; empty bins are left out."""
    found: dict[int, list[Graded]] = {}
    for case in cases:
        found.setdefault(min(int(case.confidence * bins), bins - 1), []).append(case)
    return [
        {
            "cases": float(len(inside)),
            "confidence": sum(c.confidence for c in inside) / len(inside),
            "right": sum(c.score for c in inside) / len(inside),
        }
        for _, inside in sorted(found.items())
    ]


def calibration_error(cases: Sequence[Graded], bins: int = BINS) -> float:
    """Expected calibration error (Naeini et al. 2015): the mean gap of the bins, weighed by their cases."""
    if not cases:
        return float("nan")
    points = reliability(cases, bins)
    return sum(p["cases"] * abs(p["confidence"] - p["right"]) for p in points) / len(cases)


def sent(cases: Sequence[Graded], share: float) -> list[Graded]:
    """The least confident `share` of the cases; ties are ordered by id, so the choice is repeatable."""
    ordered = sorted(cases, key=lambda case: (case.trace_confidence, case.case))
    return ordered[: round(share * len(ordered))]


def share_curve(
    cases: Sequence[Graded],
    accuracies: Sequence[float] = (),
    second: Mapping[str, float] | None = None,
    shares: Sequence[float] = SHARES,
) -> list[dict[str, float]]:
    """Mean score where the least confident share is answered by a second judge.

    Args:
        cases: of the first judge.
        accuracies: of imagined second judges, right with this probability on any case.
        second: scores of a real second judge by case, under the name ``second``.

    Returns:
        For every share: ``break_even`` (the first judge's score on what is sent), ``at_random`` (the same,
        had it been drawn by lot), ``second`` and ``oracle`` (a second judge that is always right), and one
        figure for each accuracy.
    """
    points = []
    whole = sum(case.score for case in cases)
    for share in shares:
        away = sent(cases, share)
        kept = whole - sum(case.score for case in away)
        point = {
            "share": share,
            "break_even": sum(c.score for c in away) / len(away) if away else float("nan"),
            "at_random": whole / len(cases) if cases else float("nan"),
            "oracle": (kept + len(away)) / len(cases) if cases else float("nan"),
        }
        if second is not None:
            point["second"] = (kept + sum(second[case.case] for case in away)) / len(cases)
        for accuracy in accuracies:
            point[f"{accuracy:g}"] = (kept + accuracy * len(away)) / len(cases)
        points.append(point)
    return points
