"""`dlcot agreement`: how far the labels of two readers agree, in every figure that `dlcot evaluate` scores.

The first reader stands in the place of people, the second one in that of a judge. Only what both labelled is
compared. Verdicts on outputs are compared where both gave them. Nothing is judged.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dlcot_ray.cluster.judge_pool import Place
from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.labelled import labelled_traces
from dlcot_ray.commands.scoring import score_reader
from dlcot_ray.config.view_settings import AgreementConfig
from dlcot_ray.errors import JobError
from dlcot_ray.evaluation.evaluate import Options
from dlcot_ray.evaluation.metrics.agreement import accuracy, cohen_kappa
from dlcot_ray.evaluation.report import EvaluationReport, figures_of, to_json
from dlcot_ray.evaluation.second_reader import READ
from dlcot_ray.inputs.label_files import (
    LabelSet,
    pooled,
    read_sets,
    read_verdicts,
    resolve_places,
)
from dlcot_ray.telemetry.console import print_report

_NAMES = ("first", "second")
_SHORT = {
    "sections": ("agreement", "characters in the same section"),
    "boundary": ("f1_within", "approaches that begin alike (F1)"),
    "label": ("accuracy", "approaches with the same label"),
    "check": ("f1_within", "checks that begin alike (F1)"),
    "arrival": ("within", "first right answer in the same place"),
    "dropped": ("mean_f1", "what may go (F1)"),
}
"""Kind -> the figure that says most, and what it is."""
_OF_JUDGES = ("segment_precision", "segment_recall", "segment_f1")
"""Figures about the segments of a text, which are the same for both readers."""
_FORMAT = 1


def run_agreement(config: AgreementConfig) -> Exit:
    """Run `dlcot agreement`.

    Raises:
        JobError: a label set or the traces cannot be read, or the two have nothing in common.
    """
    report, figures = agreement_of(config)
    print_report(figures, _lines(report, figures), config.json)
    return Exit.OK


def agreement_of(config: AgreementConfig) -> tuple[EvaluationReport, dict[str, Any]]:
    """The scores of the second reader against the first one, and the same as plain JSON types.

    Raises:
        JobError: as `run_agreement`.
    """
    _, trace_places = resolve_places(None, config.traces)
    traces = labelled_traces(trace_places, config.dataset, config.storage.input)
    sets: list[list[LabelSet]] = []
    left_out: list[str] = []
    for name in _NAMES:
        places, _ = resolve_places(getattr(config, name), None)
        found, missed = read_sets(places, traces, config.storage.input, None, name)
        if not any(item.cases for item in found):
            raise JobError(
                missed[0] if missed else f"{name}= holds no labels", "" if missed else "label some"
            )
        sets.append(pooled(found))
        left_out += missed
    options = Options(config.tolerance, config.within, config.rounds, config.seed)
    one, other = sets
    scored = score_reader(one, other, None, Place("here"), options)
    shared = _ids(one) & _ids(other)
    report = EvaluationReport(
        scored.identity, {}, tuple(scored.scores), {}, len(shared), 0.0, 0, tuple(left_out)
    )
    verdicts = [
        read_verdicts(resolve_places(getattr(config, n), None)[0], config.storage.input) for n in _NAMES
    ]
    figures = {
        "format": _FORMAT,
        "first": [item.name for item in one],
        "second": [item.name for item in other],
        "traces": {
            "both": len(shared),
            "only_first": len(_ids(one) - shared),
            "only_second": len(_ids(other) - shared),
        },
        "sets": [_without_worst(item) for item in to_json(report)["sets"]],
        "verdicts": verdict_agreement(*verdicts),
        "left_out": left_out,
    }
    return report, figures


def verdict_agreement(first: Mapping[str, str], second: Mapping[str, str]) -> dict[str, Any] | None:
    """How far two readers' verdicts on the same outputs agree; None where they share no trace.

    Args:
        first, second: id of a trace -> TRAIN, HARMED or UNDERCUT.
    """
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    pairs = Counter((first[name], second[name]) for name in shared)
    words = sorted({word for pair in pairs for word in pair})
    confusion = np.array([[float(pairs[one, other]) for other in words] for one in words])
    kappa = float(cohen_kappa(confusion))
    return {
        "traces": len(shared),
        "same": float(accuracy(confusion)),
        "kappa": None if np.isnan(kappa) else kappa,
        "pairs": {f"{one} / {other}": count for (one, other), count in sorted(pairs.items())},
    }


def _ids(sets: Iterable[LabelSet]) -> set[str]:
    return {case.trace.trace_id for item in sets for case in item.cases if isinstance(case, READ)}


def _without_worst(item: Mapping[str, Any]) -> dict[str, Any]:
    names = ("set", "layout", "digest", "kind", "cases", "figures", "tables", "notes")
    return {name: item[name] for name in names}


def _lines(report: EvaluationReport, figures: Mapping[str, Any]) -> Iterator[str]:
    count = figures["traces"]
    yield (
        f"{_traces(count['both'])} labelled by both readers, {count['only_first']:,} only by the first, "
        f"{count['only_second']:,} only by the second"
    )
    for line in figures["left_out"]:
        yield f"left out: {line}"
    yield from _short_lines(report)
    for item in report.sets:
        if not item.scores.cases:
            continue
        for table in item.scores.tables:
            yield ""
            yield f"{item.scores.kind}: {table.title} ({item.scores.cases:,} cases)"
            yield from _cells([row for row in figures_of(table) if row[0] not in _OF_JUDGES])
        yield from (f"  {_renamed(note)}" for note in item.scores.notes)
    yield from _verdict_lines(figures["verdicts"])


def _short_lines(report: EvaluationReport) -> Iterator[str]:
    """One line for each kind of label, as a share."""
    for item in report.sets:
        name, title = _SHORT.get(item.scores.kind, ("", ""))
        value = item.scores.headline().get(f"{item.scores.kind}.{name}", math.nan)
        if item.scores.cases and not math.isnan(value):
            yield f"  {title:<38}{value:>7.1%}  ({_traces(item.scores.cases)})"


def _traces(count: int) -> str:
    return f"{count:,} trace" if count == 1 else f"{count:,} traces"


def _renamed(note: str) -> str:
    """A note on people and a judge, as one on two readers."""
    return note.replace("human", "first").replace("judge", "second")


def _cells(rows: Sequence[tuple[str, Sequence[str]]]) -> Iterator[str]:
    """The second reader's figures; the other columns of a table are baselines of judges."""
    width = max((len(name) for name, _ in rows), default=0)
    for name, cells in rows:
        yield f"  {name:<{width}}  {cells[0]}"


def _verdict_lines(found: Mapping[str, Any] | None) -> Iterator[str]:
    if found is None:
        return
    kappa = "-" if found["kappa"] is None else f"{found['kappa']:.3f}"
    yield ""
    yield f"verdicts: {found['traces']:,} traces, {found['same']:.1%} the same, kappa {kappa}"
    yield from (f"  {pair}: {count:,}" for pair, count in found["pairs"].items())
