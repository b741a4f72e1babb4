"""Sections against human segmentations (DLCoT step 1).

In: human spans and annotations. Out: scores. Boundaries alone prove nothing: a sentence splitter agrees with
people about as well as they do with each other. So sections are compared character by character, by Cohen's
kappa, which gives "explore everywhere" nothing. Restatement and understanding are one class: annotators of
reasoning traces call both a problem's setup.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dlcot_ray.core.annotation import Annotation, JudgeStep, SectionKind
from dlcot_ray.evaluation.calibration import graded
from dlcot_ray.evaluation.cases import SegmentationCase
from dlcot_ray.evaluation.metrics.agreement import (
    accuracy,
    class_f1,
    cohen_kappa,
    harmonic_mean,
    one_against_rest,
    ratio,
)
from dlcot_ray.evaluation.metrics.boundaries import matched, p_k, window_diff
from dlcot_ray.evaluation.scores import (
    BadCase,
    Measure,
    Row,
    Scores,
    Sums,
    Table,
    Tally,
    summarise,
    worst_first,
)

SETUP, EXPLORE, VERIFY, CONCLUSION = CLASSES = ("setup", "explore", "verify", "conclusion")

CLASS_OF_SECTION = {
    SectionKind.QUESTION_REPEAT: SETUP,
    SectionKind.PROBLEM_UNDERSTAND: SETUP,
    SectionKind.SOLUTION_EXPLORE: EXPLORE,
    SectionKind.VERIFY: VERIFY,
    SectionKind.CONCLUSION: CONCLUSION,
}

TOLERANCE = 3
"""Tolerance of a boundary in characters: annotators put a space at the end or at the beginning."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=\S)|\n\s*")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(frozen=True, slots=True)
class Segmented:
    """One segmentation of a text: a class per character (index into `CLASSES`), and where segments begin."""

    classes: np.ndarray
    segments: tuple[int, ...]

    @property
    def sections(self) -> tuple[int, ...]:
        """Where the class changes."""
        return tuple(int(p) + 1 for p in np.flatnonzero(np.diff(self.classes)))


def score(
    cases: Sequence[SegmentationCase],
    annotations: Mapping[str, Annotation],
    judge: str,
    *,
    tolerance: int = TOLERANCE,
    rounds: int,
    seed: int,
) -> Scores:
    """Compare a judge's sections with every annotator's, beside what people and simple splitters reach."""
    humans = {(case.trace.trace_id, case.annotator): of_case(case) for case in cases}
    judged = {case.trace.trace_id: of_annotation(annotations[case.trace.trace_id]) for case in cases}
    annotators = sorted({case.annotator for case in cases})
    splitters: dict[str, Callable[[str], tuple[int, ...]]] = {
        "explore everywhere": lambda text: (),
        "sentences": lambda text: _cuts(_SENTENCE, text),
        "blank lines": lambda text: _cuts(_BLANK_LINE, text),
    }

    def row(name: str, pairs: Sequence[tuple[SegmentationCase, Segmented]]) -> Row:
        tallies = [tally(humans[c.trace.trace_id, c.annotator], other, tolerance) for c, other in pairs]
        groups = [c.trace.trace_id for c, _ in pairs]
        return summarise(name, tallies, MEASURES, groups=groups, rounds=rounds, seed=seed)

    def table(title: str, chosen: Sequence[SegmentationCase]) -> Table:
        rows = [row(judge, [(c, judged[c.trace.trace_id]) for c in chosen])]
        between = [
            (c, humans[c.trace.trace_id, other])
            for c in chosen
            for other in annotators
            if other != c.annotator and (c.trace.trace_id, other) in humans
        ]
        if between:
            rows.append(row("another human", between))
        for name, cuts in splitters.items():
            plain = [(c, _explore(c.trace.reasoning, cuts(c.trace.reasoning))) for c in chosen]
            rows.append(row(name, plain))
        return Table(title, tuple(rows))

    tables = [table("all annotators", cases)]
    if len(humans) > len(judged):
        tables += [table(f"annotator {a}", [c for c in cases if c.annotator == a]) for a in annotators]
    bad = [
        _bad(case, humans[case.trace.trace_id, case.annotator], judged[case.trace.trace_id], annotations)
        for case in cases
    ]
    marks = []
    for case in cases:
        name = case.trace.trace_id
        share = float((humans[name, case.annotator].classes == judged[name].classes).mean())
        marks.append(graded(f"{name}/{case.annotator}", annotations[name], JudgeStep.MACRO, share))
    return Scores("segmentation", len(cases), tuple(tables), worst_first(bad), graded=tuple(marks))


def of_case(case: SegmentationCase) -> Segmented:
    """An annotator's segmentation; a gap belongs to the segment before it."""
    length = len(case.trace.reasoning)
    classes = np.full(length, CLASSES.index(EXPLORE), np.int8)
    starts = [start for start, _, _ in case.spans]
    for (start, _, name), stop in zip(case.spans, [*starts[1:], length], strict=True):
        classes[start:stop] = CLASSES.index(name)
    if case.spans:
        classes[: starts[0]] = CLASSES.index(case.spans[0][2])
    return Segmented(classes, tuple(sorted({s for s in starts if 0 < s < length})))


def of_annotation(annotation: Annotation) -> Segmented:
    """A judge's sections; its segments are the segments, between which every section begins."""
    offsets = annotation.segment_offsets
    classes = np.full(offsets[-1], CLASSES.index(EXPLORE), np.int8)
    for section in annotation.sections:
        index = CLASSES.index(CLASS_OF_SECTION[section.kind])
        classes[offsets[section.start] : offsets[section.stop]] = index
    return Segmented(classes, tuple(offsets[1:-1]))


def tally(human: Segmented, other: Segmented, tolerance: int) -> Tally:
    """The counts of one text, from which the figures are computed."""
    length, k = len(human.classes), len(CLASSES)
    joint = np.bincount(human.classes.astype(int) * k + other.classes, minlength=k * k).reshape(k, k)
    counts: dict[str, float] = {
        f"{one}>{two}": float(joint[i, j]) for i, one in enumerate(CLASSES) for j, two in enumerate(CLASSES)
    }
    for level, ours, theirs in (
        ("segment", human.segments, other.segments),
        ("section", human.sections, other.sections),
    ):
        counts[f"{level}.matched"] = matched(ours, theirs, tolerance)
        counts[f"{level}.actual"], counts[f"{level}.found"] = len(ours), len(theirs)
    counts["wd"], counts["windows"] = window_diff(human.sections, other.sections, length)
    counts["pk"], _ = p_k(human.sections, other.sections, length)
    return counts


def _boundary(level: str, figure: str) -> Measure:
    def of(s: Sums) -> np.ndarray:
        hits = s[f"{level}.matched"]
        precision, recall = ratio(hits, s[f"{level}.found"]), ratio(hits, s[f"{level}.actual"])
        if figure == "f1":
            return harmonic_mean(np.nan_to_num(precision), np.nan_to_num(recall))
        return precision if figure == "precision" else recall

    return Measure(f"{level}_{figure}", of)


def _class_kappa(index: int) -> Measure:
    name = f"kappa_{CLASSES[index]}"
    return Measure(name, lambda s: cohen_kappa(one_against_rest(s.confusion(CLASSES), index)))


def _class_f1(index: int) -> Measure:
    return Measure(f"f1_{CLASSES[index]}", lambda s: class_f1(s.confusion(CLASSES), index))


MEASURES = (
    Measure("agreement", lambda s: accuracy(s.confusion(CLASSES))),
    Measure("kappa", lambda s: cohen_kappa(s.confusion(CLASSES))),
    *(_class_kappa(index) for index in range(len(CLASSES))),
    *(_class_f1(index) for index in range(len(CLASSES))),
    *(_boundary(level, f) for level in ("segment", "section") for f in ("precision", "recall", "f1")),
    Measure("window_diff", lambda s: ratio(s["wd"], s["windows"]), higher=False),
    Measure("pk", lambda s: ratio(s["pk"], s["windows"]), higher=False),
)


def _cuts(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    return tuple(m.end() for m in pattern.finditer(text) if 0 < m.end() < len(text))


def _explore(text: str, segments: Sequence[int]) -> Segmented:
    return Segmented(np.full(len(text), CLASSES.index(EXPLORE), np.int8), tuple(segments))


def _bad(
    case: SegmentationCase, human: Segmented, judged: Segmented, annotations: Mapping[str, Annotation]
) -> BadCase:
    """The longest run of segments on which the two differ."""
    offsets = annotations[case.trace.trace_id].segment_offsets
    wrong = human.classes != judged.classes
    shares = [bool(wrong[a:b].mean() > 0.5) for a, b in itertools.pairwise(offsets)]
    best, start = (0, 0), None
    for index, differs in enumerate([*shares, False]):
        if differs and start is None:
            start = index
        elif not differs and start is not None:
            best, start = max(best, (start, index), key=lambda run: offsets[run[1]] - offsets[run[0]]), None
    first, stop = best
    passage = slice(offsets[first], offsets[stop])
    what = f"annotator {case.annotator}: {wrong.mean():.0%} of the characters differ"
    if stop > first:
        ours, theirs = (CLASSES[np.bincount(c.classes[passage]).argmax()] for c in (judged, human))
        what += f"; longest: {ours}, the human says {theirs}"
    return BadCase(case.trace.trace_id, float(wrong.mean()), first, stop, what, case.trace.reasoning[passage])
