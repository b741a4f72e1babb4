"""From rows of label files to cases: the layouts that are recognised by their columns.

One generic layout per kind, and those of published sets under their own names; docs/quality.md lists both.
Published sets hold a few rows that contradict themselves (a wrong step beyond the last one): these are left
out by name. More than a few mean that the file is not what it seems, and it is refused.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from dlcot_ray.core.annotation import Label, SectionKind
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    ApproachesCase,
    ArrivalCase,
    Case,
    EquivalenceCase,
    FirstErrorCase,
    LabelledApproach,
    MethodPairCase,
    SegmentationCase,
)
from dlcot_ray.evaluation.kinds.segmentation import (
    CLASS_OF_SECTION,
    CLASSES,
    CONCLUSION,
    EXPLORE,
    SETUP,
    VERIFY,
)
from dlcot_ray.evaluation.rewording import reorder, reword

Row = Mapping[str, Any]

CLASS_OF_LABEL = {
    **{name: name for name in CLASSES},
    **{kind.value: name for kind, name in CLASS_OF_SECTION.items()},
    # RT-Seg's roles of reasoning segments.
    "problem setup": SETUP,
    "self checking": VERIFY,
    "final answer emission": CONCLUSION,
    "fact retrieval": EXPLORE,
    "plan generation": EXPLORE,
    "active computation": EXPLORE,
    "result consolidation": EXPLORE,
    "uncertainty management": EXPLORE,
}

ANOTHER = "\n\nAlternatively, let me solve it in another way.\n\n"
"""Stands between two solutions of one trace; the same for retellings, so that it tells nothing."""


BAD_SHARE = 0.02
"""Rows that a set may lose; more would be a different set."""


class LabelError(Exception):
    """A label file cannot be used; the message names the row and what is wrong with it."""


class UnknownLayout(LabelError):
    """A file's columns fit no layout."""


@dataclass
class Context:
    """What rows are read with.

    Attributes:
        traces: traces by id, for labels that refer to them.
        seen: ids that were given out, with what they stand for.
    """

    traces: Mapping[str, Trace] = field(default_factory=dict)
    seen: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def named(self, trace: Trace) -> Trace:
        """The trace under an id of its own; the same text and ground truth keep one id."""
        content = (trace.reasoning, trace.ground_truth)
        for number in itertools.count(1):
            name = trace.trace_id if number == 1 else f"{trace.trace_id}~{number}"
            if self.seen.setdefault(name, content) == content:
                return trace if number == 1 else replace(trace, trace_id=name)
        raise AssertionError


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: columns that it needs, and what makes cases of a row.

    Attributes:
        any_of: at least one of these has to be there, too.
    """

    name: str
    needs: frozenset[str]
    read: Callable[[Row, int, Context], Iterator[Case]]
    any_of: frozenset[str] = frozenset()

    def fits(self, columns: frozenset[str]) -> bool:
        """Whether a file with these columns has this layout."""
        return self.needs <= columns and (not self.any_of or bool(self.any_of & columns))


def layout_of(columns: Sequence[str]) -> Layout:
    """The first layout that fits.

    Raises:
        UnknownLayout: none does.
    """
    present = frozenset(columns)
    for layout in LAYOUTS:
        if layout.fits(present):
            return layout
    raise UnknownLayout(f"its columns fit no kind of label set; it has {', '.join(columns)}")


def read_rows(
    layout: Layout, rows: Sequence[Row], context: Context, bad_share: float = BAD_SHARE
) -> tuple[list[Case], list[str]]:
    """The cases of all rows, and a sentence for each row that had to be left out.

    Raises:
        LabelError: more than `bad_share` of the rows cannot be used; names the first one.
    """
    cases: list[Case] = []
    bad: list[str] = []
    for number, row in enumerate(rows):
        try:
            cases.extend(layout.read(row, number, context))
        except LabelError as error:
            bad.append(f"row {number}: {error}")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            bad.append(f"row {number} cannot be read as {layout.name} ({error!r})")
    if len(bad) > bad_share * len(rows):
        more = f" (and {len(bad) - 1} more of {len(rows)} rows)" if len(bad) > 1 else ""
        raise LabelError(f"{bad[0]}{more}")
    return cases, bad


def _first(row: Row, *names: str) -> Any:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _name(row: Row, number: int, text: str = "") -> str:
    found = _first(row, "id", "trace_id", "doc_id", "uuid", "Question_UUID")
    if found is not None:
        return str(found)
    return f"text-{sha256(text.encode()).hexdigest()[:8]}" if text else f"row-{number}"


def _decoded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _segmentation(row: Row, number: int, context: Context) -> Iterator[Case]:
    text = _first(row, "text", "reasoning")
    trace = context.named(Trace(_name(row, number, text), _first(row, "problem", "question") or "", text))
    spans = []
    for span in _decoded(row["spans"]):
        start, stop, label = (
            (span["start"], span["stop"], span["label"]) if isinstance(span, Mapping) else span
        )
        if not 0 <= int(start) < int(stop) <= len(text):
            raise LabelError(f"the span {start}-{stop} lies outside its text of {len(text)} characters")
        spans.append((int(start), int(stop), _class(str(label))))
    spans.sort()
    yield SegmentationCase(trace, str(row.get("annotator", "human")), tuple(spans))


def _class(label: str) -> str:
    name = CLASS_OF_LABEL.get(label.lower())
    if name is None:
        raise LabelError(f"there is no section {label!r}; known: {', '.join(sorted(CLASS_OF_LABEL))}")
    return name


def _first_error(steps: str, problem: Sequence[str], error: Callable[[Row], int | None]) -> Any:
    def read(row: Row, number: int, context: Context) -> Iterator[Case]:
        texts = tuple(str(step) for step in row[steps])
        first = error(row)
        if first is not None and not 0 <= first < len(texts):
            raise LabelError(f"step {first} is wrong, but there are {len(texts)} steps")
        starts = tuple(itertools.accumulate((len(step) + 2 for step in texts[:-1]), initial=0))
        question = "\n".join(str(row[name]) for name in problem if row.get(name))
        name = "/".join(filter(None, (_name(row, number), row.get("Sampled_Model"))))
        trace = context.named(Trace(name, question, "\n\n".join(texts)))
        yield FirstErrorCase(trace, texts, starts, first)

    return read


def _mr(correct: str, step: str) -> Callable[[Row], int | None]:
    """MR-Ben and MR-GSM8K: steps count from 1."""

    def read(row: Row) -> int | None:
        return None if str(row[correct]).lower() == "correct" else int(row[step]) - 1

    return read


def _none_below_zero(column: str) -> Callable[[Row], int | None]:
    def read(row: Row) -> int | None:
        value = row[column]
        return None if value is None or int(value) < 0 else int(value)

    return read


def _solutions(row: Row, number: int, context: Context) -> Iterator[Case]:
    """All pairs of solutions, and every solution beside two retellings of itself."""
    problem, solutions = row["problem"], [str(s) for s in row["solutions"]]
    methods = row.get("methods") or list(range(len(solutions)))
    if len(methods) != len(solutions):
        raise LabelError(f"{len(solutions)} solutions, but {len(methods)} methods")
    parts = [_first(row, "competition_id"), _first(row, "problem_id", "id")]
    group = "/".join(str(part) for part in parts if part is not None) or f"row-{number}"
    for i, j in itertools.combinations(range(len(solutions)), 2):
        same = methods[i] == methods[j]
        yield _pair(context, problem, solutions[i], solutions[j], f"{group}:{i}-{j}", same, "human", group)
    for i, solution in enumerate(solutions):
        for how, retold in (("reworded", reword(solution)), ("reordered", reorder(solution))):
            yield _pair(context, problem, solution, retold, f"{group}:{i}-{how}", True, how, group)


def _pair(
    context: Context, problem: str, first: str, second: str, name: str, same: bool, how: str, group: str
) -> MethodPairCase:
    opening = first.rstrip() + ANOTHER
    trace = context.named(Trace(name, problem, opening + second))
    return MethodPairCase(trace, first, second, len(opening), same, how, group)


def _equivalence(row: Row, number: int, context: Context) -> Iterator[Case]:
    label = _first(row, "equivalent", "label")
    if label is None:
        raise LabelError("it has no label")
    answer = str(_first(row, "pred", "answer"))
    yield EquivalenceCase(_name(row, number), str(row["gold"]), answer, bool(label))


def _trace_labels(row: Row, number: int, context: Context) -> Iterator[Case]:
    """Sections, approaches and the first correct segment of a trace, in segment numbers."""
    trace = context.named(_labelled_trace(row, number, context))
    offsets = split_segments(trace.reasoning)
    count = len(offsets) - 1
    expected = row.get("segments")
    if expected is not None and expected != count:
        raise LabelError(
            f"{trace.trace_id} was labelled in {expected} segments, but has {count}: label it again"
        )

    def checked(start: int, stop: int) -> tuple[int, int]:
        if not 0 <= start < stop <= count:
            raise LabelError(f"segments {start}-{stop} do not exist in {trace.trace_id}, which has {count}")
        return start, stop

    if row.get("sections"):
        spans = []
        for section in _decoded(row["sections"]):
            start, stop = checked(section["start"], section["stop"])
            name = CLASS_OF_SECTION[SectionKind(section["kind"])]
            spans.append((offsets[start], offsets[stop], name))
        yield SegmentationCase(trace, str(row.get("annotator", "human")), tuple(spans))
    if row.get("approaches"):
        approaches = []
        for item in _decoded(row["approaches"]):
            start, stop = checked(item["start"], item["stop"])
            label = Label(item["label"]) if item.get("label") else None
            approaches.append(LabelledApproach(start, stop, label, item.get("method")))
        yield ApproachesCase(trace, tuple(approaches))
    if "first_correct_segment" in row:
        segment = row["first_correct_segment"]
        if segment is not None:
            checked(segment, segment + 1)
        yield ArrivalCase(trace, segment)


def _labelled_trace(row: Row, number: int, context: Context) -> Trace:
    if row.get("reasoning"):
        truth = _first(row, "ground_truth", "gold_answer")
        text = row["reasoning"]
        return Trace(_name(row, number, text), row.get("problem") or "", text, truth, row.get("response"))
    found = context.traces.get(_name(row, number))
    if found is None:
        raise LabelError(f"there is no trace {_name(row, number)!r}; set traces= to the files that hold it")
    return found


LAYOUTS = (
    Layout(
        "first error (MR-Ben)",
        frozenset({"Model_Solution_Steps", "Model_Solution_Correctness", "Model_Solution_First_Error_Step"}),
        _first_error(
            "Model_Solution_Steps",
            ("Question", "Options"),
            _mr("Model_Solution_Correctness", "Model_Solution_First_Error_Step"),
        ),
    ),
    Layout(
        "first error (MR-GSM8K)",
        frozenset(
            {
                "model_output_steps",
                "model_output_solution_correctness",
                "model_output_solution_first_error_step",
            }
        ),
        _first_error(
            "model_output_steps",
            ("question",),
            _mr("model_output_solution_correctness", "model_output_solution_first_error_step"),
        ),
    ),
    Layout(
        "first error (BIG-Bench Mistake)",
        frozenset({"steps", "mistake_index"}),
        _first_error("steps", ("input",), _none_below_zero("mistake_index")),
    ),
    Layout(
        "first error",
        frozenset({"steps", "first_error"}),
        _first_error("steps", ("problem",), _none_below_zero("first_error")),
    ),
    Layout(
        "first error (ProcessBench)",
        frozenset({"steps", "label"}),
        _first_error("steps", ("problem",), _none_below_zero("label")),
    ),
    Layout("segmentation", frozenset({"spans"}), _segmentation, frozenset({"text", "reasoning"})),
    Layout("solutions", frozenset({"problem", "solutions"}), _solutions),
    Layout(
        "answer equivalence", frozenset({"gold", "equivalent"}), _equivalence, frozenset({"pred", "answer"})
    ),
    Layout(
        "trace labels",
        frozenset(),
        _trace_labels,
        frozenset({"sections", "approaches", "first_correct_segment"}),
    ),
)
"""In the order in which they are tried."""
