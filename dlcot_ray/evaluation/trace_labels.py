"""Labels of whole traces: from one row to the cases of every kind that it labels.

In: a row in segment numbers (`stop` exclusive), and the traces. Out: cases. The columns follow the reading
of one person: sections, approaches, verifications, the first correct segment, and what may be dropped. A
column that is missing or null labels nothing; an empty list says that there is none. What is wrong with a
row is said in one sentence that names the trace, the entry and the remedy.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from dlcot_ray.core.annotation import Label, Section, SectionKind, VerificationKind
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import did_you_mean
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    ChecksCase,
    DroppedCase,
    LabelledApproach,
    LabelledCheck,
    Ranges,
    SectionsCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.kinds.segmentation import CLASS_OF_SECTION
from dlcot_ray.evaluation.rows import Context, LabelError, Row, decoded, first_of, name_of

E = TypeVar("E", bound=StrEnum)

_LABELS = (Label.CORRECT, Label.INCORRECT, Label.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class _Labelled:
    """One row with its trace, and the n+1 offsets of the trace's n segments."""

    row: Row
    trace: Trace
    offsets: tuple[int, ...]

    def entries(self, column: str) -> list[tuple[Mapping[str, Any], int, int]] | None:
        """The entries of a column with their segments; None where the column labels nothing.

        Raises:
            LabelError: an entry is no range of segments of the trace.
        """
        value = decoded(self.row.get(column))
        if value is None:
            return None
        return [(item, *self.segments(column, i, item)) for i, item in enumerate(_items(column, value))]

    def segments(self, column: str, index: int, item: Mapping[str, Any]) -> tuple[int, int]:
        """The segments of one entry."""
        start, stop = _bounds(column, index, item)
        self.checked(start, stop, f" ({column}, entry {index})")
        return start, stop

    def checked(self, start: int, stop: int, where: str = "") -> None:
        """Raise a LabelError unless these are segments of the trace."""
        count = len(self.offsets) - 1
        if not 0 <= start < stop <= count:
            raise LabelError(
                f"segments {start}-{stop} do not exist in {self.trace.trace_id}, which has {count}{where}"
            )

    def characters(self, column: str) -> Ranges:
        """The entries of a column as ranges of characters."""
        return tuple((self.offsets[a], self.offsets[b]) for _, a, b in self.entries(column) or ())


def read_trace_labels(row: Row, number: int, context: Context) -> Iterator[Case]:
    """All that a row says of a trace, in segment numbers.

    Raises:
        LabelError: the trace is unknown, or the row does not fit it or contradicts itself.
    """
    trace = context.named(_labelled_trace(row, number, context))
    labelled = _Labelled(row, trace, split_segments(trace.reasoning))
    count = len(labelled.offsets) - 1
    expected = row.get("segments")
    if expected is not None and expected != count:
        raise LabelError(
            f"{trace.trace_id} was labelled in {expected} segments, but has {count}: label it again"
        )
    yield from _sections(labelled)
    approaches = _approaches(labelled)
    if approaches is not None:
        yield ApproachesCase(trace, approaches)
    checks = _checks(labelled, approaches)
    if checks is not None:
        yield ChecksCase(trace, checks)
    arrived = row.get("first_correct_segment")
    if arrived is not None:
        arrived = _whole("first_correct_segment", arrived)
        labelled.checked(arrived, arrived + 1)
    if "first_correct_segment" in row:
        yield ArrivalCase(trace, arrived)
    yield from _dropped(labelled, checks or (), arrived)


def _sections(labelled: _Labelled) -> Iterator[Case]:
    entries = labelled.entries("sections")
    if not entries:
        return
    trace, offsets = labelled.trace, labelled.offsets
    sections = sorted(
        (
            Section(_member(SectionKind, item, "kind", f"sections, entry {i}"), start, stop)
            for i, (item, start, stop) in enumerate(entries)
        ),
        key=lambda section: section.start,
    )
    for one, other in itertools.pairwise(sections):
        if other.start < one.stop:
            raise LabelError(
                f"sections {one.start}-{one.stop} and {other.start}-{other.stop} of {trace.trace_id} "
                "overlap: give each segment one section"
            )
    spans = tuple((offsets[s.start], offsets[s.stop], CLASS_OF_SECTION[s.kind]) for s in sections)
    yield SegmentationCase(trace, str(labelled.row.get("annotator") or "human"), spans)
    yield SectionsCase(trace, offsets, tuple(sections))


def _approaches(labelled: _Labelled) -> tuple[LabelledApproach, ...] | None:
    entries = labelled.entries("approaches")
    if entries is None:
        return None
    found = []
    for index, (item, start, stop) in enumerate(entries):
        label = None
        if item.get("label"):
            label = _member(Label, item, "label", f"approaches, entry {index}", _LABELS)
        method = item.get("method")
        if method is not None:
            method = _whole(f"method of approaches, entry {index},", method)
        found.append(LabelledApproach(start, stop, label, method))
    return tuple(found)


def _checks(
    labelled: _Labelled, approaches: Sequence[LabelledApproach] | None
) -> tuple[LabelledCheck, ...] | None:
    entries = labelled.entries("verifications")
    if entries is None:
        return None
    found = []
    for index, (item, start, stop) in enumerate(entries):
        where = f"verifications, entry {index}"
        about = item.get("approach")
        if about is not None and approaches is not None:
            about = _whole(f"approach of {where},", about)
            if not 0 <= about < len(approaches):
                raise LabelError(
                    f"{where} of {labelled.trace.trace_id} examines approach {about}, but there are "
                    f"{len(approaches)}: count approaches from 0"
                )
        found.append(LabelledCheck(start, stop, _member(VerificationKind, item, "kind", where), about))
    return tuple(found)


def _dropped(labelled: _Labelled, checks: Sequence[LabelledCheck], arrived: int | None) -> Iterator[Case]:
    row, offsets = labelled.row, labelled.offsets
    if row.get("drop") is None and row.get("drop_chars") is None:
        return
    inside = []
    for index, item in enumerate(_items("drop_chars", decoded(row.get("drop_chars")) or [])):
        start, stop = _bounds("drop_chars", index, item)
        if not 0 <= start < stop <= offsets[-1]:
            raise LabelError(
                f"characters {start}-{stop} (drop_chars, entry {index}) lie outside "
                f"{labelled.trace.trace_id}, which has {offsets[-1]}"
            )
        inside.append((start, stop))
    yield DroppedCase(
        labelled.trace,
        (*labelled.characters("drop"), *inside),
        labelled.characters("needed"),
        labelled.characters("second_methods"),
        tuple((offsets[c.start], offsets[c.stop]) for c in checks if c.kind is VerificationKind.AFFIRMATION),
        None if arrived is None else offsets[arrived + 1],
    )


def _items(column: str, value: Any) -> list[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or not all(isinstance(item, Mapping) for item in value):
        raise LabelError(f"{column} is no list of objects with start and stop")
    return list(value)


def _bounds(column: str, index: int, item: Mapping[str, Any]) -> tuple[int, int]:
    for name in ("start", "stop"):
        if item.get(name) is None:
            raise LabelError(f"{column}, entry {index}, has no {name}: give start and stop")
    start, stop = (_whole(f"{name} of {column}, entry {index},", item[name]) for name in ("start", "stop"))
    return start, stop


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise LabelError(f"{name} is {value!r}: it has to be a whole number")
    return value


def _member(
    kind: type[E], item: Mapping[str, Any], name: str, where: str, known: Sequence[E] | None = None
) -> E:
    """An entry's word as a member of an enumeration."""
    valid = [member.value for member in known or tuple(kind)]
    value = item.get(name)
    if value not in valid:
        raise LabelError(f"{where}, has the {name} {value!r}: {did_you_mean(str(value), valid)}")
    return kind(value)


def _labelled_trace(row: Row, number: int, context: Context) -> Trace:
    if row.get("reasoning"):
        truth = first_of(row, "ground_truth", "gold_answer")
        text = row["reasoning"]
        return Trace(name_of(row, number, text), row.get("problem") or "", text, truth, row.get("response"))
    found = context.traces.get(name_of(row, number))
    if found is None:
        raise LabelError(
            f"there is no trace {name_of(row, number)!r}; set traces= to the files or the output that hold it"
        )
    return found
