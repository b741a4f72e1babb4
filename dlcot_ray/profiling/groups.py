"""Adds the figures of traces up: over all, and by each value of each group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, quantiles
from typing import Any

from dlcot_ray.profiling.copies import Copies
from dlcot_ray.profiling.figures import TraceFigures
from dlcot_ray.profiling.measures import MEASURES

NO_VALUE = "(none)"


@dataclass(frozen=True, slots=True)
class Cut:
    """What a policy leaves of a trace behind its gates.

    Attributes:
        share: of the characters that go.
        status, reason: as `enhance` gives them.
    """

    share: float
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Profiled:
    """One trace of a profile.

    Attributes:
        trace_id: its id.
        groups: its value in each group; empty text where it has none.
        figures: its figures.
        chosen: policy -> share of the characters that it chooses, before gates.
        cuts: policy -> what is cut behind the gates.
    """

    trace_id: str
    groups: tuple[str, ...]
    figures: TraceFigures
    chosen: Mapping[str, float]
    cuts: Mapping[str, Cut]


def summary(traces: Sequence[Profiled], copies: Copies) -> dict[str, Any]:
    """The figures of some traces as plain JSON types; numbers of copies are of texts that repeat others."""
    figures = [trace.figures for trace in traces]
    kinds = sorted({kind for item in figures for kind in item.sections})
    return {
        "traces": len(traces),
        "measures": {item.name: spread([one.value(item.name) for one in figures]) for item in MEASURES},
        "sections": {kind: _mean([one.sections.get(kind, 0.0) for one in figures]) for kind in kinds},
        "ends": _counts(one.ends for one in figures),
        "references": _counts(one.reference for one in figures),
        "languages": _counts(one.language or "few words" for one in figures),
        "copies": {
            "exact": sum(number >= 0 for number in copies.exact),
            "near": sum(n >= 0 > e for e, n in zip(copies.exact, copies.near, strict=True)),
        },
        "chosen": _weighted(traces, lambda trace: trace.chosen),
        "cut": _weighted(traces, lambda trace: {name: cut.share for name, cut in trace.cuts.items()}),
        "changed": _changed(traces),
    }


def by_group(traces: Sequence[Profiled], copies: Copies, group: int) -> dict[str, dict[str, Any]]:
    """Value of a group -> the summary of its traces, the largest first."""
    members: dict[str, list[int]] = {}
    for number, trace in enumerate(traces):
        members.setdefault(trace.groups[group] or NO_VALUE, []).append(number)
    ranked = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return {
        value: summary(
            [traces[n] for n in numbers],
            Copies(tuple(copies.exact[n] for n in numbers), tuple(copies.near[n] for n in numbers)),
        )
        for value, numbers in ranked
    }


def spread(values: Sequence[float | None]) -> dict[str, float | int | None]:
    """Mean, quantiles and number of the values that are defined."""
    known = [value for value in values if value is not None]
    if not known:
        return {"n": 0, "mean": None, "p10": None, "median": None, "p90": None}
    tenths = quantiles(known, n=10, method="inclusive") if len(known) > 1 else known * 9
    return {
        "n": len(known),
        "mean": round(fmean(known), 4),
        "p10": round(tenths[0], 4),
        "median": round(tenths[4], 4),
        "p90": round(tenths[8], 4),
    }


def _mean(values: Sequence[float]) -> float:
    return round(fmean(values), 4) if values else 0.0


def _counts(words: Any) -> dict[str, int]:
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def _weighted(traces: Sequence[Profiled], shares: Any) -> dict[str, float]:
    """Policy -> share of the characters of all traces."""
    total = sum(trace.figures.characters for trace in traces) or 1
    found: dict[str, float] = {}
    for trace in traces:
        for name, share in shares(trace).items():
            found[name] = found.get(name, 0.0) + share * trace.figures.characters
    return {name: round(size / total, 4) for name, size in found.items()}


def _changed(traces: Sequence[Profiled]) -> dict[str, int]:
    """Policy -> traces that it changes."""
    found: Counter[str] = Counter()
    for trace in traces:
        found.update({name: int(cut.status == "enhanced") for name, cut in trace.cuts.items()})
    return dict(found)
