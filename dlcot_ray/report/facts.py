"""The facts of a row that the report counts and filters by: light, without texts.

In: the light columns of a unit and of its annotations. Out: one `RowFacts` per row, in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dlcot_ray.core.annotation import JudgeStep
from dlcot_ray.errors import InputFault
from dlcot_ray.report.stored import Place, StoredOutput
from dlcot_ray.report.words import rule_of

SOURCE_NAMES = ("source", "dataset", "data_source", "problem_source", "domain", "subset", "problem_type")
TEACHER_NAMES = ("teacher", "model", "generator", "teacher_model", "generation_model", "model_name")
_OURS = (
    "trace_id",
    "tokens_before",
    "tokens_after",
    "status",
    "status_reason",
    "gates",
    "edits",
    "fingerprint",
)
_FOUND = ("fingerprint", "approaches", "verifications", "first_correct_segment", "segment_offsets", "steps")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class RowFacts:
    """One row of `enhanced/`, without its texts.

    Attributes:
        place: where it is stored.
        trace_id: its id.
        status, reason: as stored.
        groups: its values of the columns to group by, in their order; empty text where it has none.
        before, after: tokens of the reasoning.
        stopped: the gates that stopped a cut.
        cuts: rule -> characters that it removed.
        approaches, checks: how many the judge found; -1 where there is no annotation.
        arrival: share of the characters before the first correct answer stands; -1 where it never does.
        confidence: of the labels, 0..1; -1 where there is no annotation.
    """

    place: Place
    trace_id: str
    status: str
    reason: str
    groups: tuple[str, ...]
    before: int
    after: int
    stopped: tuple[str, ...]
    cuts: Mapping[str, int]
    approaches: int = -1
    checks: int = -1
    arrival: float = -1.0
    confidence: float = -1.0


def grouping_columns(names: Sequence[str], wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The carried columns to group by: those that are wanted, or one of sources and one of teachers."""
    if wanted:
        return tuple(name for name in wanted if name in names)
    first = (next((n for n in known if n in names), None) for known in (SOURCE_NAMES, TEACHER_NAMES))
    return tuple(name for name in first if name is not None)


def read_facts(stored: StoredOutput, unit: str, groups: Sequence[str]) -> list[RowFacts]:
    """The facts of all rows of a unit.

    Raises:
        InputFault: its object cannot be read.
    """
    table = stored.columns(unit, [*groups, *_OURS])
    found = _annotated(stored.annotation_columns(unit, _FOUND))
    cells = [_texts(table[name]) if name in table.column_names else [] for name in groups]
    if lacking := [name for name in _OURS if name not in table.column_names]:
        raise InputFault(unit, f"it has no column {lacking[0]}", "run the job again")
    rows = table.select(_OURS).to_pylist()
    return [
        _facts(Place(unit, number), row, tuple(cell[number] if cell else "" for cell in cells), found)
        for number, row in enumerate(rows)
    ]


def _facts(
    place: Place, row: Mapping[str, Any], groups: tuple[str, ...], found: Mapping[str, Mapping[str, Any]]
) -> RowFacts:
    cuts: dict[str, int] = {}
    for edit in row["edits"]:
        if edit["op"] in ("drop", "replace"):
            rule = rule_of(edit["reason"])
            cuts[rule] = cuts.get(rule, 0) + edit["stop"] - edit["start"]
    return RowFacts(
        place,
        row["trace_id"],
        row["status"],
        row["status_reason"],
        groups,
        row["tokens_before"],
        row["tokens_after"],
        tuple(gate["name"] for gate in row["gates"] if not gate["passed"]),
        cuts,
        **found.get(row["fingerprint"], {}),
    )


def _annotated(table: pa.Table | None) -> dict[str, dict[str, Any]]:
    """Fingerprint -> the facts that come from the annotation."""
    if table is None or set(_FOUND) - set(table.column_names):
        return {}
    found = {}
    for row in table.to_pylist():
        offsets, arrived = row["segment_offsets"], row["first_correct_segment"]
        there = arrived is not None and arrived + 1 < len(offsets) and offsets[-1] > 0
        labels = [s["confidence"] for s in row["steps"] if s["step"] == JudgeStep.LABELS.value]
        found[row["fingerprint"]] = {
            "approaches": len(row["approaches"]),
            "checks": len(row["verifications"]),
            "arrival": round(offsets[arrived + 1] / offsets[-1], 4) if there else -1.0,
            "confidence": round(min(labels, default=1.0), 4),
        }
    return found


def _texts(column: pa.ChunkedArray) -> list[str]:
    values = ("" if value is None else str(value) for value in column.to_pylist())
    return [text[:_LONGEST_NAME] for text in values]
