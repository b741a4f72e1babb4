from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.agreement import verdict_agreement
from tests.support.made_output import make_output, sum_row

REASONING = "I add 17 and 25.\n\n17 + 25 = 42.\n\nLet me check: 42 - 25 = 17. Yes.\n"
TRACES = [
    {"id": f"t{number}", "problem": "17 + 25?", "reasoning": REASONING, "ground_truth": "42"}
    for number in range(4)
]


def labels(trace_id: str, **others: Any) -> dict[str, Any]:
    """Labels as `dlcot view --label` writes them."""
    known = {
        "segments": 3,
        "sections": [
            {"kind": "solution_explore", "start": 0, "stop": 2},
            {"kind": "verify", "start": 2, "stop": 3},
        ],
        "approaches": [{"start": 0, "stop": 2, "label": "correct", "method": 0}],
        "verifications": [{"start": 2, "stop": 3, "kind": "affirmation", "approach": 0}],
        "first_correct_segment": 1,
        "needed": [{"start": 1, "stop": 2}],
        "drop": [{"start": 2, "stop": 3}],
    }
    return {"id": trace_id, **known, **others}


def written(place: Path, rows: list[dict[str, Any]]) -> str:
    place.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return str(place)


@pytest.fixture
def traces(tmp_path: Path) -> str:
    return f"traces={written(tmp_path / 'traces.jsonl', TRACES)}"


def test_equal_labels_agree_in_every_figure(
    tmp_path: Path, traces: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = written(tmp_path / "ana.jsonl", [labels("t0"), labels("t1")])
    ben = written(tmp_path / "ben.jsonl", [labels("t1"), labels("t2")])
    assert main(["agreement", ana, ben, traces, "rounds=20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["traces"] == {"both": 1, "only_first": 1, "only_second": 1}
    kinds = {item["kind"]: item for item in found["sets"]}
    assert {"sections", "boundary", "label", "check", "arrival", "dropped"} <= set(kinds)
    assert kinds["sections"]["figures"]["sections.agreement"] == 1
    assert kinds["dropped"]["figures"]["dropped.f1"] == 1
    assert all(item["cases"] <= 1 for item in found["sets"])
    assert found["verdicts"] is None


def test_differences_are_seen_with_their_counts(
    tmp_path: Path, traces: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ana = written(tmp_path / "ana.jsonl", [labels(f"t{n}", verdict="TRAIN") for n in range(4)])
    ben = [labels(f"t{n}", first_correct_segment=0 if n else 1, verdict="TRAIN") for n in range(4)]
    ben[0]["verdict"] = "HARMED"
    assert (
        main(["agreement", ana, written(tmp_path / "ben.jsonl", ben), traces, "rounds=20", "within=0"]) == 0
    )
    shown = capsys.readouterr().out
    assert "4 traces labelled by both readers" in shown
    assert "arrival: first correct segment (4 cases)" in shown
    assert "exact                       0.250" in shown
    assert "verdicts: 4 traces, 75.0% the same" in shown
    assert "TRAIN / HARMED: 1" in shown
    assert "judge" not in shown


@pytest.mark.parametrize(
    ("second", "words", "status", "says"),
    [
        (None, [], 2, "second is not set"),
        ([labels("t0")], ["traces=null"], 1, "set traces="),
        ([labels("t0", segments=9)], [], 1, "label it again"),
        ([{"x": 1}], [], 1, "fit no kind"),
        ([labels("t3")], [], 1, "no trace in common"),
    ],
)
def test_bad_input_is_one_line(
    second: list[dict[str, Any]] | None,
    words: list[str],
    status: int,
    says: str,
    tmp_path: Path,
    traces: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [written(tmp_path / "ana.jsonl", [labels("t0")])]
    given += [] if second is None else [written(tmp_path / "ben.jsonl", second)]
    assert main(["agreement", *given, *(words or [traces])]) == status
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert says in told


def test_a_line_that_is_no_json_is_named(
    tmp_path: Path, traces: str, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "ben.jsonl"
    broken.write_text("{not json\n")
    ana = written(tmp_path / "ana.jsonl", [labels("t0")])
    assert main(["agreement", ana, str(broken), traces]) == 1
    assert "row 0 is no JSON" in capsys.readouterr().err


def test_verdicts_that_chance_explains_have_no_kappa() -> None:
    found = verdict_agreement({"a": "TRAIN", "b": "TRAIN"}, {"a": "TRAIN", "b": "HARMED", "c": "TRAIN"})
    assert found is not None
    assert (found["traces"], found["same"], found["kappa"]) == (2, 0.5, 0.0)
    assert verdict_agreement({"a": "TRAIN"}, {"b": "TRAIN"}) is None


def test_the_output_that_was_labelled_has_the_traces(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = make_output(tmp_path / "out", [[sum_row(0), sum_row(1)]])
    marks = {"sections": [{"kind": "solution_explore", "start": 0, "stop": 2}], "first_correct_segment": 1}
    given = []
    for reader in ("ana", "ben"):
        rows = [{"id": f"sum-{n}", "annotator": reader, **marks} for n in range(2)]
        given.append(written(tmp_path / f"{reader}.jsonl", rows))
    assert main(["agreement", *given, f"traces={output.store.given_url}", "rounds=0"]) == 0
    shown = capsys.readouterr().out
    assert "2 traces labelled by both readers" in shown
    assert "first right answer in the same place   100.0%  (2 traces)" in shown
    assert "segment_f1" not in shown
    assert main(["evaluate", f"set={given[0]}", f"traces={output.store.given_url}", "workers=1"]) == 0
