"""Layouts that are laid out like public data sets, from `../shared/cases`; skipped where that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.annotation import ReferenceKind
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.choices import Choices, Generations
from dlcot_ray.inputs.layouts.choosing import Choice, choose_layout
from dlcot_ray.inputs.layouts.sample import Sample
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.answering.reference import find_reference
from tests.support import REPO

CASES = REPO.parent / "shared" / "cases" / "layouts"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not on this machine")


def read(name: str, generations: Generations = Generations.ALL) -> tuple[Choice, list[dict[str, Any]]]:
    """The layout that is chosen for a case, and its rows."""
    (path,) = CASES.glob(f"{name}*.parquet")
    table = pq.read_table(path).replace_schema_metadata(None)
    choice = choose_layout(load_preset("auto", Choices(generations)), Sample(table), path.name)
    assert not choice.refusal
    return choice, table.to_pylist()


def traces_of_case(name: str, generations: Generations = Generations.ALL) -> Sequence[Trace]:
    choice, _ = read(name, generations)
    assert not choice.fit.faults
    return choice.fit.traces


def names() -> list[str]:
    return sorted(path.stem for path in CASES.glob("*.parquet")) if CASES.is_dir() else []


@pytest.mark.parametrize("name", names())
def test_every_case_is_read_and_no_row_is_rejected_for_its_layout(name: str) -> None:
    choice, rows = read(name)
    assert choice.fit.traces
    if name != "L21_tags":
        assert not choice.fit.faults
        assert len(choice.fit.traces) >= len(rows)


def test_generations_and_their_flags() -> None:
    assert [trace.trace_id for trace in traces_of_case("L07")] == ["L07/0", "L07/1"]
    assert [trace.trace_id for trace in traces_of_case("L07", Generations.CORRECT)] == ["L07/1"]
    assert len(traces_of_case("L18")) == 2


def test_three_solutions_are_graded_against_the_final_answer() -> None:
    traces = traces_of_case("L08")
    assert len(traces) == 3
    assert {find_reference(trace) for trace in traces} == {("210", ReferenceKind.GROUND_TRUTH)}


def test_the_gold_solution_is_the_reference_and_never_the_reply() -> None:
    (trace,) = traces_of_case("L11")
    assert find_reference(trace) == ("999", ReferenceKind.GROUND_TRUTH)
    (numina,) = traces_of_case("L16")
    assert find_reference(numina) == ("210", ReferenceKind.GROUND_TRUTH)
    assert numina.response


@pytest.mark.parametrize(("name", "column"), [("L13", "output"), ("L15", "answer"), ("L40", "answer")])
def test_prose_is_the_reply_and_no_ground_truth(name: str, column: str) -> None:
    _, rows = read(name)
    (trace,) = traces_of_case(name)
    assert (trace.response or "").strip() == rows[0][column]
    assert trace.ground_truth is None


def test_a_list_of_answers_is_the_reference() -> None:
    (trace,) = traces_of_case("L36")
    assert find_reference(trace) == ("210", ReferenceKind.GROUND_TRUTH)


def test_the_solution_of_limo_is_the_trace() -> None:
    (trace,) = traces_of_case("L41")
    assert trace.reasoning == read("L41")[1][0]["solution"]
    assert trace.ground_truth == "210"


def test_the_input_of_alpaca_belongs_to_the_problem() -> None:
    (trace,) = traces_of_case("L49")
    row = read("L49")[1][0]
    assert trace.problem == f"{row['instruction']}\n\n{row['input']}"


def test_placeholders_are_no_reference() -> None:
    traces = traces_of_case("L53")
    assert len(traces) == 3
    assert {find_reference(trace) for trace in traces} == {(None, ReferenceKind.NONE)}


def test_ids_that_repeat_reject_no_row() -> None:
    for name in ("L38a", "L38b", "four_samples_one_id"):
        choice, rows = read(name)
        assert len(choice.fit.traces) == len(rows)
