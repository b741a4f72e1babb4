"""The result of an audit: of one input file, and of the whole output."""

from __future__ import annotations

from dataclasses import dataclass, field

from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.inventory import Finding, ListedUnit
from dlcot_ray.outputs.job_record import InputRecord


@dataclass(slots=True)
class Audit:
    """The result of an audit.

    Attributes:
        findings: what is wrong.
        notes: what could not be checked; notes do not change the exit status.
        units, rows: how many were read and checked.
        compared: rows that were compared with their input.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    units: int = 0
    rows: int = 0
    compared: int = 0


@dataclass(slots=True)
class FileAudit:
    """The audit of one input file's units; `sound`: those that could be read."""

    item: InputRecord
    audit: Audit = field(default_factory=Audit)
    stats: UnitStats = field(default_factory=UnitStats)
    sound: list[ListedUnit] = field(default_factory=list)
