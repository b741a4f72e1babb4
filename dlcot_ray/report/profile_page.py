"""The page of a profile: its figures by group, and the traces behind each bar, as of a report.

In: the figures of a profile and the traces to list. Out: a `Payload` for `page.page`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dlcot_ray import __version__
from dlcot_ray.profiling.figures import TraceFigures
from dlcot_ray.profiling.measures import MEASURES
from dlcot_ray.report.facts import RowFacts
from dlcot_ray.report.payload import FORMAT, Payload, columns_of
from dlcot_ray.report.words import gate_help, reason_help


@dataclass(frozen=True, slots=True)
class Listed:
    """A trace that the page lists; figures are None where the judge failed on it."""

    facts: RowFacts
    figures: TraceFigures | None


def profile_payload(
    figures: Mapping[str, Any], listed: Sequence[Listed], texts: Mapping[int, str], groups: Sequence[str]
) -> Payload:
    """The data of the page.

    Args:
        figures: the profile, as plain JSON types.
        listed: the traces that it lists.
        texts: place in `listed` -> the JSON of that trace.
        groups: names of the groups, as in the facts.
    """
    facts = [item.facts for item in listed]
    numbers = {facts[place].place: number for number, place in enumerate(texts)}
    reasons = sorted({row.reason for row in facts if row.reason})
    gates = sorted({gate for row in facts for gate in row.stopped})
    summary: dict[str, Any] = {
        "format": FORMAT,
        "output": figures["input"],
        "command": "profile",
        "version": __version__,
        "totals": {"rejected": 0},
        "about": {"faults": []},
        "changes": None,
        "reasons": [[word, 0, reason_help(word)] for word in reasons],
        "gates": [[name, 0, 0, gate_help(name), []] for name in gates],
        "groups": list(groups),
        "sample": {"rows": len(facts), "of": figures["traces"], "seed": figures["seed"]},
        "facts": columns_of(facts, numbers),
        "rejected": [],
        "profile": {
            **figures,
            "definitions": [asdict(measure) for measure in MEASURES],
            "values": {measure.name: _column(listed, measure.name) for measure in MEASURES},
        },
    }
    return Payload(summary, tuple(texts.values()))


def _column(listed: Sequence[Listed], name: str) -> list[float | None]:
    found = [None if item.figures is None else item.figures.value(name) for item in listed]
    return [None if value is None else round(value, 4) for value in found]
