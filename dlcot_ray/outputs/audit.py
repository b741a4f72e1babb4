"""Checks of one finished unit on its stored tables alone; `audit_rows.py` checks single rows.

The checks use the output's schemas and layout and none of the code that wrote the unit: counts are taken
again from the rows, the text is replayed from the edits, the fingerprint is computed from the trace. A
finding is a value, so that one damaged row hides no other. An object of another schema is not checked
further.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pyarrow as pa

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import Cause, InputFault, RowFault, Stage
from dlcot_ray.inputs.choices import Reply
from dlcot_ray.inputs.columns import ColumnMap, resolve_columns
from dlcot_ray.inputs.conversations.homes import MESSAGES, messages_type, turns_type
from dlcot_ray.inputs.conversations.unit_messages import Shown, unit_messages
from dlcot_ray.inputs.items import Item, Passed
from dlcot_ray.inputs.presets import DatasetPreset
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.outputs.audit_rows import annotation_findings, row_findings, shorten
from dlcot_ray.outputs.columns import carried_table
from dlcot_ray.outputs.counts import UnitStats, examples, examples_by_gate
from dlcot_ray.outputs.inventory import Finding
from dlcot_ray.outputs.layout import ANNOTATIONS, ENHANCED, PREFERENCES, REJECTED
from dlcot_ray.outputs.schemas import (
    ANNOTATION_SCHEMA,
    ENHANCED_FIELDS,
    REJECTED_FIELDS,
    annotations_from_table,
    preferences_schema,
)
from dlcot_ray.plan.names import parse_unit_name


@dataclass(frozen=True, slots=True)
class Expected:
    """What all units of an output have in common.

    Attributes:
        preset: how the carried columns become traces.
        judge: the identity that fingerprints were made with.
        policy: the expression that stands in every row; None where this version cannot read it.
        annotated: the output has annotations of its own.
    """

    preset: DatasetPreset
    judge: str
    policy: str | None
    annotated: bool


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """The tables of a unit as they were read; None where there is no such object.

    Attributes:
        name: of its objects, without folder and suffix.
        file: its input file.
        start, stop: its rows of that file.
    """

    name: str
    file: str
    start: int
    stop: int
    stats: UnitStats
    enhanced: pa.Table
    rejected: pa.Table | None
    annotations: pa.Table | None
    preferences: pa.Table | None

    def place(self, folder: str) -> str:
        """One of its objects, as findings name it."""
        return f"{folder}/{self.name}.parquet"


def audit_unit(unit: StoredUnit, expected: Expected) -> Iterator[Finding]:
    """Everything that is not as it must be with one unit."""
    bad = list(_schemas(unit, expected))
    yield from bad
    if bad:
        return
    rows = unit.enhanced.select([field.name for field in ENHANCED_FIELDS]).to_pylist()
    annotations = annotations_from_table(unit.annotations) if unit.annotations is not None else []
    yield from _counts(unit, rows, annotations)
    yield from _rejected(unit)
    yield from _preferences(unit, rows)
    known: dict[str, list[tuple[int, Annotation]]] = defaultdict(list)
    for place, annotation in enumerate(annotations):
        known[annotation.trace_id].append((place, annotation))
    if unit.annotations is not None:
        yield from _matching(unit, rows, annotations)
    yield from _messages(unit, expected, rows)
    for number, (row, trace) in enumerate(zip(rows, _traces(unit, expected, rows), strict=True)):
        at = unit.place(ENHANCED)
        if isinstance(trace, str):
            yield Finding(at, number, trace)
            continue
        for message in row_findings(row, trace, expected.judge, expected.policy):
            yield Finding(at, number, message)
        mine = known[row["trace_id"]]
        if mine:
            # Of several under one id, the fingerprint tells which one belongs to the row.
            at_once = [pair for pair in mine if pair[1].fingerprint == row["fingerprint"]]
            place, annotation = (at_once or mine)[0]
            mine.remove((place, annotation))
            for message in annotation_findings(row, trace, annotation):
                yield Finding(unit.place(ANNOTATIONS), place, message)


def compare_rows(unit: StoredUnit, source: pa.Table, preset: DatasetPreset) -> Iterator[Finding]:
    """Whether every trace of the unit's input rows is there once, with all columns, and nothing else.

    Args:
        unit: sound as far as `audit_unit` goes.
        source: the unit's rows of the input file.
        preset: how its columns become traces.
    """
    sides = [(ENHANCED, unit.enhanced, ENHANCED_FIELDS)]
    if unit.rejected is not None:
        sides.append((REJECTED, unit.rejected, REJECTED_FIELDS))
    yield from _places(unit, source, preset, [table for _, table, _ in sides])
    for folder, table, fields in sides:
        at = unit.place(folder)
        carried = carried_table(table, fields)
        indices = [row - unit.start for row in table["input_row"].to_pylist()]
        if not all(0 <= index < source.num_rows for index in indices):
            continue
        if carried.column_names != source.column_names:
            yield Finding(at, None, "its carried columns are not those of the input")
            continue
        for number, index in enumerate(indices):
            one, other = carried.slice(number, 1), source.slice(index, 1)
            if not one.equals(other) and not _same(one, other):
                column = next(n for n in source.column_names if not one[n].equals(other[n]))
                yield Finding(at, number, f"{column} differs from {unit.file}, row {unit.start + index}")


def _places(
    unit: StoredUnit, source: pa.Table, preset: DatasetPreset, tables: Sequence[pa.Table]
) -> Iterator[Finding]:
    """Whether the stored traces and rejected rows are those of the input, each once."""
    try:
        columns = resolve_columns(preset, source.schema, unit.file)
    except InputFault as fault:
        yield Finding(unit.place(ENHANCED), None, f"no trace can be read from its input: {fault.message}")
        return
    items = traces_of(source, columns, file=unit.file, first_row=unit.start, shard_name=_shard(unit))
    slots = [item.slot for item in items if not isinstance(item.found, Passed)]
    wanted = Counter((unit.start + slot.row, slot.part) for slot in slots)
    stored = Counter(place for table in tables for place in _stored_places(table))
    passed = sum(isinstance(item.found, Passed) for item in items)
    at = unit.place(ENHANCED)
    for (row, part), count in sorted((wanted - stored).items()):
        yield Finding(at, None, f"{unit.file}, row {row}: trace {part} is lacking {count} times")
    for (row, part), count in sorted((stored - wanted).items()):
        yield Finding(at, None, f"{unit.file}, row {row}: trace {part} is there {count} times too often")
    if passed != (told := sum(count for _, count in unit.stats.by_passed)):
        yield Finding(
            at, None, f"its footer counts {told} traces that were not chosen, the input has {passed}"
        )


def _stored_places(table: pa.Table) -> list[tuple[int, int]]:
    return list(zip(table["input_row"].to_pylist(), table["input_part"].to_pylist(), strict=True))


def _same(one: pa.Table, other: pa.Table) -> bool:
    """Equal for all but Arrow, to which NaN is not NaN."""
    try:
        return repr(one.to_pylist()) == repr(other.to_pylist())
    except UnicodeDecodeError:
        return False


def _schemas(unit: StoredUnit, expected: Expected) -> Iterator[Finding]:
    messages, turns = _types(unit, expected)
    for folder, table, fields in (
        (ENHANCED, unit.enhanced, _typed(ENHANCED_FIELDS, messages)),
        (REJECTED, unit.rejected, REJECTED_FIELDS),
    ):
        if table is None:
            continue
        last = list(table.schema)[-len(fields) :]
        wrong = [want.name for want, got in zip(fields, last, strict=False) if not want.equals(got)]
        if wrong or len(last) < len(fields):
            yield Finding(unit.place(folder), None, f"its schema differs at {', '.join(wrong) or 'the end'}")
    for folder, table, schema in (
        (ANNOTATIONS, unit.annotations, ANNOTATION_SCHEMA),
        (PREFERENCES, unit.preferences, preferences_schema(turns)),
    ):
        if table is not None and not table.schema.equals(schema):
            yield Finding(unit.place(folder), None, "its schema is not that of this version")
    if expected.annotated and unit.annotations is None:
        yield Finding(unit.place(ANNOTATIONS), None, "it is missing")
    if not expected.annotated and unit.annotations is not None:
        yield Finding(unit.place(ANNOTATIONS), None, "a derived output has no annotations of its own")


def _types(unit: StoredUnit, expected: Expected) -> tuple[pa.DataType, pa.DataType]:
    """The types of the messages and of the turns of pairs, by the carried columns."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault:
        return MESSAGES, MESSAGES
    return messages_type(columns), turns_type(columns)


def _typed(fields: Sequence[pa.Field], messages: pa.DataType) -> list[pa.Field]:
    return [field.with_type(messages) if field.name == "messages" else field for field in fields]


def _counts(
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
    refused = _stored_places(unit.rejected) if unit.rejected is not None else []
    known = {row for row, _ in (*places, *refused)}
    if known - set(range(unit.start, unit.stop)):
        yield Finding(at, None, f"it has rows outside of its input range of {count}")
    elif len(known) != count and not (unit.stats.by_passed and len(known) < count):
        yield Finding(
            at, None, f"it has {len(known)} rows of an input range of {count}, rejected ones included"
        )


def _tally(words: Any) -> dict[str, int]:
    return {word: count for word, count in Counter(words).items() if word}


def _rejected(unit: StoredUnit) -> Iterator[Finding]:
    if unit.rejected is None:
        return
    names = ("input_file", "input_row", "input_part", "stage", "cause")
    before = (unit.start - 1, 0)
    for number, row in enumerate(unit.rejected.select(names).to_pylist()):
        messages = []
        if row["input_file"] != unit.file:
            messages.append(f"it is of {row['input_file']}, the unit of {unit.file}")
        place = (row["input_row"], row["input_part"])
        if not (before < place and place[0] in range(unit.start, unit.stop)):
            messages.append(f"input row {row['input_row']} is repeated or not one of the unit's")
        if row["stage"] not in set(Stage) or row["cause"] not in set(Cause):
            messages.append(f"there is no stage {row['stage']!r} with cause {row['cause']!r}")
        before = place
        for message in messages:
            yield Finding(unit.place(REJECTED), number, message)


def _preferences(unit: StoredUnit, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    if unit.preferences is None:
        return
    changed: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row["status"] == Status.ENHANCED:
            changed[row["trace_id"]].append(row["messages"])
    for number, pair in enumerate(unit.preferences.to_pylist()):
        if not any(_holds(chat, pair) for chat in changed[pair["trace_id"]]):
            message = f"the pair of {shorten(pair['trace_id'])} is not that of an enhanced row"
            yield Finding(unit.place(PREFERENCES), number, message)


def _holds(chat: Any, pair: Mapping[str, Any]) -> bool:
    """Whether a conversation has the chosen reply where the prompt ends; without one, any will do."""
    start = len(pair["prompt"])
    return not isinstance(chat, list) or chat[start : start + len(pair["chosen"])] == pair["chosen"]


def _matching(
    unit: StoredUnit, rows: Sequence[Mapping[str, Any]], annotations: Sequence[Annotation]
) -> Iterator[Finding]:
    """One annotation for each judged row, in order: those in `enhanced/`, and those a policy rejected."""
    refused: list[str] = []
    if unit.rejected is not None:
        pairs = unit.rejected.select(["trace_id", "stage"]).to_pylist()
        refused = [row["trace_id"] for row in pairs if row["stage"] == Stage.POLICY]
    at = unit.place(ANNOTATIONS)
    theirs = [annotation.trace_id for annotation in annotations]
    ours = [row["trace_id"] for row in rows]
    if sorted(theirs) != sorted([*ours, *refused]):
        lacking = next((name for name in [*ours, *refused] if name not in set(theirs)), None)
        what = f"{shorten(lacking)} has none" if lacking is not None else "some belong to no row"
        yield Finding(at, None, f"{len(theirs)} annotations for {len(ours) + len(refused)} rows: {what}")
    elif [name for name in theirs if name not in set(refused)] != ours:
        yield Finding(at, None, "its order is not that of the rows")


def _traces(unit: StoredUnit, expected: Expected, rows: Sequence[Mapping[str, Any]]) -> Iterator[Trace | str]:
    """The source traces as they are carried, or why one cannot be had."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault as fault:
        yield from [f"no trace can be read from it: {fault.message}"] * source.num_rows
        return
    found = _found_items(unit, source, columns)
    for number, row in enumerate(rows):
        item = found.get((number, row["input_part"]))
        yield _trace(item.found if item is not None else None)


def _messages(unit: StoredUnit, expected: Expected, rows: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Where the stored messages are not those of the carried row with its enhanced thinking."""
    source = carried_table(unit.enhanced, ENHANCED_FIELDS)
    try:
        columns = resolve_columns(expected.preset, source.schema, unit.place(ENHANCED))
    except InputFault:
        return
    found = _found_items(unit, source, columns)
    shown: list[Shown] = []
    for number, row in enumerate(rows):
        item = found.get((number, row["input_part"]))
        if item is None or item.home is None:
            return
        answer = (
            row["messages"] if columns.choices.reply is Reply.ANSWER and not item.home.has_reply else None
        )
        shown.append(Shown(row["input_row"], item.home, row["enhanced_reasoning"], _built_answer(answer)))
    # Through Arrow, because its types fill in what a turn lacks.
    wanted = pa.array(unit_messages(shown), messages_type(columns)).to_pylist()
    for number, (row, chat) in enumerate(zip(rows, wanted, strict=True)):
        if row["messages"] != chat:
            message = "its messages are not its conversation with enhanced_reasoning"
            yield Finding(unit.place(ENHANCED), number, message)


def _built_answer(messages: Any) -> str | None:
    """The answer of a reply that `reply=answer` built; the audit cannot know it from the row alone."""
    if not messages:
        return None
    content = str(next(reversed(messages[-1].values())))
    return content.rpartition("The final answer is ")[2].removesuffix(".") or None


def _found_items(unit: StoredUnit, source: pa.Table, columns: ColumnMap) -> dict[tuple[int, int], Item]:
    items = traces_of(source, columns, file=unit.file, first_row=unit.start, shard_name=_shard(unit))
    return {(item.slot.row, item.slot.part): item for item in items}


def _trace(found: Trace | RowFault | Passed | None) -> Trace | str:
    if isinstance(found, Trace):
        return found
    if isinstance(found, RowFault):
        return f"its source is no trace: {found.message}"
    return "its source has no such trace" if found is None else "its source was not chosen"


def _shard(unit: StoredUnit) -> str:
    name = parse_unit_name(unit.name)
    return name.shard if name is not None else unit.name
