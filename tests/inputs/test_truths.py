"""A ground truth is a value, or JSON that holds one; nothing else in JSON is taken for an answer."""

from __future__ import annotations

import pyarrow as pa
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.layouts.settling import settle
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import traces_of
from dlcot_ray.inputs.truths import truths_of


@pytest.mark.parametrize(
    ("cell", "truths"),
    [
        ("42", ("42",)),
        ('["1/2", "0.5"]', ("1/2", "0.5")),
        ('["12", 12]', ("12",)),
        ("['1/2', '0.5']", ("1/2", "0.5")),
        ("['it', open('x')]", ("['it', open('x')]",)),
        ("[1, 2]", ("[1, 2]",)),
        ("{1, 2}", ("{1, 2}",)),
        ('{"ground_truth": "42"}', ("42",)),
        ('{"type": "math", "ground_truth": 1.50}', ("1.50",)),
        ('{"answer": ["B", "b"], "unit": "m"}', ("B", "b")),
        ('{"ground_truth": null, "answer": "7"}', ("7",)),
        ('{"test_cases": [{"input": "1", "output": "2"}]}', ()),
        ('{"inputs": ["1"], "outputs": ["2"], "fn_name": "f"}', ()),
        ('{"ground_truth": {"deep": 1}}', ()),
        ("{}", ()),
        ('{"x": 1, "y": 2}', ('{"x": 1, "y": 2}',)),
        ('"Paris"', ("Paris",)),
        ('"a" and "b"', ('"a" and "b"',)),
        ('{"ground_truth": "42"', ('{"ground_truth": "42"',)),
        ('""', ('""',)),
        ("[" * 50_000, ("[" * 50_000,)),
        ("{" * 50_000, ("{" * 50_000,)),
        ("Six rows of seven.\n6 * 7 = 42\n#### 42", ("42",)),
        ("#### 1,250", ("1,250",)),
        ("#### A heading\nand a text", ("#### A heading\nand a text",)),
        ("A text.\n####", ("A text.\n####",)),
        (" ", ()),
    ],
)
def test_what_a_cell_says(cell: str, truths: tuple[str, ...]) -> None:
    assert truths_of([cell]) == truths


def test_cells_that_say_the_same_count_once() -> None:
    assert truths_of(["3", None, '{"answer": 3}', "3.0"]) == ("3", "3.0")


def synthetic(**columns: list[str | None]) -> list[str | None]:
    """The ground truths of rows laid out like SYNTHETIC-1."""
    count = len(next(iter(columns.values())))
    reply = "<think>\nOkay, so I add the rows. Wait, let me check them again.\n</think>\n\nDone."
    table = pa.table({"prompt": ["How many?"] * count, "llm_response": [reply] * count, **columns})
    preset = settle(load_preset("synthetic1"), Sample(table))
    found = traces_of(
        table, resolve_columns(preset, table.schema, "x"), file="x", first_row=0, shard_name="x"
    )
    return [item.found.ground_truth if isinstance(item.found, Trace) else "no trace" for item in found]


def test_the_gold_solution_or_the_verification_of_a_row_is_its_truth() -> None:
    info: list[str | None] = [
        '{"ground_truth": "12"}',
        '{"test_cases": [{"in": "1"}], "language": "python"}',
        None,
    ]
    assert synthetic(verification_info=info) == ["12", None, None]
    assert synthetic(gold_standard_solution=["7", "8", "9"], verification_info=info)[0] == "7"
