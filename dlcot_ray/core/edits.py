"""Edit scripts: which segments of a trace stay, which are dropped, what is put in their place.

In: a policy's drops. Out: a script that covers every segment exactly once, in order, and the text that it
yields. So the enhanced reasoning can be replayed, compared and audited from the source alone, and no
character disappears without a recorded decision. Runs of equal decisions are merged to keep scripts short.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class EditOp(StrEnum):
    """What happens to a range of segments."""

    KEEP = "keep"
    DROP = "drop"
    REPLACE = "replace"
    INSERT = "insert"


@dataclass(frozen=True, slots=True)
class Edit:
    """One decision over segments `[start, stop)`; an INSERT has ``start == stop``.

    Attributes:
        text: the new text of a REPLACE or INSERT, else empty.
        reason: why, e.g. ``redundant: same method as approach 0``; empty for KEEP.
    """

    op: EditOp
    start: int
    stop: int
    text: str = ""
    reason: str = ""


EditScript = tuple[Edit, ...]


class EditScriptError(ValueError):
    """The script does not account for every segment exactly once, in order."""


def check_script(script: Sequence[Edit], segment_count: int) -> None:
    """Raise `EditScriptError` unless `script` covers segments 0..segment_count exactly once, in order."""
    at = 0
    for edit in script:
        if edit.start != at:
            raise EditScriptError(f"{edit.op} starts at segment {edit.start}, expected {at}")
        if edit.op is EditOp.INSERT:
            if edit.stop != edit.start or not edit.text:
                raise EditScriptError(f"insert at segment {edit.start} must be empty in segments, with text")
        elif edit.stop <= edit.start:
            raise EditScriptError(f"{edit.op} at segment {edit.start} is empty")
        if edit.text and edit.op in (EditOp.KEEP, EditOp.DROP):
            raise EditScriptError(f"{edit.op} at segment {edit.start} must not carry text")
        at = edit.stop
    if at != segment_count:
        raise EditScriptError(f"script ends at segment {at}, the trace has {segment_count}")


def merge_script(edits: Iterable[Edit]) -> EditScript:
    """Join neighbouring KEEPs, and neighbouring DROPs of one reason, into one edit each."""
    merged: list[Edit] = []
    for edit in edits:
        last = merged[-1] if merged else None
        if (
            last is not None
            and edit.op is last.op
            and edit.op in (EditOp.KEEP, EditOp.DROP)
            and edit.reason == last.reason
            and edit.start == last.stop
        ):
            merged[-1] = Edit(last.op, last.start, edit.stop, "", last.reason)
        else:
            merged.append(edit)
    return tuple(merged)


def apply_script(reasoning: str, offsets: Sequence[int], script: Sequence[Edit]) -> str:
    """The enhanced reasoning: kept characters from `reasoning`, new ones from the script.

    `offsets` are the n+1 code-point offsets of the segments.
    """
    parts: list[str] = []
    for edit in script:
        if edit.op is EditOp.KEEP:
            parts.append(reasoning[offsets[edit.start] : offsets[edit.stop]])
        elif edit.op is not EditOp.DROP:
            parts.append(edit.text)
    return "".join(parts)


def keep_all(segment_count: int) -> EditScript:
    """The script that changes nothing."""
    return (Edit(EditOp.KEEP, 0, segment_count),) if segment_count else ()


def drop_script(drops: Mapping[int, str], segment_count: int) -> EditScript:
    """The script that drops the segments of `drops` (segment -> reason), one edit per run of one reason."""
    edits: list[Edit] = []
    at = start = stop = 0
    reason = ""
    for segment in [*sorted(drops), segment_count]:
        if segment == stop < segment_count and drops[segment] == reason and stop > start:
            stop += 1
            continue
        if stop > start:
            if start > at:
                edits.append(Edit(EditOp.KEEP, at, start))
            edits.append(Edit(EditOp.DROP, start, stop, "", reason))
            at = stop
        if segment < segment_count:
            start, stop, reason = segment, segment + 1, drops[segment]
    if at < segment_count:
        edits.append(Edit(EditOp.KEEP, at, segment_count))
    return tuple(edits)


def replace_segments(
    script: Sequence[Edit], texts: Mapping[int, str], reason: str | Mapping[int, str]
) -> EditScript:
    """The script with kept segments replaced by new texts; a segment with an empty text is dropped.

    `reason` is one reason for all replaced segments, or a mapping with one for each.
    """
    edits: list[Edit] = []
    replaced = sorted(texts)
    for edit in script:
        first, last = bisect_left(replaced, edit.start), bisect_left(replaced, edit.stop)
        inside = replaced[first:last] if edit.op is EditOp.KEEP else []
        at = edit.start
        for segment in inside:
            if segment > at:
                edits.append(Edit(EditOp.KEEP, at, segment))
            new = texts[segment] if texts[segment].strip() else ""
            why = reason if isinstance(reason, str) else reason[segment]
            edits.append(Edit(EditOp.REPLACE if new else EditOp.DROP, segment, segment + 1, new, why))
            at = segment + 1
        if not inside:
            edits.append(edit)
        elif at < edit.stop:
            edits.append(Edit(EditOp.KEEP, at, edit.stop))
    return merge_script(edits)


def segments_of(script: Iterable[Edit], ops: Collection[EditOp]) -> Iterator[int]:
    """The segments that edits of certain kinds cover, in order."""
    for edit in script:
        if edit.op in ops:
            yield from range(edit.start, edit.stop)
