"""Results of a work unit: the tables that are written, and the small record that the driver gets."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.schemas import MASKED_SCHEMA, PREFERENCE_SCHEMA


@dataclass(frozen=True, slots=True)
class UnitOutput:
    """The tables of a unit (schemas in `schemas.py`) and their counts.

    Attributes:
        annotations: one row per judged trace.
        enhanced: one row per trace that was not rejected.
        rejected: one row per rejected row.
        stats: the counts.
        preferences: without rows unless the policy asks for pairs.
        masked: without rows unless the policy asks for loss spans.
        facts: for a refresh (`facts.py`), else None.
    """

    annotations: pa.Table
    enhanced: pa.Table
    rejected: pa.Table
    stats: UnitStats
    preferences: pa.Table = field(default_factory=PREFERENCE_SCHEMA.empty_table)
    masked: pa.Table = field(default_factory=MASKED_SCHEMA.empty_table)
    facts: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class EngineUse:
    """Seconds in which an engine had work (`busy`), and seconds that passed (`lasted`).

    Both depend on the run and the machine, so they travel beside a unit's content and are no part of it.
    """

    busy: float = 0.0
    lasted: float = 0.0

    def __add__(self, other: EngineUse) -> EngineUse:
        return EngineUse(self.busy + other.busy, self.lasted + other.lasted)


@dataclass(frozen=True, slots=True)
class Effort:
    """Seconds that a unit spent in the judge's process, and the number of the attempt (from 1; 0: none).

    No part of a unit's content either.
    """

    seconds: float = 0.0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class UnitResult:
    """A finished or failed unit, as the driver gets it. Small and picklable.

    Attributes:
        error: why it is not done, or an empty string.
        size: bytes of its `enhanced/` object.
        refused: why, where the output's store refuses every write, so that no other unit can be written.
        engine: use of the judge's engine since the unit before on the same worker.
        effort: of judging it.
    """

    name: str
    file: str
    start: int
    stop: int
    stats: UnitStats = field(default_factory=UnitStats)
    error: str = ""
    size: int = 0
    refused: str = ""
    engine: EngineUse = field(default_factory=EngineUse)
    effort: Effort = field(default_factory=Effort)
