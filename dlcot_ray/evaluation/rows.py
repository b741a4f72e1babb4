"""From one row of a label file to cases, one reader per kind of label set.

In: a row as a mapping, its number and the traces that labels may refer to. Out: cases. A reader raises
`LabelError`, or a KeyError, TypeError or ValueError, where the row contradicts itself or lacks a value.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from dlcot_ray.core.trace import Trace
from dlcot_ray.evaluation.cases import (
    Case,
    EquivalenceCase,
    FirstErrorCase,
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

Reader = Callable[[Row, int, "Context"], Iterator[Case]]
"""Row, its number and the context -> its cases."""

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
"""The text between two solutions of one trace; the same before a retelling, so it does not reveal one."""


class LabelError(Exception):
    """A label file cannot be used; the message names the row and what is wrong with it."""


@dataclass
class Context:
    """What rows are read with.

    Attributes:
        traces: traces by id, for labels that refer to them.
        seen: ids that are in use, with their content.
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


def first_of(row: Row, *names: str) -> Any:
    """The first of these columns that has a value, or None."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def name_of(row: Row, number: int, text: str = "") -> str:
    """The id of a row; without one, a name from its text or its number."""
    found = first_of(row, "id", "trace_id", "doc_id", "uuid", "Question_UUID")
    if found is not None:
        return str(found)
    return f"text-{sha256(text.encode()).hexdigest()[:8]}" if text else f"row-{number}"


def decoded(value: Any) -> Any:
    """A nested value that a file holds as it is or as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def read_segmentation(row: Row, number: int, context: Context) -> Iterator[Case]:
    """One annotator's spans of one text, with a class each."""
    text = first_of(row, "text", "reasoning")
    trace = context.named(Trace(name_of(row, number, text), first_of(row, "problem", "question") or "", text))
    spans = []
    for span in decoded(row["spans"]):
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


def first_error_reader(steps: str, problem: Sequence[str], error: Callable[[Row], int | None]) -> Reader:
    """A reader of solutions in steps.

    Args:
        steps: the column that holds the steps.
        problem: the columns that make up the problem.
        error: the first wrong step of a row, counted from 0, or None.
    """

    def read(row: Row, number: int, context: Context) -> Iterator[Case]:
        texts = tuple(str(step) for step in row[steps])
        first = error(row)
        if first is not None and not 0 <= first < len(texts):
            raise LabelError(f"step {first} is wrong, but there are {len(texts)} steps")
        starts = tuple(itertools.accumulate((len(step) + 2 for step in texts[:-1]), initial=0))
        question = "\n".join(str(row[name]) for name in problem if row.get(name))
        name = "/".join(filter(None, (name_of(row, number), row.get("Sampled_Model"))))
        trace = context.named(Trace(name, question, "\n\n".join(texts)))
        yield FirstErrorCase(trace, texts, starts, first)

    return read


def first_error_of_mr(correct: str, step: str) -> Callable[[Row], int | None]:
    """MR-Ben and MR-GSM8K: steps count from 1."""

    def read(row: Row) -> int | None:
        return None if str(row[correct]).lower() == "correct" else int(row[step]) - 1

    return read


def none_below_zero(column: str) -> Callable[[Row], int | None]:
    """The step in a column; null or a negative number means that all steps are right."""

    def read(row: Row) -> int | None:
        value = row[column]
        return None if value is None or int(value) < 0 else int(value)

    return read


def read_solutions(row: Row, number: int, context: Context) -> Iterator[Case]:
    """All pairs of solutions, and every solution beside two retellings of itself."""
    problem, solutions = row["problem"], [str(s) for s in row["solutions"]]
    methods = row.get("methods") or list(range(len(solutions)))
    if len(methods) != len(solutions):
        raise LabelError(f"{len(solutions)} solutions, but {len(methods)} methods")
    parts = [first_of(row, "competition_id"), first_of(row, "problem_id", "id")]
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


def read_equivalence(row: Row, number: int, context: Context) -> Iterator[Case]:
    """Two answers and whether they are equivalent."""
    label = first_of(row, "equivalent", "equal", "label")
    if label is None:
        raise LabelError("it has no label")
    answer = str(first_of(row, "pred", "answer"))
    yield EquivalenceCase(name_of(row, number), str(first_of(row, "gold", "reference")), answer, bool(label))
