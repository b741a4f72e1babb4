"""Where a trace first states the right answer, which decides how much of it is trunk.

In: the human segment and annotations. Out: scores in segments, because policies cut in segments. The simple
baseline is the first segment in which the reference occurs as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dlcot_ray.core.annotation import Annotation, JudgeStep
from dlcot_ray.core.segments import segment_texts
from dlcot_ray.evaluation.calibration import graded
from dlcot_ray.evaluation.cases import ArrivalCase
from dlcot_ray.evaluation.metrics.agreement import ratio
from dlcot_ray.evaluation.scores import BadCase, Measure, Scores, Table, Tally, summarise, worst_first

WITHIN = 1
"""Tolerance of the position in segments: a value and the sentence that names it are often neighbours."""


def score(
    cases: Sequence[ArrivalCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    within: int = WITHIN,
    rounds: int,
    seed: int,
) -> Scores:
    """Compare a judge's first correct segment with the human one."""
    rows, bad = [], []
    guesses: dict[str, list[int | None]] = {
        judge: [],
        "first mention of the reference": [],
        "last segment": [],
    }
    for case in cases:
        annotation = annotations[case.trace.trace_id]
        segments = segment_texts(case.trace.reasoning, annotation.segment_offsets)
        guesses[judge].append(annotation.first_correct_segment)
        reference = (case.trace.ground_truth or "").strip()
        mention = next((i for i, segment in enumerate(segments) if reference and reference in segment), None)
        guesses["first mention of the reference"].append(mention)
        guesses["last segment"].append(len(segments) - 1)
        bad.append(_bad(case, annotation.first_correct_segment, segments))
    for name, positions in guesses.items():
        tallies = [tally(case, position, within) for case, position in zip(cases, positions, strict=True)]
        rows.append(summarise(name, tallies, MEASURES, rounds=rounds, seed=seed))
    notes = (f"within: at most {within} segments off",)
    marks = tuple(
        graded(
            c.trace.trace_id,
            annotations[c.trace.trace_id],
            JudgeStep.LABELS,
            tally(c, found, within)["within"],
        )
        for c, found in zip(cases, guesses[judge], strict=True)
    )
    table = Table("first correct segment", tuple(rows))
    return Scores("arrival", len(cases), (table,), worst_first(bad), notes, graded=marks)


def tally(case: ArrivalCase, found: int | None, within: int) -> Tally:
    """One trace."""
    truth = case.first_correct_segment
    if truth is None or found is None:
        right = float(truth is None and found is None)
        return {
            "traces": 1,
            "exact": right,
            "within": right,
            "missed": float(truth is not None),
            "invented": float(found is not None),
        }
    gap = found - truth
    return {
        "traces": 1,
        "exact": float(gap == 0),
        "within": float(abs(gap) <= within),
        "early": float(gap < -within),
        "late": float(gap > within),
    }


def _share(name: str, *, higher: bool) -> Measure:
    return Measure(name, lambda s: ratio(s[name], s["traces"]), higher)


MEASURES = (
    _share("within", higher=True),
    _share("exact", higher=True),
    *(_share(name, higher=False) for name in ("early", "late", "missed", "invented")),
)


def _bad(case: ArrivalCase, found: int | None, segments: Sequence[str]) -> BadCase:
    truth = case.first_correct_segment
    places = [place for place in (found, truth) if place is not None]
    start, stop = (min(places), max(places) + 1) if places else (0, 0)
    loss = float(abs(found - truth)) if found is not None and truth is not None else 0.0
    if (found is None) != (truth is None):
        loss = float(len(segments))
    what = f"found {'none' if found is None else found}, the human {'none' if truth is None else truth}"
    text = "".join(segments[i] for i in sorted({*places}))
    return BadCase(case.trace.trace_id, loss, start, stop, what, text)
