"""Two labellings of each trace below each other, in segment numbers and without a word of text.

In: a reader's cases, and the annotations and drops that they are compared with. Out: Markdown, to see where
a judge and a reader part, with the trace beside it (`dlcot diff` shows a trace with its segment numbers).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

from dlcot_ray.core.annotation import Annotation
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    ChecksCase,
    DroppedCase,
    Ranges,
    SectionsCase,
)
from dlcot_ray.evaluation.dropping import Dropped

Line = tuple[str, str, str]
"""What is compared, and both sides of it."""


def side_by_side(
    cases: Sequence[Case], annotations: Mapping[str, Annotation], drops: Mapping[str, Dropped]
) -> str:
    """Every trace with its labels and those of the judge; empty if no whole traces are labelled."""
    lines: dict[str, list[Line]] = {}
    for case in cases:
        if isinstance(case, SectionsCase | ApproachesCase | ChecksCase | ArrivalCase | DroppedCase):
            name = case.trace.trace_id
            lines.setdefault(name, []).extend(_lines(case, annotations[name], drops.get(name)))
    if not lines:
        return ""
    text = ["# Traces, side by side", "", "Segment numbers, `stop` exclusive; m: number of the method."]
    for name, found in lines.items():
        count = len(annotations[name].segment_offsets) - 1
        text += ["", f"## {name}, {count} segments", "", "| | human | judge |", "|---|---|---|"]
        text += [f"| {what} | {ours or 'none'} | {theirs or 'none'} |" for what, ours, theirs in found]
    return "\n".join(text) + "\n"


def _lines(case: Case, annotation: Annotation, dropped: Dropped | None) -> Iterator[Line]:
    if isinstance(case, SectionsCase):
        yield (
            "sections",
            _joined(f"{s.start}-{s.stop} {s.kind}" for s in case.sections),
            _joined(f"{s.start}-{s.stop} {s.kind}" for s in annotation.sections),
        )
    elif isinstance(case, ApproachesCase):
        yield (
            "approaches",
            _joined(f"{a.start}-{a.stop} {a.label or '?'} m{a.method}" for a in case.approaches),
            _joined(f"{a.start}-{a.stop} {a.label} m{a.cluster}" for a in annotation.approaches),
        )
    elif isinstance(case, ChecksCase):
        yield (
            "checks",
            _joined(f"{c.start}-{c.stop} {c.kind}" for c in case.checks),
            _joined(f"{v.start}-{v.stop} {v.kind}" for v in annotation.verifications),
        )
    elif isinstance(case, ArrivalCase):
        yield "first correct", _number(case.first_correct_segment), _number(annotation.first_correct_segment)
    elif isinstance(case, DroppedCase) and dropped is not None:
        offsets = annotation.segment_offsets
        yield "dropped", _placed(case.drop, offsets), _placed(dropped.ranges, offsets)
        yield "needed", _placed(case.needed, offsets), "-"
        if dropped.outcome:
            yield "outcome", "-", dropped.outcome


def _number(segment: int | None) -> str:
    return "" if segment is None else str(segment)


def _placed(ranges: Ranges, offsets: Sequence[int]) -> str:
    """Ranges of characters as segments where they are whole ones."""
    return _joined(_place(start, stop, offsets) for start, stop in sorted(ranges))


def _place(start: int, stop: int, offsets: Sequence[int]) -> str:
    first, last = bisect_left(offsets, start), bisect_left(offsets, stop)
    whole = offsets[first] == start and last < len(offsets) and offsets[last] == stop
    return f"{first}-{last}" if whole else f"characters {start}-{stop}"


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
