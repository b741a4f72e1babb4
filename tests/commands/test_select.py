"""`dlcot select` takes the best traces of each problem, and says what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from dlcot_ray.cli import main
from dlcot_ray.commands.selecting.choosing import (
    ALIKE,
    Candidate,
    distinct,
    likeness,
    lowest_rsr,
    shortest,
    signature_of,
)
from dlcot_ray.commands.selecting.reading import problem_of
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.conversations.homes import Home
from dlcot_ray.outputs.job_record import FORMAT
from tests.support.plain_run import run_without_ray

SHORT = "6 rows of 7 pears are 6 * 7 = 42 pears. So the answer is 42."
LONG = (
    "I count one row after the other: 7, 14, 21, 28, 35, 42. There are six numbers, one for each row, and the "
    "last one says how many pears there are. So the answer is 42."
)
LONG_AGAIN = LONG.replace("one row after the other", "one row after another")
WRONG = "6 + 7 = 13. So the answer is 13."


def candidate(row: int, text: str) -> Candidate:
    return Candidate(0, row, len(text.split()), signature_of(text))


def test_the_shortest_is_taken_and_of_equals_the_first() -> None:
    long, one, other = candidate(0, LONG), candidate(1, SHORT), candidate(2, SHORT)
    assert shortest([long, other, one]) == [one]
    assert shortest([]) == []


def test_the_lowest_ratio_is_taken_among_those_that_were_scored() -> None:
    high, low, same = Candidate(0, 0, 9, rsr=3.5), Candidate(0, 1, 7, rsr=2.0), Candidate(0, 2, 5, rsr=2.0)
    unscored = Candidate(0, 3, 1)
    assert lowest_rsr([high, unscored, low, same]) == [same]
    assert lowest_rsr([unscored]) == []


def test_distinct_traces_are_not_the_same_solution_told_again() -> None:
    short, long, again = candidate(0, SHORT), candidate(1, LONG), candidate(2, LONG_AGAIN)
    assert likeness(long.signature, again.signature) > ALIKE > likeness(short.signature, long.signature)
    assert distinct([again, long, short], k=3) == [short, again]
    assert distinct([again, long, short], k=1) == [short]
    assert distinct([candidate(0, "")], k=2) == [candidate(0, "")]


def test_a_problem_is_the_question_with_the_conversation_before_it() -> None:
    one, other = Trace("a", "How many\npears?", "x"), Trace("b", "How many pears?", "y")
    assert problem_of(one, Home()) == problem_of(other, None) != problem_of(other, Home(system="Be brief."))
    talk: list[dict[str, Any]] = [
        {"role": "user", "content": "Apples."},
        {"role": "user", "content": "More?"},
    ]
    assert problem_of(one, Home(turns=talk, turn=1)) == problem_of(one, Home(turns=json.dumps(talk), turn=1))
    assert problem_of(one, Home(turns=talk, turn=1)) != problem_of(one, Home(turns=talk, turn=2))
    assert problem_of(Trace("a", "", "x"), Home()) != problem_of(Trace("b", "", "x"), Home())
    asked = [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "How many pears?"}]
    sharegpt = Home(turns=[*asked, {"from": "gpt", "value": "42"}], turn=2, keys=("from", "value"))
    assert problem_of(one, sharegpt) == problem_of(one, Home(system="Be brief."))


def finished(root: Path, rows: list[dict[str, Any]]) -> Path:
    (root / "in").mkdir()
    half = len(rows) // 2
    for name, part in (("a", rows[:half]), ("b", rows[half:])):
        pq.write_table(pa.Table.from_pylist(part), root / "in" / f"{name}.parquet")
    words = [f"input={root / 'in'}", f"output={root / 'out'}", "workers=1", "policy=keep_first"]
    run_without_ray(words)
    # The command wants a finished job; its manifest is all that is lacking.
    (root / "out" / "manifest.json").write_text(json.dumps({"format": FORMAT, "complete": True}))
    return root / "out"


def rows_of(*texts: tuple[str, str, str | None]) -> list[dict[str, Any]]:
    return [
        {"id": str(i), "problem": problem, "reasoning": text, "response": "As above.", "ground_truth": truth}
        for i, (problem, text, truth) in enumerate(texts)
    ]


PEARS, PLUMS = "A box has 6 rows of 7 pears. How many?", "A box has 2 rows of 3 plums. How many?"


def chosen(root: Path) -> list[str]:
    data = load_dataset("parquet", data_files=str(root / "selected" / "*.parquet"), split="train")
    return sorted(row["id"] for row in data)


def test_each_problem_gives_its_best_traces_from_all_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = [(PEARS, LONG, "42"), (PEARS, WRONG, "42"), (PEARS, SHORT, "42"), (PLUMS, WRONG, "6")]
    out = finished(tmp_path, rows_of(*texts))
    assert main(["select", f"input={out}", f"output={tmp_path / 'one'}"]) == 0
    assert chosen(tmp_path / "one") == ["2"]
    said = capsys.readouterr().out
    assert "1 of 4 traces selected, for 1 of 2 problems" in said
    assert "1 problems without a trace that is known to be right; 2 traces miss their ground truth" in said
    assert main(["select", f"input={out}", f"output={tmp_path / 'low'}", "select=lowest_rsr"]) == 1
    assert (
        "has a rank-surprisal ratio; judge with a model and judge_options.scores" in capsys.readouterr().err
    )
    words = [f"input={out}", f"output={tmp_path / 'two'}", "select=k_distinct", "k=3"]
    assert main(["select", *words]) == 0
    assert chosen(tmp_path / "two") == ["0", "2"]
    report = json.loads((tmp_path / "two" / "selection.json").read_text())
    assert report["counts"]["selected"] == 2
    loaded = load_dataset(str(tmp_path / "two"), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == 2
    # A second time only on demand, and then nothing of the first selection is left.
    assert main(["select", *words]) == 1
    assert main(["select", *words[:2], "overwrite=true"]) == 0
    assert chosen(tmp_path / "two") == ["2"]


def test_without_a_right_trace_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = finished(tmp_path, rows_of((PEARS, SHORT, None), (PLUMS, LONG, None)))
    assert main(["select", f"input={out}", f"output={tmp_path / 'one'}"]) == 1
    assert "none of them has a ground truth" in capsys.readouterr().err
    assert not list((tmp_path / "one").glob("**/*.parquet"))


def test_an_output_inside_the_input_and_foreign_files_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = finished(tmp_path, rows_of((PEARS, SHORT, "42"), (PLUMS, LONG, "42")))
    assert main(["select", f"input={out}", f"output={out / 'selected'}"]) != 0
    assert "lies inside the input" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    assert main(["select", f"input={out}", f"output={tmp_path / 'mine'}"]) != 0
    assert "did not write" in capsys.readouterr().err
    assert main(["select", f"input={tmp_path / 'in'}", f"output={tmp_path / 'one'}"]) != 0
    assert "there is no job" in capsys.readouterr().err
