"""A unit of a refresh: known annotations are reused, and facts about each row are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.inputs.items import traces_in
from dlcot_ray.judging.fingerprint import fingerprints_of
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.judging.recalling import RecallingJudge
from dlcot_ray.outputs.facts import FactSpec, facts_table
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.spec import ReadUnit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions


@dataclass(frozen=True, slots=True)
class Recalled:
    """What earlier snapshots know of a unit.

    Attributes:
        fingerprints: one per item of the unit, None where it is no trace.
        known: fingerprint -> annotation.
    """

    fingerprints: Sequence[str | None]
    known: Mapping[str, Annotation]


def recalled_of(read: ReadUnit, unit: UnitInput, judge: Judge) -> Recalled:
    """The fingerprints and annotations that reading found; without an index, fingerprints alone."""
    if read.annotations is None or read.fingerprints is None:
        return Recalled(fingerprints_of(traces_in(unit.items), judge.identity), {})
    known = {item.fingerprint: item for item in annotations_from_table(read.annotations)}
    return Recalled(read.fingerprints.column("fingerprint").to_pylist(), known)


async def refresh_unit(
    unit: UnitInput, judge: Judge, options: UnitOptions, recalled: Recalled, facts: FactSpec
) -> UnitOutput:
    """As `enhance_unit`; the judge is asked only about traces whose annotation is not known.

    Raises:
        JudgeDied, JudgeUnavailable, JobError: the judge cannot go on at all.
    """
    marks = {trace: recalled.fingerprints[place] or "" for place, trace in unit.traces}
    recalling = RecallingJudge(judge, recalled.known, marks)
    made = await enhance_unit(unit, recalling, options)
    table = facts_table(
        unit.table,
        unit.items,
        recalled.fingerprints,
        first_row=unit.first_row,
        made=made,
        asked=recalling.asked,
        spec=facts,
    )
    return replace(made, facts=table)
