"""Dropped text against a reader's: what went that may go, and what went that is needed (DLCoT step 5).

In: what a reader would drop of each trace, and what a policy drops. Out: precision, recall and F1 of
characters, over all traces and as the mean per trace, and the harm: dropped characters that the reader
marked as needed. A trace of which neither side drops anything scores 1 in the mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.evaluation.cases import DroppedCase, Ranges
from dlcot_ray.evaluation.dropping import Dropped
from dlcot_ray.evaluation.metrics.agreement import harmonic_mean, ratio
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

Mask = NDArray[np.bool_]

LOST_SHARE = 0.1
"""Share of a check that may go, such as its announcement, before the check counts as lost."""


def score(
    cases: Sequence[DroppedCase],
    annotations: Mapping[str, Annotation],
    drops: Mapping[str, Dropped],
    judge: str,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Compare what is dropped with what the reader would drop.

    Args:
        cases: the reader's.
        annotations: by trace id, for segment numbers.
        drops: by trace id.
        judge: what drops, for the tables.
        rounds, seed: of the bootstrap.
    """
    own = [tally(case, drops[case.trace.trace_id].ranges) for case in cases]
    rows = [summarise(judge, own, MEASURES, rounds=rounds, seed=seed)]
    for name, ranges in (
        ("nothing", [() for _ in cases]),
        ("all behind the answer", [_behind(case) for case in cases]),
    ):
        tallies = [tally(case, found) for case, found in zip(cases, ranges, strict=True)]
        rows.append(summarise(name, tallies, MEASURES, rounds=0))
    bad = [
        _bad(case, annotations[case.trace.trace_id], drops[case.trace.trace_id], counts)
        for case, counts in zip(cases, own, strict=True)
    ]
    table = Table("dropped text", tuple(rows))
    return Scores("dropped", len(cases), (table,), worst_first(bad), tuple(_notes(cases, own)))


def tally(case: DroppedCase, found: Ranges) -> Tally:
    """The counts of one trace, in characters."""
    length = len(case.trace.reasoning)
    ours, theirs, second = (mask(r, length) for r in (case.drop, found, case.second_methods))
    harm = int((mask(case.needed, length) & theirs).sum())
    counts = {
        **_overlap("", ours, theirs),
        **_overlap("free.", ours & ~second, theirs & ~second),
        "traces": 1.0,
        "harm": float(harm),
        "harmed": float(harm > 0),
    }
    if case.affirmations:
        lost = [float(theirs[start:stop].mean()) for start, stop in case.affirmations]
        counts |= {"checked": 1.0, "check_kept": float(min(lost) <= LOST_SHARE)}
    if case.answered is not None and case.trace.reasoning[case.answered :].strip():
        counts |= {"answered": 1.0, "cut": float(theirs.mean()), "cut_by_reader": float(ours.mean())}
    return counts


def mask(ranges: Ranges, length: int) -> Mask:
    """Ranges of characters as one truth value per character."""
    found = np.zeros(length, np.bool_)
    for start, stop in ranges:
        found[start:stop] = True
    return found


def _overlap(prefix: str, ours: Mask, theirs: Mask) -> dict[str, float]:
    both, one, other = (float(m.sum()) for m in (ours & theirs, ours, theirs))
    return {
        f"{prefix}both": both,
        f"{prefix}reader": one,
        f"{prefix}found": other,
        f"{prefix}f1": 2 * both / (one + other) if one + other else 1.0,
    }


def _behind(case: DroppedCase) -> Ranges:
    length = len(case.trace.reasoning)
    return () if case.answered is None or case.answered >= length else ((case.answered, length),)


def _precision(s: Sums, prefix: str = "") -> np.ndarray:
    return ratio(s[f"{prefix}both"], s[f"{prefix}found"])


def _recall(s: Sums, prefix: str = "") -> np.ndarray:
    return ratio(s[f"{prefix}both"], s[f"{prefix}reader"])


def _f1(s: Sums, prefix: str = "") -> np.ndarray:
    return harmonic_mean(np.nan_to_num(_precision(s, prefix)), np.nan_to_num(_recall(s, prefix)))


MEASURES = (
    Measure("mean_f1", lambda s: ratio(s["f1"], s["traces"])),
    Measure("f1", _f1),
    Measure("precision", _precision),
    Measure("recall", _recall),
    Measure("unharmed", lambda s: 1 - ratio(s["harmed"], s["traces"])),
    Measure("harm", lambda s: s["harm"], higher=False, whole=True),
    Measure("mean_f1_second_methods_free", lambda s: ratio(s["free.f1"], s["traces"])),
    Measure("f1_second_methods_free", lambda s: _f1(s, "free.")),
    Measure("check_kept", lambda s: ratio(s["check_kept"], s["checked"])),
    Measure("cut", lambda s: ratio(s["cut"], s["answered"])),
    Measure("cut_by_reader", lambda s: ratio(s["cut_by_reader"], s["answered"])),
)


def _notes(cases: Sequence[DroppedCase], tallies: Sequence[Tally]) -> Sequence[str]:
    pairs = list(zip(cases, tallies, strict=True))
    reader, found = (sum(int(t[name]) for t in tallies) for name in ("reader", "found"))
    answered, checked = (sum(int(t.get(name, 0)) for t in tallies) for name in ("answered", "checked"))
    harmed = [f"{case.trace.trace_id} ({t['harm']:.0f})" for case, t in pairs if t["harm"]]
    lost = [case.trace.trace_id for case, t in pairs if t.get("check_kept", 1.0) == 0]
    return (
        f"the human drops {reader:,} characters, the judge {found:,}",
        f"needed characters dropped: {', '.join(harmed) or 'none'}",
        f"check_kept: of {checked} traces with an affirming check; none left in: {', '.join(lost) or 'none'}",
        f"cut: mean share of the characters, of {answered} traces with text behind the answer",
        "second_methods_free: a second way to the answer may stay or go",
    )


def _bad(case: DroppedCase, annotation: Annotation, dropped: Dropped, counts: Tally) -> BadCase:
    """The segments that the two treat differently; a trace that loses needed text comes first."""
    length, offsets = len(case.trace.reasoning), annotation.segment_offsets
    ours, theirs = mask(case.drop, length), mask(dropped.ranges, length)
    needed = mask(case.needed, length) & theirs
    places = np.flatnonzero(needed if needed.any() else ours != theirs)
    start = stop = 0
    if len(places):
        first, last = int(places[0]), int(places[-1])
        start, stop = (int(np.searchsorted(offsets, p, side="right")) for p in (first, last))
        start -= 1
    what = (
        f"F1 {counts['f1']:.2f}: the judge drops {counts['found']:,.0f} characters, the human "
        f"{counts['reader']:,.0f}, both {counts['both']:,.0f}"
    )
    if counts["harm"]:
        what = f"{counts['harm']:,.0f} needed characters dropped; {what}"
    if dropped.outcome:
        what += f" ({dropped.outcome})"
    text = case.trace.reasoning[offsets[start] : offsets[stop]]
    return BadCase(case.trace.trace_id, 1 - counts["f1"] + (counts["harm"] > 0), start, stop, what, text)
