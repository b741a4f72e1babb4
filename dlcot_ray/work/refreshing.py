"""A unit of a refresh: known annotations are reused, and facts about each row are made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.inputs.items import traces_in
from dlcot_ray.judging.fingerprint import fingerprints_of
from dlcot_ray.judging.protocol import Judge
from dlcot_ray.judging.recalling import RecallingJudge
from dlcot_ray.outputs.facts import FactSpec, facts_table
from dlcot_ray.outputs.recall import RecallSpec, open_recall
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.work.process import enhance_unit
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


async def recall(
    unit: UnitInput, name: str, judge: Judge, index: RecallSpec | None, retries: int
) -> Recalled:
    """The fingerprints of a unit, and the annotations that the index has of them; none without an index.

    The index is read in a thread, so that other units of the worker go on.

    Raises:
        JobError, InputFault, OSError: the index cannot be read.
    """
    marks = fingerprints_of(traces_in(unit.items), judge.identity)
    if index is None:
        return Recalled(marks, {})
    wanted = [mark for mark in marks if mark is not None]

    def look_up() -> pa.Table:
        return open_recall(index).annotations(name, wanted)

    found = await asyncio.to_thread(with_retries, retries, look_up)
    return Recalled(marks, {item.fingerprint: item for item in annotations_from_table(found)})


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
