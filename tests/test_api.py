from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from pathlib import Path

import datasets
import psutil
import pytest
from datasets.fingerprint import Hasher

import dlcot_ray as dlcot
from dlcot_ray.core.annotation import Label
from dlcot_ray.core.policies.base import PolicyError
from dlcot_ray.errors import JobError
from tests.support.sums import sum_thought

SUM = dlcot.Trace("sum", "What is 17 + 25?", sum_thought(17, 25, 42), ground_truth="42")


def test_a_trace_is_annotated_enhanced_and_shown() -> None:
    annotation = dlcot.annotate(SUM)
    assert [approach.label for approach in annotation.approaches] == [Label.CORRECT] * len(
        annotation.approaches
    )
    result = dlcot.enhance(SUM, annotation, "keep_first")
    assert result.changed
    assert len(result.reasoning) < len(SUM.reasoning)
    assert result.reasoning.endswith("\\boxed{42}.")
    assert result.messages[0] == {"role": "user", "content": SUM.problem}
    shown = dlcot.diff(SUM, result)
    dropped = [line for line in str(shown).splitlines() if line.startswith("- ")]
    assert any("double-check" in line for line in dropped)
    assert "".join("".join(block.texts) for block in shown.blocks) == SUM.reasoning
    assert "line-through" in result._repr_html_()


def test_html_shows_markup_of_a_trace_as_text() -> None:
    trace = dlcot.Trace("<b>", "", "<script>alert(1)</script> 1 + 1 = 2.")
    assert "<script>" not in dlcot.enhance(trace)._repr_html_()


def test_without_an_annotation_the_judge_is_asked_first() -> None:
    assert dlcot.enhance(SUM, policy="keep_first") == dlcot.enhance(SUM, dlcot.annotate(SUM), "keep_first")


def test_many_traces_keep_their_order() -> None:
    traces = [dlcot.Trace(str(i), "", sum_thought(i, 5, i + 5), str(i + 5)) for i in range(20)]
    assert [a.trace_id for a in dlcot.annotate_many(traces, in_flight=4)] == [str(i) for i in range(20)]


def test_a_trace_that_is_too_long_passes_unchanged_and_says_why() -> None:
    trace = dlcot.Trace("long", "", "1 + 1 = 2. " * 200_000)
    result = dlcot.enhance(trace)
    assert result.reasoning == trace.reasoning
    assert result.reason == "too_long"


def test_wrong_names_are_one_clear_error() -> None:
    with pytest.raises(PolicyError, match="did you mean 'keep_first'"):
        dlcot.enhance(SUM, policy="keep_frist")
    with pytest.raises(JobError, match="rulse"):
        dlcot.annotate(SUM, judge="rulse")
    with pytest.raises(AttributeError, match="anotate"):
        dlcot.anotate  # type: ignore[attr-defined]  # noqa: B018


def test_it_works_where_an_event_loop_runs_already() -> None:
    """As in a notebook."""

    async def cell() -> str:
        return dlcot.annotate(SUM).trace_id

    assert asyncio.run(cell()) == "sum"


def test_it_works_row_by_row_in_datasets_map() -> None:
    rows = [{"id": str(i), "reasoning": sum_thought(i, 5, i + 5), "answer": str(i + 5)} for i in range(8)]

    def shorter(row: dict[str, str]) -> dict[str, str]:
        trace = dlcot.Trace(row["id"], "", row["reasoning"], row["answer"])
        return {"enhanced": dlcot.enhance(trace, policy="keep_first").reasoning}

    before = Hasher.hash(dlcot.annotate)
    made = datasets.Dataset.from_list(rows).map(shorter, num_proc=2)
    assert [len(row["enhanced"]) < len(row["reasoning"]) for row in made] == [True] * 8
    assert Hasher.hash(dlcot.annotate) == before


def test_a_session_closes_its_judge_and_can_be_pickled() -> None:
    before = set(psutil.Process().children(recursive=True))
    with dlcot.Session("rules") as session:
        trace = dlcot.Trace(
            "cas", "", "So x = \\frac{2}{\\sqrt{2}}.\n\nThe answer is \\frac{2}{\\sqrt{2}}.", "\\sqrt{2}"
        )
        annotation = session.annotate(trace)
        copy = pickle.loads(pickle.dumps(session))
    with copy:
        assert copy.annotate(trace) == annotation
    assert set(psutil.Process().children(recursive=True)) <= before


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = "import sys, dlcot_ray; print(sorted(n for n in sys.modules if n.split('.')[0] in {'ray', 'pyarrow', 'sympy', 'vllm'}))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(dlcot.__file__).parent / "py.typed").is_file()
    assert set(dlcot.__all__) <= set(dir(dlcot))
    assert all(hasattr(dlcot, name) for name in dlcot.__all__)
