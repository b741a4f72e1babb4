"""Runs of segments of one kind: the form in which the structure of a trace is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.core.annotation import Section, SectionKind


@dataclass(frozen=True, slots=True)
class Run:
    """Segments `[start, stop)` of one kind."""

    kind: SectionKind
    start: int
    stop: int


def sections_of(runs: Sequence[Run]) -> tuple[Section, ...]:
    """Neighbouring runs of one kind joined into sections."""
    sections: list[Section] = []
    for run in runs:
        if sections and sections[-1].kind is run.kind:
            sections[-1] = Section(run.kind, sections[-1].start, run.stop)
        else:
            sections.append(Section(run.kind, run.start, run.stop))
    return tuple(sections)
