"""Where approaches begin, where checks begin, and of which kind a check is (DLCoT steps 1 and 2).

In: a reader's approaches or checks and annotations. Out: precision, recall and F1 of the segments in which
one begins: exactly, and with a tolerance. Checks that begin at the same place are compared by kind as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from dlcot_ray.core.annotation import Annotation, Verification, VerificationKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import ApproachesCase, ChecksCase, LabelledCheck
from dlcot_ray.evaluation.kinds.arrival import WITHIN
from dlcot_ray.evaluation.metrics.agreement import accuracy, class_f1, harmonic_mean, ratio
from dlcot_ray.evaluation.scores import (
    BadCase,
    Measure,
    Scores,
    Sums,
    Table,
    Tally,
    summarise,
    worst_first,
)

CHECK_KINDS = tuple(kind.value for kind in VerificationKind)
_EXACT, _NEAR = "exact", "within"
_NAMED = 8
"""Most places that the line of a trace names."""


def score_approaches(
    cases: Sequence[ApproachesCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    within: int = WITHIN,
    rounds: int,
    seed: int,
) -> Scores:
    """Where approaches begin."""
    pairs = [
        (case.trace, {a.start for a in case.approaches}, {a.start for a in _of(annotations, case).approaches})
        for case in cases
    ]
    return _score("boundary", "where approaches begin", pairs, annotations, judge, within, rounds, seed)


def score_checks(
    cases: Sequence[ChecksCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    within: int = WITHIN,
    rounds: int,
    seed: int,
) -> Scores:
    """Where checks begin."""
    pairs = [
        (case.trace, {c.start for c in case.checks}, {c.start for c in _of(annotations, case).verifications})
        for case in cases
    ]
    return _score("check", "where checks begin", pairs, annotations, judge, within, rounds, seed)


def score_kinds(
    cases: Sequence[ChecksCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    within: int = WITHIN,
    rounds: int,
    seed: int,
) -> Scores:
    """Affirmation, negation or check, of the checks that the judge finds within the tolerance."""
    found = [_paired(case, _of(annotations, case), within) for case in cases]
    same = [_paired(case, _of(annotations, case), 0) for case in cases]
    own = [
        _counted((ours.kind, theirs.kind) for ours, theirs in pairs) | _exact(alike)
        for pairs, alike in zip(found, same, strict=True)
    ]
    guess = [_counted((ours.kind, VerificationKind.AFFIRMATION) for ours, _ in pairs) for pairs in found]
    rows = (
        summarise(judge, own, KIND_MEASURES, rounds=rounds, seed=seed),
        summarise("always affirmation", guess, KIND_MEASURES, rounds=0),
    )
    bad = [
        BadCase(
            case.trace.trace_id,
            1.0,
            ours.start,
            ours.stop,
            f"called {theirs.kind}, the human says {ours.kind}",
            _text(case.trace, annotations, ours.start, ours.stop),
        )
        for case, pairs in zip(cases, found, strict=True)
        for ours, theirs in pairs
        if ours.kind is not theirs.kind
    ]
    total: Counter[str] = Counter()
    for one in own:
        total.update({key: int(n) for key, n in one.items() if ">" in key})
    confusion = ", ".join(f"{key} {n}" for key, n in sorted(total.items()))
    notes = (
        f"human>judge: {confusion}",
        f"only checks that begin at most {within} segments apart; accuracy_exact: in the same segment",
    )
    table = Table("kind of check", rows)
    return Scores("check_kind", total.total(), (table,), worst_first(bad), notes)


def tally(reference: set[int], found: set[int], within: int) -> Tally:
    """The counts of one trace."""
    ours, theirs = sorted(reference), sorted(found)
    return {
        _EXACT: len(reference & found),
        _NEAR: _near(ours, theirs, within),
        "actual": len(ours),
        "found": len(theirs),
    }


def _near(ours: Sequence[int], theirs: Sequence[int], within: int) -> int:
    """How many of `ours` take a free one of `theirs`, each in its turn the nearest within the tolerance."""
    free = set(theirs)
    pairs = 0
    for place in ours:
        near = [other for other in range(place - within, place + within + 1) if other in free]
        if near:
            free.remove(min(near, key=lambda other: abs(other - place)))
            pairs += 1
    return pairs


def _of(annotations: Mapping[str, Annotation], case: ApproachesCase | ChecksCase) -> Annotation:
    return annotations[case.trace.trace_id]


def _score(
    kind: str,
    title: str,
    pairs: Sequence[tuple[Trace, set[int], set[int]]],
    annotations: Mapping[str, Annotation],
    judge: str,
    within: int,
    rounds: int,
    seed: int,
) -> Scores:
    own = [tally(ours, theirs, within) for _, ours, theirs in pairs]
    every = [
        tally(ours, set(range(len(annotations[trace.trace_id].segment_offsets) - 1)), within)
        for trace, ours, _ in pairs
    ]
    rows = (
        summarise(judge, own, START_MEASURES, rounds=rounds, seed=seed),
        summarise("every segment", every, START_MEASURES, rounds=0),
    )
    bad = [_bad(trace, ours, theirs, within, annotations) for trace, ours, theirs in pairs]
    reference, found = (sum(int(t[name]) for t in own) for name in ("actual", "found"))
    notes = (f"within: at most {within} segments apart; the human names {reference}, the judge {found}",)
    return Scores(kind, reference, (Table(title, rows),), worst_first(bad), notes)


def _bad(
    trace: Trace, ours: set[int], theirs: set[int], within: int, annotations: Mapping[str, Annotation]
) -> BadCase:
    """The places that only one side names."""
    missed = [p for p in sorted(ours) if not any(abs(p - q) <= within for q in theirs)]
    extra = [q for q in sorted(theirs) if not any(abs(p - q) <= within for p in ours)]
    places = sorted([*missed, *extra])
    start, stop = (places[0], places[-1] + 1) if places else (0, 0)
    parts = [
        f"{word} {', '.join(str(p) for p in found[:_NAMED])}{', ...' if len(found) > _NAMED else ''}"
        for word, found in (("missed", missed), ("too many", extra))
        if found
    ]
    text = _text(trace, annotations, places[0], places[0] + 1) if places else ""
    return BadCase(trace.trace_id, float(len(places)), start, stop, "; ".join(parts), text)


def _text(trace: Trace, annotations: Mapping[str, Annotation], start: int, stop: int) -> str:
    offsets = annotations[trace.trace_id].segment_offsets
    return trace.reasoning[offsets[start] : offsets[stop]]


def _paired(
    case: ChecksCase, annotation: Annotation, within: int
) -> list[tuple[LabelledCheck, Verification]]:
    """Each human check with the judge's first one within the tolerance, where there is one."""
    found = []
    for check in case.checks:
        near = (v for v in annotation.verifications if abs(v.start - check.start) <= within)
        other = next(near, None)
        if other is not None:
            found.append((check, other))
    return found


def _exact(pairs: Sequence[tuple[LabelledCheck, Verification]]) -> dict[str, float]:
    """Checks that begin in the same segment, and those of them that have the same kind."""
    return {"exact": len(pairs), "exact.right": sum(ours.kind is theirs.kind for ours, theirs in pairs)}


def _counted(pairs: Iterable[tuple[VerificationKind, VerificationKind]]) -> dict[str, float]:
    counts: dict[str, float] = {}
    for one, other in pairs:
        key = f"{one.value}>{other.value}"
        counts[key] = counts.get(key, 0) + 1
    return counts


def _precision(s: Sums, name: str) -> np.ndarray:
    return ratio(s[name], s["found"])


def _recall(s: Sums, name: str) -> np.ndarray:
    return ratio(s[name], s["actual"])


def _f1(s: Sums, name: str) -> np.ndarray:
    return harmonic_mean(np.nan_to_num(_precision(s, name)), np.nan_to_num(_recall(s, name)))


def _start_measures(name: str, suffix: str) -> tuple[Measure, ...]:
    return (
        Measure(f"f1{suffix}", lambda s: _f1(s, name)),
        Measure(f"precision{suffix}", lambda s: _precision(s, name)),
        Measure(f"recall{suffix}", lambda s: _recall(s, name)),
    )


START_MEASURES = (*_start_measures(_NEAR, "_within"), *_start_measures(_EXACT, ""))


def _kind_f1(index: int) -> Measure:
    return Measure(f"f1_{CHECK_KINDS[index]}", lambda s: class_f1(s.confusion(CHECK_KINDS), index))


KIND_MEASURES = (
    Measure("accuracy", lambda s: accuracy(s.confusion(CHECK_KINDS))),
    Measure("accuracy_exact", lambda s: ratio(s["exact.right"], s["exact"])),
    *(_kind_f1(index) for index in range(len(CHECK_KINDS))),
)
