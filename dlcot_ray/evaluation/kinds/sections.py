"""The five kinds of section, character by character (DLCoT step 1).

In: a reader's sections and annotations. Out: Cohen's kappa over the five kinds of the method, and which kind
is taken for which. `segmentation` compares the same texts in four classes, as other label sets have them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from dlcot_ray.core.annotation import Annotation, Section, SectionKind
from dlcot_ray.evaluation.cases import SectionsCase
from dlcot_ray.evaluation.metrics.agreement import accuracy, class_f1, cohen_kappa
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

KINDS = tuple(kind.value for kind in SectionKind)
_SHOWN = 8
"""Most exchanges of kinds that the note names."""


def score(
    cases: Sequence[SectionsCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    rounds: int,
    seed: int,
) -> Scores:
    """Compare a judge's sections with the reader's, per character."""
    judged = [annotations[case.trace.trace_id].sections for case in cases]
    plain = [(Section(SectionKind.SOLUTION_EXPLORE, 0, len(case.offsets) - 1),) for case in cases]
    rows = []
    for name, found in ((judge, judged), ("explore everywhere", plain)):
        tallies = [tally(case, sections) for case, sections in zip(cases, found, strict=True)]
        rows.append(summarise(name, tallies, MEASURES, rounds=rounds, seed=seed))
    bad = [_bad(case, sections) for case, sections in zip(cases, judged, strict=True)]
    notes = (_exchanges([tally(case, sections) for case, sections in zip(cases, judged, strict=True)]),)
    table = Table("five kinds of section, per character", tuple(rows))
    return Scores("sections", len(cases), (table,), worst_first(bad), notes)


def tally(case: SectionsCase, found: Sequence[Section]) -> Tally:
    """Characters of one trace by both kinds; characters that either leaves open do not count."""
    k = len(KINDS)
    lengths = np.diff(case.offsets)
    ours, theirs = _kinds(case.sections, len(lengths)), _kinds(found, len(lengths))
    both = (ours >= 0) & (theirs >= 0)
    joint = np.bincount(ours[both] * k + theirs[both], lengths[both], k * k).reshape(k, k)
    return {f"{one}>{two}": float(joint[i, j]) for i, one in enumerate(KINDS) for j, two in enumerate(KINDS)}


def _kinds(sections: Sequence[Section], count: int) -> np.ndarray:
    """The kind of every segment, as an index into `KINDS`; -1 for none."""
    kinds = np.full(count, -1, np.int64)
    for section in sections:
        kinds[section.start : section.stop] = KINDS.index(section.kind.value)
    return kinds


def _class_f1(index: int) -> Measure:
    return Measure(f"f1_{KINDS[index]}", lambda s: class_f1(s.confusion(KINDS), index))


def _kappa(s: Sums) -> np.ndarray:
    return cohen_kappa(s.confusion(KINDS))


MEASURES = (
    Measure("kappa", _kappa),
    Measure("agreement", lambda s: accuracy(s.confusion(KINDS))),
    *(_class_f1(index) for index in range(len(KINDS))),
)


def _exchanges(tallies: Sequence[Tally]) -> str:
    """Which kind is taken for which, as shares of all characters, most first."""
    total: Counter[str] = Counter()
    for one in tallies:
        total.update({key: int(n) for key, n in one.items()})
    whole = max(1, total.total())
    wrong = [(n, key) for key, n in total.items() if n and len(set(key.split(">"))) > 1]
    shown = [f"{key} {n / whole:.1%}" for n, key in sorted(wrong, key=lambda item: (-item[0], item[1]))]
    return f"human>judge, share of the characters: {', '.join(shown[:_SHOWN]) or 'no difference'}"


def _bad(case: SectionsCase, found: Sequence[Section]) -> BadCase:
    """The run of segments of the same two kinds that costs most characters."""
    count = len(case.offsets) - 1
    ours, theirs = _kinds(case.sections, count), _kinds(found, count)
    best = (0, 0, 0)
    wrong = start = 0
    for index in range(1, count + 1):
        same = index < count and (ours[index], theirs[index]) == (ours[start], theirs[start])
        if not same:
            if ours[start] != theirs[start] and ours[start] >= 0:
                length = case.offsets[index] - case.offsets[start]
                wrong += length
                best = max(best, (length, start, index))
            start = index
    _, first, stop = best
    share = wrong / max(1, case.offsets[-1])
    what = f"{share:.0%} of the characters differ"
    if stop > first:
        named = ("none" if kinds[first] < 0 else KINDS[kinds[first]] for kinds in (theirs, ours))
        what += "; longest: {}, the human says {}".format(*named)
    text = case.trace.reasoning[case.offsets[first] : case.offsets[stop]]
    return BadCase(case.trace.trace_id, share, first, stop, what, text)
