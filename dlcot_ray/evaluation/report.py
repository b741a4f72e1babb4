"""Writes the figures of an evaluation as plain JSON types and as Markdown.

In: an `EvaluationReport`. Out: JSON types or text. Neither holds a word of the label sets: cases are named by
id and segment range, so a report can be published where its data cannot. The text of the worst cases is a
document of its own (`worst_to_markdown`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dlcot_ray.evaluation.calibration import calibration_error, reliability, share_curve
from dlcot_ray.evaluation.scores import BadCase, Metric, Scores, Table

FORMAT = 1


@dataclass(frozen=True, slots=True)
class SetScores:
    """Scores on one label set; `digest` identifies its content."""

    name: str
    layout: str
    digest: str
    scores: Scores


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """An evaluation.

    Attributes:
        judge: the judge's identity.
        settings: the other settings on which the figures depend.
        sets: in the order given; a set with several kinds of labels occurs once per kind.
        failed: traces that could not be judged; they are scored without an annotation.
        seconds: the time that judging took.
        worst: how many of the worst cases are listed.
        left_out: files and rows that could not be used.
        side_by_side: both labellings of whole traces as Markdown; empty if there are none.
    """

    judge: str
    settings: Mapping[str, Any]
    sets: tuple[SetScores, ...]
    failed: Mapping[str, str]
    traces: int
    seconds: float
    worst: int
    left_out: tuple[str, ...] = ()
    side_by_side: str = ""

    @property
    def fingerprint(self) -> str:
        """32 hex digits over the judge's identity: equal ones gave their answers in the same way."""
        return blake2b(self.judge.encode(), digest_size=16).hexdigest()


def to_json(report: EvaluationReport) -> dict[str, Any]:
    """Plain JSON types; figures that are not defined are null."""
    return {
        "format": FORMAT,
        "judge": report.judge,
        "judge_fingerprint": report.fingerprint,
        "settings": dict(report.settings),
        "traces": report.traces,
        "seconds": round(report.seconds, 1),
        "failed": dict(report.failed),
        "left_out": list(report.left_out),
        "sets": [
            {
                "set": item.name,
                "layout": item.layout,
                "digest": item.digest,
                "kind": item.scores.kind,
                "cases": item.scores.cases,
                "figures": {
                    name: None if math.isnan(value) else round(value, 6)
                    for name, value in item.scores.headline().items()
                },
                "tables": [_table_to_json(table) for table in item.scores.tables],
                "notes": list(item.scores.notes),
                "curves": {name: list(points) for name, points in item.scores.curves.items()},
                "calibration": _calibration(item.scores),
                "wrong": len(item.scores.bad),
                "worst": [_bad_to_json(bad) for bad in item.scores.bad[: report.worst]],
            }
            for item in report.sets
        ],
    }


def to_markdown(report: EvaluationReport) -> str:
    """Tables with 95 % intervals, notes and the worst cases by id."""
    lines = [
        "# Evaluation",
        "",
        f"Judge `{report.judge}`, fingerprint `{report.fingerprint}`; {report.traces:,} traces judged, "
        f"{len(report.failed)} of them failed. In brackets: 95 % bootstrap intervals over cases.",
    ]
    lines += ["", *(f"Left out: {line}." for line in report.left_out)] if report.left_out else []
    for item in report.sets:
        lines += ["", f"## {item.name}: {item.scores.kind}", "", f"{item.scores.cases:,} cases."]
        for table in item.scores.tables:
            lines += ["", *table_to_markdown(table)]
        for note in item.scores.notes:
            lines += ["", f"{note[0].upper()}{note[1:]}."]
        for name, points in item.scores.curves.items():
            lines += ["", f"Curve: {name}.", "", *curve_to_markdown(points)]
        if item.scores.graded:
            error, points = calibration_error(item.scores.graded), reliability(item.scores.graded)
            lines += ["", f"Share right by confidence (calibration error {error:.3f}).", ""]
            lines += curve_to_markdown(points)
        if item.scores.bad:
            lines += ["", f"Worst of {len(item.scores.bad)} that are not right:", ""]
            lines += [f"- `{bad.case}`{_place(bad)}: {bad.what}" for bad in item.scores.bad[: report.worst]]
    return "\n".join(lines) + "\n"


def worst_to_markdown(report: EvaluationReport) -> str:
    """The worst cases with their text, for reading only, because label sets may not be published."""
    lines = [f"# Worst cases of `{report.judge}`"]
    for item in report.sets:
        for bad in item.scores.bad[: report.worst]:
            fence = "~~~~"
            lines += ["", f"## {item.name}, {item.scores.kind}: {bad.case}{_place(bad)}", "", bad.what]
            if bad.text:
                lines += ["", f"{fence}text", bad.text.replace(fence, "~~ ~~"), fence]
    return "\n".join(lines) + "\n"


def table_to_markdown(table: Table) -> Iterator[str]:
    """One line per figure, one column per contestant."""
    yield f"| {table.title} | {' | '.join(row.name for row in table.rows)} |"
    yield "|---|" + "---:|" * len(table.rows)
    for name, cells in figures_of(table):
        yield f"| {name} | {' | '.join(cells)} |"


def figures_of(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Figures by name with a cell per contestant, empty where it has none."""
    by_row = [{metric.name: metric for metric in row.metrics} for row in table.rows]
    for metric in table.rows[0].metrics:
        cells = [str(found[metric.name]) if metric.name in found else "" for found in by_row]
        yield (metric.name if metric.higher else f"{metric.name} (lower is better)"), cells


def curve_to_markdown(points: Sequence[Mapping[str, float]]) -> Iterator[str]:
    """A curve as a table, at most some twenty points of it."""
    names = list(points[0])
    yield f"| {' | '.join(names)} |"
    yield "|" + "---:|" * len(names)
    for point in points[:: max(1, math.ceil(len(points) / 20))]:
        yield f"| {' | '.join(_figure(point[name]) for name in names)} |"


def _calibration(scores: Scores) -> dict[str, Any] | None:
    if not scores.graded:
        return None
    return {
        "error": round(calibration_error(scores.graded), 6),
        "reliability": reliability(scores.graded),
        "sent": [
            {name: None if math.isnan(value) else round(value, 6) for name, value in point.items()}
            for point in share_curve(scores.graded)
        ],
    }


def _figure(value: float) -> str:
    return (
        "-" if math.isnan(value) else f"{value:.0f}" if value > 1 and value == int(value) else f"{value:.2f}"
    )


def _place(bad: BadCase) -> str:
    return f" [{bad.start}, {bad.stop})" if bad.stop > bad.start else ""


def _table_to_json(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "rows": [
            {"name": row.name, "metrics": {m.name: _metric_to_json(m) for m in row.metrics}}
            for row in table.rows
        ],
    }


def _metric_to_json(metric: Metric) -> dict[str, float | bool | None]:
    figures = {"value": metric.value, "low": metric.low, "high": metric.high}
    return {
        **{name: None if math.isnan(figure) else round(figure, 6) for name, figure in figures.items()},
        "higher_is_better": metric.higher,
    }


def _bad_to_json(bad: BadCase) -> dict[str, Any]:
    return {"case": bad.case, "loss": round(bad.loss, 6), "segments": [bad.start, bad.stop], "what": bad.what}
