from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.outputs.owning.marks import PAGE_MARK
from tests.support import REPO
from tests.support.made_output import row, sum_row

EXAMPLES = REPO / "examples" / "shards"


def profiled(capsys: pytest.CaptureFixture[str], place: Path, *words: str) -> Any:
    workers = [] if any(word.startswith("workers=") for word in words) else ["workers=1"]
    assert main(["profile", str(place), "--json", "page=null", *workers, *words]) == 0
    return json.loads(capsys.readouterr().out)


def written(place: Path, rows: list[dict[str, Any]]) -> Path:
    place.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), place / "rows.parquet", row_group_size=4)
    return place


def test_the_examples_have_figures_by_source_and_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    found = profiled(capsys, EXAMPLES)
    assert (found["traces"], found["rows"], found["of_rows"]) == (20, 20, 20)
    assert found["groups"] == ["source", "teacher"]
    whole = found["figures"]["all"]
    assert sum(whole["ends"].values()) == 20
    assert sum(item["traces"] for item in found["figures"]["teacher"].values()) == 20
    policy = found["policies"][0]
    assert 0 < whole["cut"][policy] <= whole["chosen"][policy]
    assert whole["measures"]["outcome_efficiency"]["n"] == 19


def test_several_processes_find_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = profiled(capsys, EXAMPLES), profiled(capsys, EXAMPLES, "workers=2")
    one.pop("seconds"), two.pop("seconds")
    assert one == two


def test_a_sample_is_seeded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = written(tmp_path / "in", [sum_row(number) for number in range(40)])
    first = profiled(capsys, place, "sample=10", "seed=1")
    assert (first["rows"], first["of_rows"]) == (10, 40)
    again, other = profiled(capsys, place, "sample=10", "seed=1"), profiled(capsys, place, "sample=10")
    for found in (first, again, other):
        found.pop("seconds")
    assert first == again
    assert first != other
    assert profiled(capsys, place, "sample=null")["rows"] == 40


def test_copies_control_words_and_bad_rows_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = sum_row(1)["reasoning"]
    rows = [sum_row(1), {**sum_row(1), "id": "again"}, row("word", f"{text} <|im_end|>"), row("none", None)]
    found = profiled(capsys, written(tmp_path / "in", rows))
    whole = found["figures"]["all"]
    assert whole["copies"]["exact"] == 1
    assert whole["measures"]["control_words"]["mean"] == pytest.approx(1 / 3, abs=1e-3)
    (cause,) = found["rejected"].values()
    assert cause["count"] == 1
    assert "row 3" in cause["example"]


def test_groups_may_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert profiled(capsys, EXAMPLES, "by=[teacher]")["groups"] == ["teacher"]


def test_the_summary_and_the_page_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "profile.html"
    assert main(["profile", f"input={EXAMPLES}", f"page={place}", "workers=1"]) == 0
    shown = capsys.readouterr().out
    assert "20 traces in 20 rows" in shown
    assert "outcome efficiency" in shown
    assert f"page: {place}" in shown
    assert PAGE_MARK in place.read_text(encoding="utf-8")
    # A page is replaced by the next one.
    assert main(["profile", f"input={EXAMPLES}", f"page={place}", "workers=1", "sample=5"]) == 0


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "mine.html"
    place.write_text("mine")
    assert main(["profile", f"input={EXAMPLES}", f"page={place}"]) == 2
    assert "somebody else's" in capsys.readouterr().err
    assert place.read_text() == "mine"


def test_a_policy_that_does_not_exist_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["profile", f"input={EXAMPLES}", "policies=[keep_frist]", "page=null"]) == 2
    assert "keep_first" in capsys.readouterr().err
