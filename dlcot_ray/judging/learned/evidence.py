"""What can be computed about each segment: what it states, what is new in it, what stands before it.

In: the findings of a trace. Out: arrays of zeros and ones, one row a segment. The most telling sign of a
check is that the value on which the trace ends, or the reference, has been stated already; the most telling
sign of work is an equation or a value that neither the problem nor the text before has.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from dlcot_ray.core.evidence.answers import AnswerForm
from dlcot_ray.judging.findings import Findings
from dlcot_ray.judging.learned.arrays import Bools, Floats, Ints, bucketed, crossed, one_hot
from dlcot_ray.judging.learned.signs import SIGNS
from dlcot_ray.judging.rules.labels import STRONG

_TERM = re.compile(r"[a-z]{3,}|\d+(?:\.\d+)?")
_NUMERAL = re.compile(r"\d+(?:\.\d+)?")
_NOT_WORD = re.compile(r"\W")

LAST_SEGMENTS = 4
LAST_ANSWERS = 3
"""The segments at the end, and the answers in them, that may be the value on which the trace ends."""

AROUND = 6
"""Segments on both sides whose vocabulary is compared."""

MOST = 3
"""Events are counted up to this number."""

_SIGNED_EVENTS = ("operation", "calculates", "first", "names", "recalls", "result", "answer")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Arrays of n rows.

    Attributes:
        rows: what a segment shows by itself.
        events: happenings that are counted (a new equation, the final value, ...).
        counts: for each event a one-hot block, how often it happened before the segment.
        phase: before, at or behind the first correct segment, or there is none.
        standing: whether an answer was stated before.
        since: how long ago, roughly.
        closing: how often the value on which the trace ends was stated before.
        before: everything else about the text before.
        begun: how much of the work had begun before.
        begins: whether work begins here.
    """

    rows: Floats
    events: Floats
    counts: Floats
    phase: Floats
    standing: Floats
    since: Floats
    closing: Floats
    before: Floats
    begun: Floats
    begins: Floats


def read_evidence(found: Findings, problem: str, signs: Floats) -> Evidence:
    """The evidence of a trace with at least one segment. `signs`: (n, s), as `signs_of` gives them."""
    segments, answers = found.segments, found.answers
    correct = np.array([hit is not None for hit in answers.correct])
    candidate = np.array(answers.candidate)
    stated = np.array([bool(of) for of in answers.stated])
    strong = np.array([any(a.form in STRONG for a in of) for of in answers.stated])
    equals = np.array([segment.count("=") for segment in segments])
    novelty = _novelty(segments, problem)
    final, outright = _final_values(found, correct)
    related = np.array([bool(re.search("[=≈≡]", segment)) for segment in segments])
    new_equation = related & novelty.has_new
    operation = signs[:, SIGNS.index("operation")] > 0
    events = np.stack(
        [
            related,
            novelty.has_new,
            novelty.has_new_large,
            new_equation,
            related & operation,
            stated,
            final,
            outright,
        ]
        + [signs[:, SIGNS.index(name)] > 0 for name in _SIGNED_EVENTS],
        axis=1,
    ).astype(float)
    counts = np.minimum(_before(events), MOST).astype(int)
    since = _since(candidate)
    begun = np.minimum(_before(events[:, [2, 3, 4, 8]]), 2).sum(axis=1).astype(int)
    closing = one_hot(counts[:, 6], MOST + 1)
    just = np.vstack([np.zeros((1, 2)), events[:-1, 6:8]]) @ [1, 2]
    first = found.first_correct_segment
    results = _results(found, correct & strong)
    return Evidence(
        rows=np.hstack(
            [
                bucketed([len(segment) for segment in segments], (40, 80, 160, 320, 640)),
                bucketed(novelty.terms, (0.05, 0.15, 0.3, 0.5, 0.7)),
                bucketed(novelty.numerals, (1, 2, 4, 8)),
                bucketed(novelty.of_problem, (0.1, 0.25, 0.4, 0.55, 0.7)),
                bucketed(equals, (1, 2, 4)),
                np.stack([correct, candidate, stated, *_punctuation(segments)], axis=1).astype(float),
                results,
            ]
        ),
        events=events,
        counts=np.hstack([one_hot(column, MOST + 1) for column in counts.T]),
        phase=one_hot(_phase(len(segments), first), 4),
        standing=one_hot((_before(candidate[:, None])[:, 0] > 0).astype(int), 2),
        since=bucketed(since, (2, 5, 15)),
        closing=closing,
        before=np.hstack(
            [
                bucketed(_before(correct[:, None])[:, 0], (1, 2, 3, 4)),
                bucketed(_before(strong[:, None])[:, 0], (1, 2, 3, 4)),
                bucketed(since, (1, 2, 3, 5, 8, 15, 30)),
                bucketed(novelty.overlap, (0.2, 0.3, 0.4, 0.5, 0.6)),
                crossed(closing, one_hot(just.astype(int), 4)),
                *_around(np.hstack([results, correct[:, None]])),
            ]
        ),
        begun=one_hot(begun, 9),
        begins=one_hot((events[:, [3, 4]] @ [1, 2]).astype(int), 4),
    )


def _results(found: Findings, outright: Bools) -> Floats:
    """(n, 5): the right answer arrives, is new, is given outright; another answer stands, or would close."""
    answers = found.answers
    others = [[text is not None for text in texts] for texts in (answers.other, answers.closing)]
    return np.stack([answers.arrived, answers.fresh, outright, *others], axis=1).astype(float)


def _around(events: Floats) -> tuple[Floats, ...]:
    """Whether each event happens once, and twice, in the rows before; and in those behind."""
    before, behind = _before(events), _before(events[::-1])[::-1]
    return tuple((counts >= least).astype(float) for counts in (before, behind) for least in (1, 2))


@dataclass(frozen=True, slots=True)
class _Novelty:
    """What is new in each segment, and how much its vocabulary goes on from what stands before."""

    terms: list[float]
    of_problem: list[float]
    numerals: list[int]
    overlap: list[float]
    has_new: Bools
    has_new_large: Bools


def _novelty(segments: Sequence[str], problem: str) -> _Novelty:
    terms = [frozenset(_TERM.findall(segment.lower())) for segment in segments]
    given = frozenset(_TERM.findall(problem.lower()))
    seen, figures = set(given), {term for term in given if term[0].isdigit()}
    written = set(figures)
    new_terms: list[float] = []
    numerals: list[int] = []
    new: list[bool] = []
    large: list[bool] = []
    for segment, own in zip(segments, terms, strict=True):
        new_terms.append(len(own - seen) / len(own) if own else 0.0)
        numbers = {term for term in own if term[0].isdigit()}
        numerals.append(len(numbers - figures))
        here = set(_NUMERAL.findall(segment))
        fresh = here - written
        new.append(bool(fresh))
        large.append(any(len(number) > 1 for number in fresh))
        seen |= own
        figures |= numbers
        written |= here
    shared = [len(own & given) / len(own) if own else 0.0 for own in terms]
    return _Novelty(new_terms, shared, numerals, _overlap(terms), np.array(new), np.array(large))


def _overlap(terms: Sequence[frozenset[str]]) -> list[float]:
    """For each segment the cosine of the vocabularies of the segments before it and from it on, 0..1."""
    # Window k holds segments [k - AROUND, k), so each union is made once and serves both sides.
    windows = [frozenset().union(*terms[max(0, stop - AROUND) : stop]) for stop in range(len(terms) + AROUND)]
    return [
        len(windows[i] & windows[i + AROUND])
        / sqrt(max(1, len(windows[i])) * max(1, len(windows[i + AROUND])))
        for i in range(len(terms))
    ]


def _final_values(found: Findings, correct: Bools) -> tuple[Bools, Bools]:
    """Which segments state the reference or a value on which the trace ends, and which state it outright."""
    tail = [
        answer.text
        for of in found.answers.stated[-LAST_SEGMENTS:]
        for answer in of
        if answer.form is not AnswerForm.EQUATION
    ]
    values = {_bare(text) for text in tail[-LAST_ANSWERS:]}
    if found.reference is not None:
        values.add(_bare(found.reference))
    values.discard("")
    sure = STRONG | {AnswerForm.CONCLUSION}
    hits = [[answer for answer in of if _bare(answer.text) in values] for of in found.answers.stated]
    outright = [any(answer.form in sure for answer in of) for of in hits]
    return np.array([bool(of) for of in hits]) | correct, np.array(outright)


def _bare(text: str) -> str:
    return _NOT_WORD.sub("", text)


def _punctuation(segments: Sequence[str]) -> tuple[Bools, Bools]:
    """Which segments ask, and which end with a colon."""
    return (
        np.array(["?" in segment for segment in segments]),
        np.array([segment.rstrip().endswith(":") for segment in segments]),
    )


def _before(events: Floats | Bools) -> Floats:
    """How often each event happened in the rows before."""
    return np.vstack([np.zeros((1, events.shape[1])), np.cumsum(events, axis=0)[:-1]])


def _since(happens: Bools) -> Ints:
    """How many rows lie between a row and the last event before it; 99 where there is none."""
    last = -100
    out = []
    for i, now in enumerate(happens):
        out.append(i - last - 1 if last >= 0 else 99)
        last = i if now else last
    return np.array(out)


def _phase(count: int, first_correct: int | None) -> Ints:
    """0 where nothing is correct; else 1 before the first correct segment, 2 in it, 3 behind it."""
    if first_correct is None:
        return np.zeros(count, dtype=np.int64)
    return np.asarray(2 + np.sign(np.arange(count) - first_correct), dtype=np.int64)
