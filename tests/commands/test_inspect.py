from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.inputs.layouts import sampling
from tests.support.public_layouts import problem, table_of, write_layout


def inspected(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    status = main(["inspect", f"input={folder}", "--json", *words])
    return status, json.loads(capsys.readouterr().out)


def test_each_set_of_columns_is_told_apart_and_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("medical_o1", "s1k", "question_reasoning_answer"):
        write_layout(name, tmp_path)
    status, found = inspected(tmp_path, capsys)
    assert status == 0
    assert {group["layout"]: group["traces"] for group in found["layouts"]} == {
        "medical_o1": 6, "s1k": 12, "plain": 6,
    }  # fmt: skip
    plain = next(group for group in found["layouts"] if group["layout"] == "plain")
    assert plain["roles"] == {
        "problem": "question",
        "reasoning": "reasoning",
        "response": "answer",
        "id": "id",
    }
    assert len(plain["examples"]) == 3
    assert plain["examples"][0]["problem"] == problem(0)


def test_text_names_the_columns_and_shows_three_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_layout("synthetic1", tmp_path)
    assert main(["inspect", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "layout     synthetic1 (detected; near: messages)" in lines[3]
    assert any("ground_truth: gold_standard_solution" in line for line in lines)
    assert "reference  6 number" in lines
    assert sum(line.startswith("trace ") for line in lines) == 3


def test_files_without_rows_and_of_other_kinds_are_named_and_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "none.jsonl").write_text("")
    (tmp_path / "notes.txt").write_text("x")
    assert main(["inspect", str(tmp_path / "none.jsonl")]) == 1
    assert "the inputs have no rows" in capsys.readouterr().err
    write_layout("plain", tmp_path)
    status, found = inspected(tmp_path, capsys)
    assert (status, len(found["layouts"])) == (0, 1)
    assert {Path(item["file"]).name: item["reason"] for item in found["skipped"]["files"]} == {
        "none.jsonl": "it has no rows",
        "notes.txt": "no format has its suffix",
    }


def test_a_layout_that_fits_nothing_is_a_fault_with_a_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pq.write_table(pa.table({"title": ["a"], "body": ["b"]}), tmp_path / "x.parquet")
    assert main(["inspect", str(tmp_path)]) == 3
    out = capsys.readouterr().out
    assert "layout     none: no layout fits its columns" in out
    assert "set dataset=" in out


def test_many_files_are_sampled_and_a_broken_one_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(80):
        pq.write_table(table_of("plain", 2), tmp_path / f"p{number:03}.parquet")
    status, found = inspected(tmp_path, capsys)
    assert (status, found["files"], found["looked_at"]) == (0, 80, 64)
    (tmp_path / "only").mkdir()
    write_layout("plain", tmp_path / "only")
    (tmp_path / "only" / "broken.parquet").write_bytes(b"PAR1 no")
    status, found = inspected(tmp_path / "only", capsys)
    assert status == 3
    assert "broken.parquet" in found["unusable_inputs"][0]
    assert found["layouts"][0]["traces"] == 6


def test_it_imports_neither_ray_nor_a_model(tmp_path: Path) -> None:
    write_layout("plain", tmp_path)
    code = (
        "import sys; from dlcot_ray.cli import main; "
        f"status = main(['inspect', {str(tmp_path)!r}]); "
        "assert not {'ray', 'vllm', 'torch'} & set(sys.modules); sys.exit(status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_settings_of_generations_are_honoured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_layout("openr1_math", tmp_path)
    assert inspected(tmp_path, capsys)[1]["layouts"][0]["traces"] == 12
    assert inspected(tmp_path, capsys, "generations=correct")[1]["layouts"][0]["traces"] == 6
    status, found = inspected(tmp_path, capsys, "dataset=completion")
    assert (status, found["layouts"][0]["layout"]) == (3, None)


def test_json_lines_are_read_like_parquet_and_only_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [json.dumps(row) for row in table_of("question_reasoning_answer", 40).to_pylist()]
    (tmp_path / "a.jsonl").write_text("\n".join(rows) + "\nno json\n")
    status, found = inspected(tmp_path, capsys)
    assert status == 0
    assert found["layouts"][0]["roles"]["response"] == "answer"
    assert found["layouts"][0]["rejected"]["bad_line"]["rows"] == 1
    monkeypatch.setattr(sampling, "_HEAD_BYTES", len("\n".join(rows[:10])) + 20)
    assert inspected(tmp_path, capsys)[1]["layouts"][0]["rows"] == 10
