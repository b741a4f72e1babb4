"""The layouts of label files, recognised by their columns (docs/reference/label-files.md lists them).

In: a file's columns and rows. Out: cases. There is one generic layout per kind, and one for each published
set under its own name. Published sets hold a few rows that contradict themselves; these are left out by
name. Where more than `BAD_SHARE` of the rows are bad, the file is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlcot_ray.evaluation.cases import Case
from dlcot_ray.evaluation.rows import (
    Context,
    LabelError,
    Reader,
    Row,
    first_error_of_mr,
    first_error_reader,
    none_below_zero,
    read_equivalence,
    read_segmentation,
    read_solutions,
)
from dlcot_ray.evaluation.trace_labels import read_trace_labels

BAD_SHARE = 0.02
"""Largest share of rows that may be left out; with more, the file is refused."""


class UnknownLayout(LabelError):
    """A file's columns fit no layout."""


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: columns that it needs, and what makes cases of a row.

    Attributes:
        any_of: at least one of these has to be there, too.
    """

    name: str
    needs: frozenset[str]
    read: Reader
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
    layout: Layout,
    rows: Sequence[Row],
    context: Context,
    bad_share: float = BAD_SHARE,
    numbers: Sequence[int] | None = None,
) -> tuple[list[Case], list[str]]:
    """The cases of all rows, and a sentence for each row that had to be left out.

    Args:
        layout: of the file.
        rows: all rows, or a sample of them.
        context: what they are read with.
        bad_share: most rows that may be left out, as a share.
        numbers: the rows' numbers in the file, from 0, for a sample.

    Raises:
        LabelError: more than `bad_share` of the rows cannot be used; names the first one.
    """
    cases: list[Case] = []
    bad: list[str] = []
    for number, row in zip(numbers or range(len(rows)), rows, strict=True):
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


LAYOUTS = (
    Layout(
        "first error (MR-Ben)",
        frozenset({"Model_Solution_Steps", "Model_Solution_Correctness", "Model_Solution_First_Error_Step"}),
        first_error_reader(
            "Model_Solution_Steps",
            ("Question", "Options"),
            first_error_of_mr("Model_Solution_Correctness", "Model_Solution_First_Error_Step"),
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
        first_error_reader(
            "model_output_steps",
            ("question",),
            first_error_of_mr("model_output_solution_correctness", "model_output_solution_first_error_step"),
        ),
    ),
    Layout(
        "first error (BIG-Bench Mistake)",
        frozenset({"steps", "mistake_index"}),
        first_error_reader("steps", ("input",), none_below_zero("mistake_index")),
    ),
    Layout(
        "first error",
        frozenset({"steps", "first_error"}),
        first_error_reader("steps", ("problem",), none_below_zero("first_error")),
    ),
    Layout(
        "first error (ProcessBench)",
        frozenset({"steps", "label"}),
        first_error_reader("steps", ("problem",), none_below_zero("label")),
    ),
    Layout("segmentation", frozenset({"spans"}), read_segmentation, frozenset({"text", "reasoning"})),
    Layout("solutions", frozenset({"problem", "solutions"}), read_solutions),
    Layout(
        "answer equivalence",
        frozenset({"gold", "equivalent"}),
        read_equivalence,
        frozenset({"pred", "answer"}),
    ),
    Layout("answer equivalence", frozenset({"answer", "reference", "equal"}), read_equivalence),
    Layout(
        "trace labels",
        frozenset(),
        read_trace_labels,
        frozenset({"sections", "approaches", "verifications", "first_correct_segment", "drop"}),
    ),
)
"""In the order in which they are tried."""
