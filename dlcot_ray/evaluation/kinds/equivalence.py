"""Whether two answers are equivalent, as every label's evidence decides it.

In: pairs of answers with labels. Out: scores. All judges share the comparison (`judging/equivalence.py`). A
pair that cannot be decided in time counts as not equal, as in a job; how many did is a figure of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from dlcot_ray.core.evidence.equivalence import quick_equivalent
from dlcot_ray.evaluation.cases import EquivalenceCase
from dlcot_ray.evaluation.metrics.agreement import ratio
from dlcot_ray.evaluation.scores import BadCase, Measure, Scores, Table, Tally, summarise, worst_first
from dlcot_ray.judging.equivalence import AnswerChecker, Verdict


def score(cases: Sequence[EquivalenceCase], checker: AnswerChecker, *, rounds: int, seed: int) -> Scores:
    """Compare verdicts with the labels."""
    verdicts = [checker.verdict(case.answer, case.gold) for case in cases]
    same_text = [_stripped(case.answer) == _stripped(case.gold) for case in cases]
    rows = (
        summarise(
            "answer comparison",
            [
                {
                    **tally(c, v is Verdict.EQUAL),
                    **_certainty(c),
                    "timeouts": float(v is Verdict.TIMEOUT),
                    "errors": float(v is Verdict.ERROR),
                }
                for c, v in zip(cases, verdicts, strict=True)
            ],
            MEASURES,
            rounds=rounds,
            seed=seed,
        ),
        summarise(
            "same text", [tally(c, v) for c, v in zip(cases, same_text, strict=True)], MEASURES, rounds=0
        ),
        summarise("always equal", [tally(c, True) for c in cases], MEASURES, rounds=0),
    )
    bad = [_bad(case, verdict) for case, verdict in zip(cases, verdicts, strict=True)]
    return Scores(
        "equivalence", len(cases), (Table("pairs of answers", rows),), worst_first(bad), _notes(cases)
    )


def tally(case: EquivalenceCase, equal: bool) -> Tally:
    """One pair."""
    side = "equal" if case.equivalent else "different"
    return {"pairs": 1, side: 1, f"{side}_hit": float(equal == case.equivalent)}


def _certainty(case: EquivalenceCase) -> dict[str, float]:
    """Whether the exact comparison, which asks no CAS, is certain of a pair, and then wrong."""
    quick = quick_equivalent(case.answer, case.gold)
    return {
        "certain": float(quick is not None),
        "certain_wrong": float(quick is not None and quick != case.equivalent),
    }


def contradictions(cases: Sequence[EquivalenceCase]) -> list[tuple[str, ...]]:
    """Ids of cases with the same two answers, in either order, that carry both labels."""
    labels: dict[frozenset[str], dict[bool, list[str]]] = defaultdict(lambda: defaultdict(list))
    for case in cases:
        labels[frozenset((case.gold, case.answer))][case.equivalent].append(case.case_id)
    return [tuple(sorted(found[True] + found[False])) for found in labels.values() if len(found) > 1]


MEASURES = (
    Measure("accuracy", lambda s: ratio(s["equal_hit"] + s["different_hit"], s["pairs"])),
    Measure("accuracy_equal", lambda s: ratio(s["equal_hit"], s["equal"])),
    Measure("accuracy_different", lambda s: ratio(s["different_hit"], s["different"])),
    Measure("certain", lambda s: ratio(s["certain"], s["pairs"])),
    Measure("certain_wrong", lambda s: s["certain_wrong"], higher=False, whole=True),
    Measure("timeouts", lambda s: s["timeouts"], higher=False, whole=True),
    Measure("errors", lambda s: s["errors"], higher=False, whole=True),
)


def _notes(cases: Sequence[EquivalenceCase]) -> tuple[str, ...]:
    found = contradictions(cases)
    if not found:
        return ()
    names = "; ".join(" and ".join(ids) for ids in found)
    return (f"the set contradicts itself, so that no comparison can be right on all of it: {names}",)


def _stripped(answer: str) -> str:
    return "".join(answer.split()).strip("$")


def _bad(case: EquivalenceCase, verdict: Verdict) -> BadCase:
    wrong = (verdict is Verdict.EQUAL) != case.equivalent
    what = f"{verdict.value}, labelled {'equivalent' if case.equivalent else 'different'}"
    # A false "equal" makes a wrong approach correct; a missed one costs a good approach.
    loss = 0.0 if not wrong else 2.0 if verdict is Verdict.EQUAL else 1.0
    return BadCase(case.case_id, loss, 0, 0, what, f"{case.answer!r} against {case.gold!r}")
