"""The counts in the footer of a unit, and its range of rows, against the rows themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.enhancement import Status
from dlcot_ray.outputs.audit.stored import (
    StoredUnit,
    stored_places,
)
from dlcot_ray.outputs.counts import examples, examples_by_gate
from dlcot_ray.outputs.inventory import Finding
from dlcot_ray.outputs.layout import ENHANCED


def count_findings(
    unit: StoredUnit, rows: Sequence[Mapping[str, Any]], annotations: Sequence[Annotation]
) -> Iterator[Finding]:
    """The counts in the footer against the rows themselves."""
    at = unit.place(ENHANCED)
    rejected = unit.rejected.num_rows if unit.rejected is not None else 0
    yield from _input_rows(unit, rows)
    gates = [gate for row in rows for gate in row["gates"]]
    found: dict[str, Any] = {
        "rows": unit.stop - unit.start,
        "enhanced": sum(row["status"] == Status.ENHANCED for row in rows),
        "unchanged": sum(row["status"] == Status.UNCHANGED for row in rows),
        "rejected": rejected,
        "tokens_before": sum(row["tokens_before"] for row in rows),
        "tokens_after": sum(row["tokens_after"] for row in rows),
        "by_reason": _tally(row["status_reason"] for row in rows),
        "by_gate": _tally(gate["name"] for gate in gates if not gate["passed"]),
        "by_gate_passed": _tally(gate["name"] for gate in gates if gate["passed"]),
        "gate_examples": examples_by_gate(
            examples(
                (gate["name"], row["trace_id"], gate["detail"])
                for row in rows
                for gate in row["gates"]
                if not gate["passed"]
            )
        ),
        "by_cause": _tally(unit.rejected["cause"].to_pylist() if unit.rejected is not None else []),
        "without_messages": sum(row["messages"] is None for row in rows),
        "pairs": unit.preferences.num_rows if unit.preferences is not None else 0,
    }
    if unit.annotations is not None:
        found |= {
            "prefill": sum(annotation.tokens.prefill for annotation in annotations),
            "cached": sum(annotation.tokens.cached for annotation in annotations),
            "decode": sum(annotation.tokens.decode for annotation in annotations),
            "by_judge": _tally(annotation.judge.partition(" ")[0] for annotation in annotations),
            "by_label": _tally(a.label.value for annotation in annotations for a in annotation.approaches),
        }
    told = json.loads(unit.stats.to_json())
    for key, value in found.items():
        if told[key] != value:
            yield Finding(at, None, f"its footer counts {key} {told[key]}, its rows come to {value}")


def _input_rows(unit: StoredUnit, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether the rows of the unit's range are all there, in order, and no others.

    Only where generations were not chosen may a row be missing.
    """
    at, count = unit.place(ENHANCED), unit.stop - unit.start
    places = [(row["input_row"], row["input_part"]) for row in rows]
    for number, (one, other) in enumerate(pairwise(places), 1):
        if one >= other:
            yield Finding(at, number, f"trace {other[1]} of input row {other[0]} is repeated or out of order")
    refused = stored_places(unit.rejected) if unit.rejected is not None else []
    known = {row for row, _ in (*places, *refused)}
    if known - set(range(unit.start, unit.stop)):
        yield Finding(at, None, f"it has rows outside of its input range of {count}")
    elif len(known) != count and not (unit.stats.by_passed and len(known) < count):
        yield Finding(
            at, None, f"it has {len(known)} rows of an input range of {count}, rejected ones included"
        )


def _tally(words: Any) -> dict[str, int]:
    return {word: count for word, count in Counter(words).items() if word}
