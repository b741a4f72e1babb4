"""The result of applying a policy to one annotated trace. `core/enhance.py` makes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dlcot_ray.core.edits import EditScript
from dlcot_ray.core.seams.kinds import Seam


class Status(StrEnum):
    """The result for a row that was not rejected."""

    ENHANCED = "enhanced"
    UNCHANGED = "unchanged"


class ErrorOutcome(StrEnum):
    """The outcome for a located error in the kept text."""

    CORRECTED = "corrected"
    """It stays, because the trace corrects it later."""
    KEPT = "kept"
    """It stays as it is."""
    CARRIED = "carried"
    """It stays, because its wrong value is used further on."""
    DELETED = "deleted"
    REPAIRED = "repaired"
    REFUSED = "refused"
    """It stays, because no repair passed its checks."""


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's verdict on the script that was finally chosen, or on the one that it stopped.

    Attributes:
        name: e.g. ``answer_preserved``.
        passed: False where the gate stopped the policy's first choice.
        detail: what the gate found, or empty.
    """

    name: str
    passed: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """An enhanced trace.

    Attributes:
        status: ENHANCED if any segment was dropped, replaced or inserted.
        reason: why unchanged (``nothing_to_cut``, ``gate:answer_preserved``, ``no_approach``,
            ``no_reference``, ``unsolved``, ``unsure:low_confidence``, ...), which fallback was taken,
            ``ungated`` for a baseline, else empty.
        script: total edit script over the annotation's segments.
        reasoning: the new text, ``apply_script(trace.reasoning, annotation.segment_offsets, script)``.
        gates: every gate that was evaluated.
        policy: the policy expression that produced it, e.g. ``keep_one_per_cluster``.
        seams: the loose ends that the edit left, and how each was closed.
        errors: the outcome for each located error in the kept text.
        solved: the trace reaches its reference.
    """

    status: Status
    reason: str
    script: EditScript
    reasoning: str
    gates: tuple[GateResult, ...]
    policy: str
    seams: tuple[Seam, ...] = ()
    errors: tuple[ErrorOutcome, ...] = ()
    solved: bool = False
