"""What the driver learns of a finished or failed work unit. Small and picklable."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlcot_ray.outputs.counts import UnitStats


@dataclass(frozen=True, slots=True)
class EngineUse:
    """Seconds in which an engine had work, of those that passed.

    It tells of a run and of a machine, so it travels beside a unit's content and is no part of it.
    """

    busy: float = 0.0
    lasted: float = 0.0

    def __add__(self, other: EngineUse) -> EngineUse:
        return EngineUse(self.busy + other.busy, self.lasted + other.lasted)


@dataclass(frozen=True, slots=True)
class Effort:
    """What judging a unit took: seconds in the judge's process, and which attempt it was, from 1 (0: none).

    It is no part of a unit's content either.
    """

    seconds: float = 0.0
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What the driver learns of a unit.

    Attributes:
        error: why it is not done, or an empty string.
        size: bytes of its `enhanced/` object.
        refused: why, where the output's store refuses for good, so that no other unit can be written either.
        engine: what the judge's engine did since the unit before on the same worker.
        effort: what judging it took.
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
