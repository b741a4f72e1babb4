"""Train the weights of the learned judge from labelled traces, and cross-validate them.

    pip install 'dlcot-ray[network]'
    python scripts/train_structure.py TRACES [output=FILE] [folds=8] [apart=problem] [network=true]

TRACES is a folder of Parquet shards with the traces that `LABELS` label. First every trace is judged by
weights that were trained without its problem, and the figures of these judgements are printed beside those of
the rules, with the gap between confidence and the share that was right. With apart=teacher the weights have
seen no trace of its family of teachers either, and the figures are printed by family. Then weights are
trained on all of them, calibrated on the judgements of the folds, and written to `output` (nothing without
it). This makes the weights that the package ships. network=false trains the chain alone, in a tenth of the
time.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dlcot_ray.core.annotation import Annotation, Section, SectionKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.calibration import calibration_error
from dlcot_ray.evaluation.cases import Case as Labelled
from dlcot_ray.evaluation.dropping import drops_of_policy
from dlcot_ray.evaluation.evaluate import Options, dropped_traces_of, score_cases
from dlcot_ray.evaluation.rows import Context
from dlcot_ray.evaluation.scores import Graded
from dlcot_ray.evaluation.trace_labels import read_trace_labels
from dlcot_ray.inputs.label_files import read_traces
from dlcot_ray.judging.equivalence import AnswerChecker
from dlcot_ray.judging.findings import Findings, find
from dlcot_ray.judging.learned.features import Features
from dlcot_ray.judging.learned.judge import case_of, judged
from dlcot_ray.judging.learned.results import LABELS as RESULT_LABELS
from dlcot_ray.judging.learned.results import Results
from dlcot_ray.judging.learned.states import path_of_labels
from dlcot_ray.judging.learned.sureness import calibrated, fit_line
from dlcot_ray.judging.learned.training.chain import Case, Rows, fit
from dlcot_ray.judging.learned.training.network import fit_network
from dlcot_ray.judging.learned.training.preparing import (
    Prepared,
    Sureness,
    calibrate,
    dropped_segments,
    prepared_of,
    sureness_of,
)
from dlcot_ray.judging.learned.weights import Weights, save
from dlcot_ray.judging.rules.judge import annotate

_LABELS = Path(__file__).resolve().parents[1] / "tests" / "labels"
GOLD = _LABELS / "gold" / "development.jsonl"
FRESH = _LABELS / "gold" / "fresh.jsonl"
LATER = _LABELS / "gold" / "later.jsonl"
NEXT = _LABELS / "gold" / "next.jsonl"
OUTSIDE = _LABELS / "gold" / "outside.jsonl"
WHOLE = (GOLD, FRESH, LATER, NEXT, OUTSIDE)
LABELS = (*WHOLE, _LABELS / "training" / "structure.jsonl")
LEFT_OUT = ("source", "teacher", "annotator", "method_names", "second_methods")
FIGURES = (
    "sections.kappa",
    "boundary.f1",
    "boundary.f1_within",
    "label.accuracy",
    "label.incorrect_found",
    "check.f1",
    "check.f1_within",
    "check_kind.accuracy",
    "arrival.within",
    "dropped.f1",
    "dropped.mean_f1",
    "dropped.harm",
)
STRUCTURE = ("segments", "sections", "approaches", "verifications")
"""Columns of a label file that says nothing of answers and drops."""


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
        by_teacher = options.get("apart", "problem") == "teacher"
        network = options.get("network", "true") == "true"
        folds = int(options.get("folds", "8"))
        parts = [_family(r) if by_teacher else str(_fold(r.trace, folds)) for r in readings]
        found, seen = _cross_validated(readings, parts, network=network)
        for name in (path.stem for path in LABELS):
            _compare(name, [r for r in readings if r.set == name], found, checker)
        for family in sorted(set(parts)) if by_teacher else ():
            own = [
                r
                for r, part in zip(readings, parts, strict=True)
                if part == family and r.set in {path.stem for path in WHOLE}
            ]
            _compare(family, own, found, checker)
        for kind, gap in _gaps(seen).items():
            print(f"gap of confidence, {kind}: {gap:.3f}")
    sureness = _joined(seen)
    if "output" in options:
        weights = calibrate(_fit([_prepared(reading).rows for reading in readings], network), sureness)
        save(weights, Path(options["output"]))
        print(f"{len(readings)} traces -> {options['output']} ({weights.fingerprint})")
    return 0


def _fit(cases: Sequence[Rows], network: bool) -> Weights:
    weights = fit(cases)
    return replace(weights, network=fit_network(cases)) if network else weights


def _readings(traces: dict[str, Trace], checker: AnswerChecker) -> Iterator[Reading]:
    for path in LABELS:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        # Whoever has the development traces need not have those of other collections.
        there = [row for row in rows if path != OUTSIDE or row["id"] in traces]
        if len(there) < len(rows):
            print(f"{path.name}: {len(rows) - len(there)} of {len(rows)} traces are not there, left out")
        for row in there:
            trace = traces[row["id"]]
            found = find(trace, checker)
            if len(found.segments) != row["segments"]:
                raise SystemExit(f"{row['id']} has other segments than its labels: label it again")
            features, drops = case_of(found, trace.problem), _drops(row, found.offsets)
            case = Case(features, _path(row), drops, _results(row))
            yield Reading(trace, row, path.stem, found, case)


def _path(row: dict[str, Any]) -> tuple[int, ...]:
    sections = [Section(SectionKind(item["kind"]), item["start"], item["stop"]) for item in row["sections"]]
    starts = [{item["start"] for item in row[name]} for name in ("approaches", "verifications")]
    path = path_of_labels(sections, *starts)
    if path is None:
        raise SystemExit(f"{row['id']} has sections in no legal order: label it again")
    return tuple(path)


def _drops(row: dict[str, Any], offsets: Sequence[int]) -> tuple[bool, ...] | None:
    """Whether the reader dropped each segment; None where the labels say nothing of it."""
    if "drop" not in row:
        return None
    ranges = [(offsets[item["start"]], offsets[item["stop"]]) for item in row["drop"]]
    ranges += [(item["start"], item["stop"]) for item in row["drop_chars"]]
    return dropped_segments(offsets, tuple(ranges))


def _results(row: dict[str, Any]) -> Results | None:
    """Where the reader saw the right answer first, and what each approach ends on; None without that."""
    if "first_correct_segment" not in row:
        return None
    places = {label.value: place for place, label in enumerate(RESULT_LABELS)}
    labelled = [item for item in row["approaches"] if item.get("label") is not None]
    ends = tuple((item["stop"] - 1, places[item["label"]]) for item in labelled)
    return Results(row["first_correct_segment"], ends)


def _prepared(reading: Reading) -> Prepared:
    return prepared_of(reading.found.offsets, reading.case)


def _cross_validated(
    readings: Sequence[Reading], parts: Sequence[str], *, network: bool
) -> tuple[dict[str, Annotation], list[Sureness]]:
    """Each trace as it is judged by weights that saw neither its part nor its problem.

    Returns the annotations by id, and how sure and how right the weights were, for each part.
    """
    prepared = [_prepared(reading) for reading in readings]
    problems = [_problem(reading.trace) for reading in readings]
    found: dict[str, Annotation] = {}
    seen: list[Sureness] = []
    for part in sorted(set(parts)):
        held = {problem for problem, own in zip(problems, parts, strict=True) if own == part}
        used = [own != part and problem not in held for problem, own in zip(problems, parts, strict=True)]
        weights = _fit([item.rows for item in itertools.compress(prepared, used)], network)
        mine = [own == part for own in parts]
        seen.append(sureness_of(weights, list(itertools.compress(prepared, mine))))
        for reading in itertools.compress(readings, mine):
            found[reading.trace.trace_id] = _judged(reading, reading.case.features, weights)
    return found, seen


def _gaps(seen: Sequence[Sureness]) -> dict[str, float]:
    """The calibration error of each kind, each part by the calibration that fits the others."""
    gaps = {}
    for kind in ("sections", "openings", "drops", "labels"):
        marks = []
        for part in seen:
            others = [pair for other in seen if other is not part for pair in getattr(other, kind)]
            line = fit_line(*zip(*others, strict=True))
            marks += [Graded("", calibrated(sure, line), 0.0, right) for sure, right in getattr(part, kind)]
        gaps[kind] = calibration_error(marks)
    return gaps


def _joined(parts: Sequence[Sureness]) -> Sureness:
    return Sureness(
        tuple(itertools.chain.from_iterable(part.sections for part in parts)),
        tuple(itertools.chain.from_iterable(part.openings for part in parts)),
        tuple(itertools.chain.from_iterable(part.drops for part in parts)),
        tuple(itertools.chain.from_iterable(part.labels for part in parts)),
    )


def _problem(trace: Trace) -> str:
    return " ".join(trace.problem.lower().split())


def _fold(trace: Trace, folds: int) -> int:
    """All traces of one problem are in one fold."""
    return hashlib.blake2b(_problem(trace).encode()).digest()[0] % folds


def _family(reading: Reading) -> str:
    """The first word of the teacher's name."""
    return re.split("[^A-Za-z]", reading.row["teacher"], maxsplit=1)[0]


def _judged(reading: Reading, features: Features, weights: Weights) -> Annotation:
    return judged(reading.trace, reading.found, features, weights, "learned")


def _compare(
    name: str, readings: Sequence[Reading], annotations: dict[str, Annotation], checker: AnswerChecker
) -> None:
    """Print the figures of the rules and of the learned judge on the traces that were read whole."""
    whole = [r for r in readings if len(r.case.states) == len(r.found.segments)]
    by_rules = {r.trace.trace_id: annotate(r.trace, r.found, "rules") for r in whole}
    print(f"{name}: {len(whole)} traces")
    _print("rules", whole, by_rules, checker)
    _print("learned", whole, annotations, checker)


def _print(
    judge: str, readings: Sequence[Reading], annotations: dict[str, Annotation], checker: AnswerChecker
) -> None:
    context = Context({reading.trace.trace_id: reading.trace for reading in readings})
    cases: list[Labelled] = []
    for number, reading in enumerate(readings):
        columns = STRUCTURE if "drop" not in reading.row else tuple(reading.row)
        row = {name: reading.row[name] for name in ("id", *columns) if name not in LEFT_OUT}
        # Some readings leave open how a check ends; then only where it begins is compared.
        row["verifications"] = [{"kind": "check", **item} for item in reading.row["verifications"]]
        cases.extend(read_trace_labels(row, number, context))
    options = Options(rounds=0)
    drops = drops_of_policy(dropped_traces_of(cases), annotations, options.policy)
    scores = score_cases(
        cases, annotations, judge, drops=drops, comparer=None, checker=checker, options=options
    )
    figures = {
        f"{score.kind}.{metric.name}": metric.value
        for score in scores
        for metric in score.tables[0].rows[0].metrics
    }
    print(f"  {judge:8}", "  ".join(f"{name} {figures[name]:.3f}" for name in FIGURES if name in figures))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
