"""Train the weights of the learned judge from labelled traces, and cross-validate them.

    pip install 'dlcot-ray[train]'
    python scripts/train_structure.py TRACES [output=FILE] [folds=8]

TRACES is a folder of Parquet shards with the traces that `LABELS` label. First every trace is judged by
weights that were trained without its problem, and the figures of these judgements are printed beside those of
the rules. Then weights are trained on all of them, calibrated on the judgements of the folds, and written to
`output` (nothing without it). This makes the weights that the package ships.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcot_ray.core.annotation import Annotation, SectionKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import Case as Labelled
from dlcot_ray.evaluation.evaluate import Options, score_cases
from dlcot_ray.evaluation.rows import Context
from dlcot_ray.evaluation.trace_labels import read_trace_labels
from dlcot_ray.inputs.label_files import read_traces
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.learned.features import Features
from dlcot_ray.judging.learned.judge import case_of, find_structure
from dlcot_ray.judging.learned.preparing import Prepared, Sureness, calibrate, sureness_of
from dlcot_ray.judging.learned.states import states_of
from dlcot_ray.judging.learned.training import Case, fit, rows_of
from dlcot_ray.judging.learned.weights import Weights, save
from dlcot_ray.judging.rules.judge import annotate, assemble
from dlcot_ray.judging.rules.runs import Run

_LABELS = Path(__file__).resolve().parents[1] / "tests" / "labels"
GOLD = _LABELS / "gold" / "development.jsonl"
LABELS = (GOLD, _LABELS / "training" / "structure.jsonl")
_HEAD = (SectionKind.QUESTION_REPEAT, SectionKind.PROBLEM_UNDERSTAND)
FIGURES = ("sections.kappa", "boundary.f1", "boundary.f1_within", "check.f1", "check.f1_within")


@dataclass(frozen=True, slots=True)
class Reading:
    """A labelled trace, ready to learn from."""

    trace: Trace
    row: dict[str, Any]
    set: str
    found: Findings
    case: Case


def main(words: Sequence[str]) -> int:
    """Cross-validate, print, and write the weights."""
    options = dict(word.split("=", 1) for word in words[1:])
    with AnswerChecker() as checker:
        readings = list(_readings(read_traces([words[0]], "auto", {}), checker))
        judged, sureness = _cross_validated(readings, int(options.get("folds", "8")))
        for name in (path.stem for path in LABELS):
            whole = [r for r in readings if r.set == name and len(r.case.states) == len(r.found.segments)]
            by_rules = {r.trace.trace_id: annotate(r.trace, r.found, "rules") for r in whole}
            print(f"{name}: {len(whole)} traces")
            _print("rules", whole, by_rules, checker)
            _print("learned", whole, judged, checker)
    if "output" in options:
        weights = calibrate(fit([_prepared(reading).rows for reading in readings]), sureness)
        save(weights, Path(options["output"]))
        print(f"{len(readings)} traces -> {options['output']} ({weights.fingerprint})")
    return 0


def _readings(traces: dict[str, Trace], checker: AnswerChecker) -> Iterator[Reading]:
    for path in LABELS:
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            trace = traces[row["id"]]
            found = find(trace, checker)
            if len(found.segments) != row["segments"]:
                raise SystemExit(f"{row['id']} has other segments than its labels: label it again")
            states = states_of(list(_runs(row)))
            yield Reading(trace, row, path.stem, found, Case(case_of(found, trace.problem), tuple(states)))


def _runs(row: dict[str, Any]) -> Iterator[Run]:
    """The reading as runs: each section, cut where an approach or a check opens in it."""
    opens = {
        SectionKind.SOLUTION_EXPLORE: {item["start"] for item in row["approaches"]},
        SectionKind.VERIFY: {item["start"] for item in row["verifications"]},
    }
    before = 0
    for section in row["sections"]:
        kind = SectionKind(section["kind"])
        # The task said or understood again in the midst of the work is part of the work, for the chain.
        rank = _HEAD.index(kind) if kind in _HEAD else len(_HEAD)
        if rank < before:
            kind, rank = SectionKind.SOLUTION_EXPLORE, len(_HEAD)
        before = rank
        inside = range(section["start"] + 1, section["stop"])
        cuts = [section["start"], *(i for i in inside if i in opens.get(kind, ())), section["stop"]]
        yield from (Run(kind, start, stop) for start, stop in itertools.pairwise(cuts))


def _prepared(reading: Reading) -> Prepared:
    count = len(reading.case.states)
    return Prepared(reading.found.offsets[: count + 1], rows_of(reading.case))


def _cross_validated(readings: Sequence[Reading], folds: int) -> tuple[dict[str, Annotation], Sureness]:
    """Each trace as it is judged by weights that never saw its problem, and how sure these weights are."""
    parts = [_fold(reading.trace, folds) for reading in readings]
    prepared = [_prepared(reading) for reading in readings]
    found: dict[str, Annotation] = {}
    seen: list[Sureness] = []
    for part in range(folds):
        weights = fit([item.rows for item, own in zip(prepared, parts, strict=True) if own != part])
        own_cases = [item for item, own in zip(prepared, parts, strict=True) if own == part]
        seen.append(sureness_of(weights, own_cases))
        for reading, own in zip(readings, parts, strict=True):
            if own == part:
                found[reading.trace.trace_id] = _judged(reading, reading.case.features, weights)
    return found, _joined(seen)


def _joined(parts: Sequence[Sureness]) -> Sureness:
    return Sureness(
        tuple(itertools.chain.from_iterable(part.sections for part in parts)),
        tuple(itertools.chain.from_iterable(part.openings for part in parts)),
    )


def _fold(trace: Trace, folds: int) -> int:
    """All traces of one problem are in one fold."""
    problem = " ".join(trace.problem.lower().split())
    return hashlib.blake2b(problem.encode()).digest()[0] % folds


def _judged(reading: Reading, features: Features, weights: Weights) -> Annotation:
    structure = find_structure(features, reading.found, weights)
    return assemble(reading.trace, reading.found, structure, "learned")


def _print(
    judge: str, readings: Sequence[Reading], annotations: dict[str, Annotation], checker: AnswerChecker
) -> None:
    context = Context({reading.trace.trace_id: reading.trace for reading in readings})
    cases: list[Labelled] = []
    for number, reading in enumerate(readings):
        row = {name: reading.row[name] for name in ("id", "segments", "sections", "approaches")}
        # Some readings leave open how a check ends; then only where it begins is compared.
        row["verifications"] = [{"kind": "check", **item} for item in reading.row["verifications"]]
        cases.extend(read_trace_labels(row, number, context))
    scores = score_cases(
        cases, annotations, judge, drops={}, comparer=None, checker=checker, options=Options(rounds=0)
    )
    figures = {name: value for score in scores for name, value in score.headline().items()}
    print(f"  {judge:8}", "  ".join(f"{name} {figures[name]:.3f}" for name in FIGURES))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
