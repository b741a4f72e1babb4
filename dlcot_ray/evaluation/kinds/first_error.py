"""The first wrong step of a solution (DLCoT step 3), as ProcessBench (arXiv 2412.06559) scores it.

In: solutions in steps and annotations. Out: scores. A judge finds an error where an approach of its
annotation holds an error span; the earliest one counts. Computed arithmetic alarms are scored on their own,
because they act without a model's opinion. An alarm in a solution that people call right, or before the step
of the first human error, is false; one behind that step proves nothing and is only counted. People overlook
wrong arithmetic, so a second figure takes an alarm as true where `metrics/recompute.py` also finds the claim
false.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

import numpy as np

from dlcot_ray.core.annotation import Annotation, ErrorKind, ErrorSpan, JudgeStep, Source
from dlcot_ray.evaluation.calibration import graded
from dlcot_ray.evaluation.cases import FirstErrorCase
from dlcot_ray.evaluation.metrics.agreement import harmonic_mean, ratio
from dlcot_ray.evaluation.metrics.recompute import is_false, is_whole
from dlcot_ray.evaluation.scores import BadCase, Measure, Scores, Sums, Table, Tally, summarise, worst_first


def score(
    cases: Sequence[FirstErrorCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Compare a judge's first error with the human one, beside guesses."""
    found = [errors_by_step(case, annotations[case.trace.trace_id]) for case in cases]
    own = [
        {**tally(case, min(steps, default=None)), **alarm_tally(case, steps)}
        for case, steps in zip(cases, found, strict=True)
    ]
    rows = [summarise(judge, own, MEASURES, rounds=rounds, seed=seed)]
    for name, guess in (("no error anywhere", None), ("always the first step", 0)):
        rows.append(summarise(name, [tally(case, guess) for case in cases], MEASURES[:5], rounds=0))
    rows.append(summarise("coin, then any step", [_coin(case) for case in cases], MEASURES[:5], rounds=0))
    bad = [_bad(case, steps) for case, steps in zip(cases, found, strict=True)]
    notes = (
        f"{sum(t['alarms_after'] for t in own):.0f} computed alarms stand behind the first human error and "
        "count neither way",
    )
    marks = []
    for case, steps in zip(cases, found, strict=True):
        name, right = case.trace.trace_id, min(steps, default=None) == case.first_error
        marks.append(graded(name, annotations[name], JudgeStep.ERRORS, float(right)))
    table = Table("first error", tuple(rows))
    return Scores("first_error", len(cases), (table,), worst_first(bad), notes, graded=tuple(marks))


def errors_by_step(case: FirstErrorCase, annotation: Annotation) -> dict[int, list[ErrorSpan]]:
    """The annotation's error spans by the step that they begin in."""
    steps: dict[int, list[ErrorSpan]] = {}
    for approach in annotation.approaches:
        for error in approach.errors:
            step = max(0, bisect_right(case.starts, error.char_start) - 1)
            steps.setdefault(step, []).append(error)
    return steps


def tally(case: FirstErrorCase, predicted: int | None) -> Tally:
    """Hits on solutions that are right, and on those that are wrong."""
    if case.first_error is None:
        return {"right": 1, "right_hit": float(predicted is None)}
    return {
        "wrong": 1,
        "wrong_hit": float(predicted == case.first_error),
        "wrong_seen": float(predicted is not None),
    }


def alarm_tally(case: FirstErrorCase, steps: Mapping[int, Sequence[ErrorSpan]]) -> dict[str, float]:
    """Computed arithmetic alarms that are true, false, and behind the first human error.

    Of the false ones, those whose claim is false by a second computation: there people overlooked it.
    """
    counts = {"alarms_true": 0.0, "alarms_false": 0.0, "alarms_after": 0.0, "alarms_recomputed": 0.0}
    for step, errors in steps.items():
        computed = [error for error in errors if is_computed(error)]
        number = len(computed)
        if case.first_error is None or step < case.first_error:
            counts["alarms_false"] += number
            spans = [(error.char_start, error.char_stop) for error in computed]
            text = case.trace.reasoning
            counts["alarms_recomputed"] += sum(
                is_whole(text, start, stop) and is_false(text[start:stop]) is True for start, stop in spans
            )
        else:
            counts["alarms_true" if step == case.first_error else "alarms_after"] += number
    return counts


def is_computed(error: ErrorSpan) -> bool:
    """Whether an error is arithmetic that was evaluated, not an opinion."""
    return error.source is Source.EVIDENCE and error.kind is ErrorKind.CALCULATION


def _coin(case: FirstErrorCase) -> Tally:
    """Expected hits of a guess that is "no error" half the time, else a random step."""
    if case.first_error is None:
        return {"right": 1, "right_hit": 0.5}
    return {"wrong": 1, "wrong_hit": 0.5 / max(1, len(case.steps)), "wrong_seen": 0.5}


def _on_right(s: Sums) -> np.ndarray:
    return ratio(s["right_hit"], s["right"])


def _on_wrong(s: Sums) -> np.ndarray:
    return ratio(s["wrong_hit"], s["wrong"])


MEASURES = (
    Measure("f1", lambda s: harmonic_mean(_on_right(s), _on_wrong(s))),
    Measure("accuracy_correct", _on_right),
    Measure("accuracy_wrong", _on_wrong),
    Measure("wrong_noticed", lambda s: ratio(s["wrong_seen"], s["wrong"])),
    Measure("cases", lambda s: s["right"] + s["wrong"]),
    Measure("alarm_precision", lambda s: ratio(s["alarms_true"], s["alarms_true"] + s["alarms_false"])),
    Measure(
        "alarm_precision_recomputed",
        lambda s: ratio(s["alarms_true"] + s["alarms_recomputed"], s["alarms_true"] + s["alarms_false"]),
    ),
    Measure("alarms", lambda s: s["alarms_true"] + s["alarms_false"], whole=True),
)
"""`f1` is the harmonic mean of the two accuracies; it is not defined where a set has only one sort."""


def _bad(case: FirstErrorCase, steps: Mapping[int, Sequence[ErrorSpan]]) -> BadCase:
    """False computed alarms first, then errors in what is right, then the wrong step, then misses."""
    truth, predicted = case.first_error, min(steps, default=None)
    said = "no error" if predicted is None else f"step {predicted}"
    meant = "no error" if truth is None else f"step {truth}"
    false = alarm_tally(case, steps)["alarms_false"]
    loss = 0.0 if predicted == truth else 1 if predicted is None else 2 if truth is not None else 3
    what = f"found {said}, the human {meant}"
    if false:
        loss, what = 4, f"{what}; {false:.0f} computed alarms that people do not share"
    at = predicted if predicted is not None else truth or 0
    spans = "; ".join(error.message for errors in steps.values() for error in errors)
    text = f"{case.steps[at]}\n[{spans}]" if case.steps else ""
    return BadCase(case.trace.trace_id, loss, at, at + 1, what, text)
