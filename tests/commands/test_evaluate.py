"""`dlcot evaluate` through the command: layouts, reports, and mistakes that are one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main

REASONING = (
    "Okay, so I add 17 and 25.\n\n17 + 25 = 42. So the answer is 42.\n\nLet me check: 42 - 25 = 17. Yes.\n"
)
STEPS = ["17 + 25 = 42.", "42 * 2 = 86.", "So the answer is 86."]
SETS: dict[str, list[dict[str, Any]]] = {
    "segmentation": [
        {
            "id": "s",
            "problem": "17 + 25?",
            "reasoning": REASONING,
            "spans": [{"start": 0, "stop": 64, "label": "explore"}, {"start": 64, "stop": 90, "label": "verify"}],
        }
    ],
    "first_error": [
        {"id": "wrong", "problem": "p", "steps": STEPS, "first_error": 1},
        {"id": "right", "problem": "p", "steps": STEPS[:1], "first_error": None},
    ],
    "first_error_processbench": [
        {"id": "wrong", "problem": "p", "steps": STEPS, "label": 1, "final_answer_correct": False},
        {"id": "right", "problem": "p", "steps": STEPS[:1], "label": -1, "final_answer_correct": True},
    ],
    "solutions": [{"id": "a", "problem": "p", "solutions": ["Count the pairs directly.", "Use the sine theorem."]}],
    "equivalence": [{"gold": "1/2", "answer": "0.5", "equivalent": True}],
    "traces": [
        {
            "id": "t",
            "problem": "17 + 25?",
            "reasoning": REASONING,
            "ground_truth": "42",
            "segments": 3,
            "sections": [{"kind": "solution_explore", "start": 0, "stop": 2}, {"kind": "verify", "start": 2, "stop": 3}],
            "approaches": [{"start": 0, "stop": 2, "label": "correct", "method": 0}],
            "verifications": [{"start": 2, "stop": 3, "kind": "affirmation", "approach": 0}],
            "first_correct_segment": 1,
            "needed": [{"start": 0, "stop": 1}],
            "drop": [],
        }
    ],
}  # fmt: skip


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder / f"{name}.parquet"


def test_every_layout_in_one_run_with_its_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, rows in SETS.items():
        write(tmp_path / "sets", name, rows)
    write(tmp_path / "sets", "unknown", [{"x": 1}])
    lines = "".join(json.dumps(row) + "\n" for row in SETS["traces"])
    (tmp_path / "sets" / "traces_as_lines.jsonl").write_text(lines)
    out = tmp_path / "out"
    assert main(["evaluate", f"set={tmp_path / 'sets'}", f"output={out}", "rounds=20"]) == 0
    printed = capsys.readouterr().out
    assert "left out: " in printed
    assert "unknown.parquet: its columns fit no kind" in printed
    report = json.loads((out / "evaluation.json").read_text())
    kinds = {(item["set"], item["kind"]) for item in report["sets"]}
    whole = {
        *("segmentation", "sections", "boundary", "label", "clusters"),
        *("check", "check_kind", "arrival", "dropped"),
    }
    assert kinds == {
        ("segmentation", "segmentation"),
        ("first_error", "first_error"),
        ("first_error_processbench", "first_error"),
        ("solutions", "methods"),
        ("equivalence", "equivalence"),
        *(("traces", kind) for kind in whole),
        *(("traces_as_lines", kind) for kind in whole),
    }
    found = {(s["set"], s["kind"]): s["tables"][0]["rows"][0]["metrics"] for s in report["sets"]}
    assert found["first_error", "first_error"] == found["first_error_processbench", "first_error"]
    assert found["first_error", "first_error"]["f1"]["value"] == 1
    assert found["traces", "arrival"]["exact"]["value"] == 1
    assert found["traces", "label"]["accuracy"]["value"] == 1
    assert found["traces", "dropped"]["unharmed"]["value"] == 1
    named = [item["figures"] for item in report["sets"] if item["kind"] == "dropped"]
    assert named[0]["dropped.unharmed"] == 1
    calibration = next(s["calibration"] for s in report["sets"] if s["kind"] == "label")
    assert calibration["reliability"][0]["right"] == 1
    assert calibration["sent"][-1]["share"] == 1
    assert report["judge"].startswith("learned/")
    assert len(report["judge_fingerprint"]) == 32
    markdown = (out / "evaluation.md").read_text()
    assert report["judge_fingerprint"] in markdown
    assert "sine theorem" not in markdown + json.dumps(report)


def test_labels_may_refer_to_traces_by_id(tmp_path: Path) -> None:
    trace = {key: SETS["traces"][0][key] for key in ("id", "problem", "reasoning", "ground_truth")}
    traces = write(tmp_path / "traces", "x", [trace])
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"id": "t", "segments": 3, "first_correct_segment": 1}\n')
    out = tmp_path / "out"
    assert main(["evaluate", f"set={labels}", f"traces={traces.parent}", f"output={out}"]) == 0
    (item,) = json.loads((out / "evaluation.json").read_text())["sets"]
    assert item["tables"][0]["rows"][0]["metrics"]["exact"]["value"] == 1


def test_another_readers_labels_are_scored_in_the_place_of_a_judge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = SETS["traces"]
    text = ("id", "problem", "reasoning", "ground_truth")
    traces = write(tmp_path / "traces", "x", [{key: row[key] for key in text}])
    one = {key: value for key, value in row.items() if key not in text} | {"id": "t"}
    two = one | {"first_correct_segment": 2, "drop": [{"start": 2, "stop": 3}], "annotator": "two"}
    for name, labels in (("one", one), ("two", two)):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(labels) + "\n")
    out = tmp_path / "out"
    words = [
        "evaluate",
        f"set={tmp_path / 'one.jsonl'}",
        f"reader={tmp_path / 'two.jsonl'}",
        f"traces={traces.parent}",
        f"output={out}",
    ]
    assert main(words) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert (report["judge"], report["settings"]["policy"]) == ("reader two", None)
    found = {item["kind"]: item["tables"][0]["rows"][0]["metrics"] for item in report["sets"]}
    assert found["sections"]["kappa"]["value"] == found["arrival"]["within"]["value"] == 1
    assert found["arrival"]["exact"]["value"] == found["dropped"]["mean_f1"]["value"] == 0
    # With a policy, it is the policy that drops, and it keeps the only check.
    assert main([*words, "policy=keep_first_plus_check", "pooled=true"]) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["judge"] == "keep_first_plus_check on reader two"
    assert "| first correct | 1 | 2 |" in (out / "traces.md").read_text()
    (dropped,) = (item for item in report["sets"] if item["kind"] == "dropped")
    assert dropped["tables"][0]["rows"][0]["metrics"]["mean_f1"]["value"] == 1
    (tmp_path / "two.jsonl").write_text(json.dumps({**two, "id": "other", "reasoning": "x"}) + "\n")
    assert main(words) == 1
    assert "segments" in capsys.readouterr().err


def test_a_trace_of_one_and_a_half_million_characters_is_judged_as_in_a_job(tmp_path: Path) -> None:
    padding = "Let me go on and think about this for a while without any figures. " * 30 + "\n\n"
    long = padding * (1_500_000 // len(padding) + 1) + REASONING
    row = {
        "id": "long",
        "problem": "17 + 25?",
        "reasoning": long,
        "ground_truth": "42",
        "first_correct_segment": 0,
    }
    sets = write(tmp_path / "sets", "long", [row])
    out = tmp_path / "out"
    assert main(["evaluate", f"set={sets}", f"output={out}", "rounds=1"]) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert (report["traces"], report["failed"]) == (1, {})


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([{"x": 1}], "fit no kind of label set; it has x"),
        ([{"steps": ["a"], "first_error": 3}], "row 0: step 3 is wrong, but there are 1 steps"),
        ([{"text": "abc", "spans": '[[0, 9, "verify"]]'}], "lies outside its text of 3 characters"),
        ([{"text": "abc", "spans": '[[0, 3, "Verfy"]]'}], "there is no section 'Verfy'"),
        ([{"id": "nobody", "first_correct_segment": 1}], "there is no trace 'nobody'; set traces="),
        ([{**SETS["traces"][0], "segments": 4}], "was labelled in 4 segments, but has 3"),
        ([{**SETS["traces"][0], "first_correct_segment": 3}], "segments 3-4 do not exist in t, which has 3"),
        ([{"problem": "p", "solutions": ["a", "b"], "methods": [1]}], "2 solutions, but 1 methods"),
        ([{"gold": "1", "pred": "1", "equivalent": None}], "row 0: it has no label"),
    ],
)
def test_an_unusable_file_is_one_line(
    rows: list[dict[str, Any]], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", f"set={write(tmp_path, 'x', rows)}"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_a_line_that_is_no_json_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "a", "gold": "1", "pred": "1", "equivalent": true}\n{"id": "b",\n')
    assert main(["evaluate", f"set={path}"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "x.jsonl: row 1 is no JSON" in said
    assert "write one object per line" in said


def test_contradictory_rows_are_left_out_and_named(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"problem": "p", "steps": ["1 + 1 = 2."], "first_error": None} for _ in range(60)
    ]
    rows[7] = {"problem": "p", "steps": ["1 + 1 = 2."], "first_error": 1}
    out = tmp_path / "out"
    words = ["evaluate", f"set={write(tmp_path, 'x', rows)}", f"output={out}", "rounds=0"]
    assert main(words) == 0
    report = json.loads((out / "evaluation.json").read_text())
    assert report["sets"][0]["cases"] == 59
    (line,) = report["left_out"]
    assert "1 of 60 rows, the first one: row 7: step 1 is wrong, but there are 1 steps" in line
    assert main([*words, "limit=12"]) == 0
    write(tmp_path, "x", rows[:20])
    assert main(words) == 1


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["set="], 2, "set is not set"),
        (["set=/no/such/place"], 1, "no label sets in /no/such/place"),
        (["set=/no/such.parquet"], 1, "there is no label set /no/such.parquet"),
        (["set=x", "where=there"], 2, "choose one of auto, here, ray"),
        (["set=x", "limit=0"], 2, "limit cannot be 0"),
        (["reader=/no/such.jsonl"], 1, "there is no label set /no/such.jsonl; check reader="),
        (["set=x", "judge=rulse"], 2, "rules"),
        (["policy=keep_forst"], 2, "keep_first"),
    ],
)
def test_a_wrong_setting_is_one_line_and_an_exit_status(
    words: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *words]) == status
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_the_limit_is_the_number_of_rows(tmp_path: Path) -> None:
    rows = [{"id": str(i), "gold": "1", "answer": "1", "equivalent": i % 2 == 0} for i in range(40)]
    out = tmp_path / "out"
    assert main(["evaluate", f"set={write(tmp_path, 'x', rows)}", "limit=10", f"output={out}"]) == 0
    (item,) = json.loads((out / "evaluation.json").read_text())["sets"]
    assert item["cases"] == 10
