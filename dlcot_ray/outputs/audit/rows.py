"""Checks of single rows: one row of `enhanced/` against its source trace and its annotation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.core.edits import EditOp
from dlcot_ray.core.enhancement import Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.outputs.schemas import replay

_SHOWN = 60
"""Characters of a text that a message shows."""


def row_findings(row: Mapping[str, Any], trace: Trace, judge: str, policy: str | None) -> Iterator[str]:
    """Everything that is wrong with one row of `enhanced/`.

    Args:
        row: our columns of it.
        trace: the source trace.
        judge: the identity that fingerprints were made with.
        policy: the expression that every row must have; None where this version cannot read it.
    """
    edits, text = row["edits"], row["enhanced_reasoning"]
    yield from _script(edits, len(trace.reasoning))
    if replay(trace.reasoning, edits) != text:
        yield "replaying its edits does not give enhanced_reasoning"
    if row["status"] not in set(Status):
        yield f"there is no status {row['status']!r}"
    if row["status"] == Status.UNCHANGED and text != trace.reasoning:
        yield "it is called unchanged and is not"
    if policy is not None and row["policy"] != policy:
        yield f"its policy is {shorten(row['policy'])}, the job's {shorten(policy)}"
    made = row["fingerprint"]
    if made and made not in (fingerprint(trace, judge), fingerprint(trace, row["judge"])):
        yield "its fingerprint is not that of its trace and judge"


def _script(edits: Sequence[Mapping[str, Any]], length: int) -> Iterator[str]:
    """Where the edits do not cover every character and segment once, in order."""
    at = segment = 0
    for number, edit in enumerate(edits):
        if edit["op"] not in set(EditOp):
            yield f"edit {number}: there is no operation {edit['op']!r}"
        if (edit["start"], edit["segment_start"]) != (at, segment) or edit["stop"] < at:
            yield f"edit {number} starts at character {edit['start']}, the one before ends at {at}"
        if edit["text"] and edit["op"] in (EditOp.KEEP, EditOp.DROP):
            yield f"edit {number} is a {edit['op']} and brings text"
        at, segment = edit["stop"], edit["segment_stop"]
    if at != length:
        yield f"its edits account for {at} characters, the trace has {length}"


def annotation_findings(row: Mapping[str, Any], trace: Trace, annotation: Annotation) -> Iterator[str]:
    """Where an annotation does not fit its trace, or the row's edits do not fit the annotation."""
    offsets = annotation.segment_offsets
    count = len(offsets) - 1
    if (row["judge"], row["fingerprint"]) != (annotation.judge, annotation.fingerprint):
        yield "judge or fingerprint differ from its row in enhanced/"
    if not offsets or offsets[0] != 0 or offsets[-1] != len(trace.reasoning):
        yield f"its segments cover {offsets[-1:]} characters, the trace has {len(trace.reasoning)}"
        return
    if any(one >= other for one, other in pairwise(offsets)):
        yield "its segment offsets do not ascend"
    edges = [0, *(section.stop for section in annotation.sections)]
    starts = [section.start for section in annotation.sections]
    if starts != edges[:-1] or edges[-1] != count:
        yield "its sections do not partition the segments"
    for what, items in (("approaches", annotation.approaches), ("verifications", annotation.verifications)):
        ranges = [(item.start, item.stop) for item in items]
        inside = all(0 <= start < stop <= count for start, stop in ranges)
        if not inside or any(one[1] > other[0] for one, other in pairwise(ranges)):
            yield f"its {what} leave the trace or overlap"
    for edit in row["edits"]:
        first, last = edit["segment_start"], edit["segment_stop"]
        if not 0 <= first <= last <= count or (offsets[first], offsets[last]) != (
            edit["start"],
            edit["stop"],
        ):
            yield (
                f"segments {first}-{last} are not characters {edit['start']}-{edit['stop']}, "
                "as an edit has it"
            )
            break
    spent = Counter[str]()
    for step in annotation.steps:
        spent.update(asdict(step.tokens))
    if {kind: count for kind, count in spent.items() if count} != {
        kind: count for kind, count in asdict(annotation.tokens).items() if count
    }:
        yield "the tokens of its steps do not add up"


def shorten(text: str) -> str:
    """A text in quotes, as messages show it."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
