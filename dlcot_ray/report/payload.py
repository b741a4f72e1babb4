"""Everything that a page shows, as plain JSON: counts of all rows, facts of a sample, texts of some traces.

In: an output. Out: a `Payload`. Its size does not grow with the output: the facts have at most
`sampling.MOST_ROWS` rows, and the texts stay within a budget of bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dlcot_ray import __version__
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.layout import REJECTED
from dlcot_ray.report.aggregates import Json, about, changes_of, counted, totals_of
from dlcot_ray.report.detail import trace_detail
from dlcot_ray.report.facts import RowFacts, grouping_columns, read_facts
from dlcot_ray.report.sampling import MOST_ROWS, draw_rows, draw_units, fill, in_order_of_need
from dlcot_ray.report.stored import Place, StoredOutput
from dlcot_ray.storage.parallel import map_in_order

FORMAT = 1
TEXT_BYTES = 3_000_000
"""Texts of traces in a report: the page then stays under 5 MB."""

_TEXT_UNITS = 48
_BYTES_PER_TOKEN = 4
_DETAIL_BYTES = 3_000
_REJECTED_UNITS = 48
_REJECTED_PER_CAUSE = 20
_LONGEST_MESSAGE = 400
_REJECTED_COLUMNS = ("trace_id", "input_file", "input_row", "stage", "cause", "message", "remedy")


@dataclass(frozen=True, slots=True)
class Payload:
    """The data of a page.

    Attributes:
        summary: everything but the texts.
        traces: the JSON of single traces; the column `text` of the facts counts them.
    """

    summary: Json
    traces: tuple[str, ...]


def make_payload(
    stored: StoredOutput,
    *,
    seed: int = 0,
    rows: int = MOST_ROWS,
    text_bytes: int = TEXT_BYTES,
    by: Sequence[str] = (),
    units: Iterable[str] | None = None,
) -> Payload:
    """Read an output.

    Args:
        stored: the output.
        seed: of the sample.
        rows: most rows whose facts are shown.
        text_bytes: most bytes of the traces that are shown with their texts.
        units: names of complete units to draw from; None lists the output.
        by: columns to group by; none takes one of sources and one of teachers, if they are there.

    Raises:
        JobError, InputFault: the output cannot be read.
    """
    draw = draw_units(stored.unit_names() if units is None else units, seed, rows)
    groups = _groups(stored, draw.units, by)
    drawn = map_in_order(
        lambda unit: draw_rows(read_facts(stored, unit, groups), seed, draw.per_unit), draw.units
    )
    facts = [row for part in drawn for row in part]
    traces, numbers = _texts(stored, in_order_of_need(facts, seed), text_bytes)
    totals, manifest = totals_of(stored.output, draw.units)
    record = stored.record
    summary: Json = {
        "format": FORMAT,
        "output": stored.output.display_url,
        "command": record.command,
        "version": __version__,
        "totals": totals,
        "unitsCounted": None if manifest else [len(draw.units), draw.of],
        **counted(totals),
        "about": about(stored.output, manifest, record.settings),
        "changes": changes_of(stored.output),
        "groups": list(groups),
        "sample": {"rows": len(facts), "of": totals["enhanced"] + totals["unchanged"], "seed": seed},
        "facts": columns_of(facts, numbers),
        "rejected": _rejected(stored, seed) if totals["rejected"] else [],
    }
    return Payload(summary, tuple(traces))


def columns_of(facts: Sequence[RowFacts], numbers: dict[Place, int]) -> Json:
    """The facts as columns; repeated words are numbers into the list `words`.

    Args:
        facts: the rows.
        numbers: where texts are held -> number of the text.
    """
    words: dict[str, int] = {}

    def word(text: str) -> int:
        return words.setdefault(text, len(words))

    content: Json = {
        "id": [row.trace_id for row in facts],
        "unit": [word(row.place.unit) for row in facts],
        "row": [row.place.row for row in facts],
        "status": [word(row.status) for row in facts],
        "reason": [word(row.reason) for row in facts],
        "groups": [[word(value) for value in row.groups] for row in facts],
        "before": [row.before for row in facts],
        "after": [row.after for row in facts],
        "stopped": [[word(gate) for gate in row.stopped] for row in facts],
        "cuts": [[[word(rule), size] for rule, size in row.cuts.items()] for row in facts],
        "approaches": [row.approaches for row in facts],
        "checks": [row.checks for row in facts],
        "arrival": [row.arrival for row in facts],
        "confidence": [row.confidence for row in facts],
        "text": [numbers.get(row.place, -1) for row in facts],
    }
    return {"words": list(words), **content}


def to_json(content: Any) -> str:
    """JSON without spaces."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _groups(stored: StoredOutput, units: Iterable[str], by: Sequence[str]) -> tuple[str, ...]:
    """The columns to group by, as the first unit that can be read has them."""
    for unit in units:
        names = stored.column_names(unit)
        missing = [name for name in by if name not in names]
        if missing:
            raise JobError(
                f"{stored.output.display_url} has no column {missing[0]!r}",
                f"it has {', '.join(names[:20])}",
            )
        return grouping_columns(names, by)
    return ()


def _texts(
    stored: StoredOutput, order: Sequence[RowFacts], budget: int
) -> tuple[list[str], dict[Place, int]]:
    """The JSON of traces in order, and the number of each."""
    opened: set[str] = set()
    allowed = []
    for row in order:
        if len(opened) < _TEXT_UNITS or row.place.unit in opened:
            opened.add(row.place.unit)
            allowed.append(row)
    wanted = list(fill(allowed, budget, lambda row: row.before * _BYTES_PER_TOKEN + _DETAIL_BYTES))
    by_unit: dict[str, list[int]] = {}
    for place in wanted:
        by_unit.setdefault(place.unit, []).append(place.row)
    made: dict[Place, str] = {}
    for part in map_in_order(lambda item: _load(stored, *item), by_unit.items()):
        made.update(part)
    traces: list[str] = []
    numbers: dict[Place, int] = {}
    left = budget
    for place in wanted:
        text = made.get(place)
        if text is not None and (size := len(text.encode())) <= left:
            left -= size
            numbers[place] = len(traces)
            traces.append(text)
    return traces, numbers


def _load(stored: StoredOutput, unit: str, rows: Sequence[int]) -> dict[Place, str]:
    try:
        return {shown.place: to_json(trace_detail(shown)) for shown in stored.load(unit, rows)}
    except InputFault:
        # A unit whose source no longer reads as traces is counted, and shown without texts.
        return {}


def _rejected(stored: StoredOutput, seed: int) -> list[list[Any]]:
    """Rows of `rejected/`, some of each cause: the values of `_REJECTED_COLUMNS`."""
    kept: dict[str, int] = {}
    found = []
    units = draw_units(stored.unit_names(REJECTED), seed, most=_REJECTED_UNITS).units
    for table in map_in_order(lambda unit: stored.columns(unit, _REJECTED_COLUMNS, REJECTED), units):
        for row in table.to_pylist():
            kept[row["cause"]] = kept.get(row["cause"], 0) + 1
            if kept[row["cause"]] <= _REJECTED_PER_CAUSE:
                found.append([_short(row.get(name)) for name in _REJECTED_COLUMNS])
    return found


def _short(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= _LONGEST_MESSAGE:
        return value
    return f"{value[:_LONGEST_MESSAGE]}..."
