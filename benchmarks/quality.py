"""How good the rules judge is against people, and what a second judge has to reach in `cascade`.

    python benchmarks/quality.py LABELS [TRACES] [JUDGE key=value ...]

LABELS is a directory of label sets (docs/reference/label-files.md), or `gold`. TRACES are the traces that
some of them refer to by id. JUDGE is the second judge of a cascade (a name in conf/judge/, with its
judge_options). Prints the tables of docs/reference/measured-quality.md. With a second judge
only a sample of every set is judged, by both.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.scoring import score_sets
from dlcot_ray.config.loading import load_evaluate, load_judge
from dlcot_ray.evaluation.calibration import calibration_error, reliability, share_curve
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.kinds.segmentation import CLASSES
from dlcot_ray.evaluation.report import SetScores, curve_to_markdown
from dlcot_ray.evaluation.scores import Metric, Row, Scores
from dlcot_ray.inputs.label_files import LabelSet, read_sets, read_traces, resolve_places

OWN_LABELS = Path(__file__).resolve().parents[1] / "tests" / "labels" / "first_correct.jsonl"
"""Labels of the project on traces that are not its own."""

SAMPLE = 24
"""Rows of each set that a second judge is asked about."""

HEADLINES: dict[str, Sequence[tuple[str, float | None]]] = {
    "segmentation": [("kappa", 0.34)],
    "sections": [("kappa", None)],
    "boundary": [("f1_within", None), ("f1", None)],
    "label": [("accuracy", None), ("incorrect_found", None)],
    "first_error": [
        ("f1", 0.45),
        ("accuracy_wrong", None),
        ("alarm_precision", 0.95),
        ("alarm_precision_recomputed", 0.95),
        ("alarms", None),
    ],
    "clusters": [("pair_f1", None), ("kept_apart", None)],
    "check": [("f1_within", None), ("f1", None)],
    "check_kind": [("accuracy", None)],
    "methods": [("apart", 0.8), ("merged", 0.8)],
    "equivalence": [("accuracy", 0.95), ("timeouts", None)],
    "arrival": [("within", None)],
    "dropped": [("mean_f1", None), ("f1", None), ("unharmed", None), ("check_kept", None)],
}
"""The figures of each kind that are shown, with the bar that they are held to."""

BOUNDARIES = ("segment_precision", "segment_recall", "segment_f1", "section_f1", "window_diff", "pk")
ACCURACIES = (0.5, 0.7, 0.8, 0.9)
SHARES = (0.1, 0.2, 0.3, 0.5)
LEAST_CASES = 20


def read(labels: str, traces: str | None, limit: int | None) -> list[LabelSet]:
    own = [str(OWN_LABELS)] if traces else []
    places, trace_places = resolve_places(["gold", *own, *([labels] if labels != "gold" else [])], traces)
    found = read_traces(trace_places, "auto", {}) if trace_places else {}
    return read_sets(places, found, {}, limit)[0]


def by_name(row: Row) -> Mapping[str, Metric]:
    return {metric.name: metric for metric in row.metrics}


def head(*columns: str) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|---|---|---|" + "---:|" * (len(columns) - 3)


def headlines(scored: Sequence[SetScores]) -> Iterator[str]:
    """The judge's figures, their bars, and the best that needs no skill."""
    yield from head("set", "kind", "figure", "cases", "rules", "bar", "without skill", "people")
    for item in scored:
        tables = item.scores.tables[1:] if len(item.scores.tables) > 1 else item.scores.tables
        for table in tables:
            own, *others = table.rows
            about = f", {table.title}" if len(item.scores.tables) > 1 else ""
            for name, bar in HEADLINES[item.scores.kind]:
                metric = by_name(own)[name]
                rest = {row.name: by_name(row)[name].value for row in others if name in by_name(row)}
                human = rest.pop("another human", None)
                skill = [v for who, v in rest.items() if "whole traces" not in who and v == v]
                cells = (
                    item.name,
                    item.scores.kind,
                    f"{name}{about}",
                    f"{item.scores.cases:,}",
                    f"{metric.value:.0f}" if name in ("alarms", "timeouts") else str(metric),
                    "" if bar is None else f"{bar:g}",
                    f"{max(skill):.3f}" if skill else "",
                    "" if human is None else f"{human:.3f}",
                )
                if metric.value == metric.value:
                    yield f"| {' | '.join(cells)} |"


def sections(scores: Scores) -> Iterator[str]:
    """Kappa per class against every annotator, and boundaries against all."""
    yield f"| kappa per class | {' | '.join(CLASSES)} |"
    yield "|---|" + "---:|" * len(CLASSES)
    for table in scores.tables:
        for row in table.rows[:2]:
            cells = " | ".join(str(by_name(row)[f"kappa_{name}"]) for name in CLASSES)
            if row is table.rows[0] or row.name == "another human":
                yield f"| {row.name}, {table.title} | {cells} |"
    yield f"\n| boundaries | {' | '.join(BOUNDARIES)} |"
    yield "|---|" + "---:|" * len(BOUNDARIES)
    for row in scores.tables[0].rows:
        figures = [by_name(row)[name].value for name in BOUNDARIES]
        yield f"| {row.name} | {' | '.join('-' if f != f else f'{f:.2f}' for f in figures)} |"


def methods(scores: Scores) -> Iterator[str]:
    """The shares over all thresholds, and in whole traces."""
    points = scores.curves.get("threshold", [])[::3]
    for name, digits in (("bar", 2), ("apart", 2), ("merged", 2)):
        yield f"| {name} | {' | '.join(f'{point[name]:.{digits}f}' for point in points)} |"
        if name == "bar":
            yield "|---|" + "---:|" * len(points)
    yield "\n" + ". ".join(scores.notes) + "."
    for row in scores.tables[0].rows:
        if "whole traces" in row.name:
            found = by_name(row)
            yield f"{row.name}: {found['apart']} apart, {found['merged']} merged."


def calibration(scored: Sequence[SetScores]) -> Iterator[str]:
    """Share right by confidence, and what a second judge has to reach on what is sent to it."""
    shares = [f"break-even at {share:.0%}" for share in SHARES]
    yield from head("set", "kind", "confidence: right (cases)", "calibration error", "all right", *shares)
    for item in scored:
        marks = item.scores.graded
        if len(marks) < LEAST_CASES:
            continue
        bins = ", ".join(
            f"{p['confidence']:.2f}: {p['right']:.2f} ({p['cases']:.0f})" for p in reliability(marks)
        )
        curve = share_curve(marks, shares=SHARES)
        even = " | ".join(f"{point['break_even']:.2f}" for point in curve)
        error, whole = calibration_error(marks), curve[0]["at_random"]
        yield f"| {item.name} | {item.scores.kind} | {bins} | {error:.2f} | {whole:.2f} | {even} |"


def cascades(scored: Sequence[SetScores], second: Sequence[SetScores]) -> Iterator[str]:
    """Quality by the share of traces sent to the second judge: simulated ones, and the real one."""
    answers = {(item.name, item.scores.kind): item.scores for item in second}
    for item in scored:
        other = answers.get((item.name, item.scores.kind))
        marks = item.scores.graded
        if other is not None and len(marks) >= LEAST_CASES:
            scores = {mark.case: mark.score for mark in other.graded}
            yield f"\n{item.name}, {item.scores.kind} ({len(marks)} cases):\n"
            yield from curve_to_markdown(share_curve(marks, ACCURACIES, scores))


def main(labels: str = "gold", *words: str) -> None:
    rest = list(words)
    traces = rest.pop(0) if rest and "=" not in rest[0] and Path(rest[0]).exists() else None
    second_name = rest.pop(0) if rest else None
    sets = read(labels, traces, SAMPLE if second_name else None)
    made = score_sets(sets, load_judge("rules", {}), Place("here"), Options())
    judged, scored = made.judged, made.scores
    print(f"`{made.identity}`, {len(judged.annotations):,} traces in {judged.seconds:.1f} s\n")
    print(*headlines(scored), sep="\n")
    if second_name:
        config = load_evaluate([f"judge={second_name}", *rest])
        judge = load_judge(config.judge, config.judge_options, allow_code=config.allow_code)
        other = score_sets(sets, judge, Place("here"), Options())
        answered, second = other.judged, other.scores
        print(f"\nSecond judge `{other.identity}`, {answered.seconds:.0f} s, {len(answered.failed)} failed\n")
        print(*headlines(second), sep="\n")
        print(*cascades(scored, second), sep="\n")
        return
    for item in scored:
        details = {"segmentation": sections, "methods": methods}.get(item.scores.kind)
        if details is not None:
            print(f"\n{item.name}:\n")
            print(*details(item.scores), sep="\n")
    print()
    print(*calibration(scored), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
