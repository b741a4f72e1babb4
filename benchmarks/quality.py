"""How good the rules judge is against people, and what a second judge has to reach in `cascade`.

    python benchmarks/quality.py LABELS [TRACES] [JUDGE key=value ...]

LABELS is a directory of label sets (docs/quality.md), or `gold`; TRACES the traces that some of them refer to
by id; JUDGE the second judge of a cascade (a name in conf/judge/, with its judge_options). Prints the tables
of docs/quality.md. With a second judge only a sample of every set is judged, by both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dlcot_ray.evaluation.calibration import calibration_error, reliability, share_curve
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.report import SetScores, curve_to_markdown, table_to_markdown
from dlcot_ray.evaluation.scores import Scores
from dlcot_ray.job.config import load_evaluate, load_judge
from dlcot_ray.job.judge_pool import Place
from dlcot_ray.job.labelled import LabelSet, read_sets, read_traces, resolve_places
from dlcot_ray.job.scoring import score_sets

OWN_LABELS = Path(__file__).resolve().parents[1] / "tests" / "labels"
"""Labels of the project on traces that are not its own."""

SAMPLE = 24
"""Rows of each set that a second judge is asked about."""

ACCURACIES = (0.5, 0.7, 0.8, 0.9)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
LEAST_CASES = 20


def read(labels: str, traces: str | None, limit: int | None) -> list[LabelSet]:
    own = [str(OWN_LABELS)] if traces else []
    places, trace_places = resolve_places(["gold", *own, *([labels] if labels != "gold" else [])], traces)
    found = read_traces(trace_places, "auto", {}) if trace_places else {}
    return read_sets(places, found, {}, limit)[0]


def headlines(scored: Sequence[SetScores]) -> Iterator[str]:
    """The judge's first figures on every set, beside the best row that needs no judge."""
    yield "| set | kind | cases | figure | rules | best without skill | people |"
    yield "|---|---|---:|---|---:|---:|---:|"
    for item in scored:
        scores = item.scores
        own, *others = scores.tables[0].rows
        for index in (0, 1) if scores.kind == "methods" else (1,) if scores.kind == "segmentation" else (0,):
            metric = own.metrics[index]
            rest = {row.name: row.metrics[index] for row in others if index < len(row.metrics)}
            human = rest.pop("another human", None)
            skill = [m.value for name, m in rest.items() if "whole traces" not in name]
            best = max((value for value in skill if value == value), default=float("nan"))
            yield (
                f"| {item.name} | {scores.kind} | {scores.cases:,} | {metric.name} | {metric} | "
                f"{'' if best != best else f'{best:.3f}'} | {'' if human is None else f'{human.value:.3f}'} |"
            )


def calibration(scored: Sequence[SetScores]) -> Iterator[str]:
    """Cases and share right by confidence, where a set has enough of them."""
    yield "| set | kind | confidence: share right (cases) | calibration error |"
    yield "|---|---|---|---:|"
    for item in _graded(scored):
        marks = item.scores.graded
        bins = ", ".join(
            f"{p['confidence']:.2f}: {p['right']:.2f} ({p['cases']:.0f})" for p in reliability(marks)
        )
        yield f"| {item.name} | {item.scores.kind} | {bins} | {calibration_error(marks):.3f} |"


def cascades(scored: Sequence[SetScores], second: Sequence[SetScores]) -> Iterator[str]:
    """Quality against the share sent, with imagined second judges and the real one."""
    answers = {(item.name, item.scores.kind): item.scores for item in second}
    for item in _graded(scored):
        key = item.name, item.scores.kind
        other = {g.case: g.score for g in answers[key].graded} if key in answers else None
        curve = share_curve(item.scores.graded, ACCURACIES, other, SHARES)
        yield f"\n{item.name}, {item.scores.kind} ({len(item.scores.graded)} cases):\n"
        yield from curve_to_markdown(curve)


def _graded(scored: Sequence[SetScores]) -> Iterator[SetScores]:
    for item in scored:
        if len(item.scores.graded) >= LEAST_CASES:
            yield item


def details(scores: Scores) -> Iterator[str]:
    for table in scores.tables:
        yield ""
        yield from table_to_markdown(table)
    for note in scores.notes:
        yield f"\n{note}."
    for name, points in scores.curves.items():
        yield f"\nCurve: {name}.\n"
        yield from curve_to_markdown(points)


def main(labels: str = "gold", *words: str) -> None:
    rest = list(words)
    traces = rest.pop(0) if rest and ("/" in rest[0] or "." in rest[0]) and "=" not in rest[0] else None
    second_name = rest.pop(0) if rest else None
    sets = read(labels, traces, SAMPLE if second_name else None)
    rules = load_judge("rules", {})
    identity, judged, scored = score_sets(sets, rules, Place("here"), Options())
    second: list[SetScores] = []
    print(f"`{identity}`, {len(judged.annotations):,} traces in {judged.seconds:.1f} s\n")
    print(*headlines(scored), sep="\n")
    if second_name:
        config = load_evaluate([f"judge={second_name}", *rest])
        judge = load_judge(config.judge, config.judge_options)
        name, answered, second = score_sets(sets, judge, Place("here"), Options())
        print(f"\nSecond judge `{name}`, {answered.seconds:.0f} s, {len(answered.failed)} failed\n")
        print(*headlines(second), sep="\n")
    print()
    print(*calibration(scored), sep="\n")
    print(*cascades(scored, second), sep="\n")
    if not second_name:
        for item in scored:
            print(f"\n### {item.name}: {item.scores.kind}")
            print(*details(item.scores), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
