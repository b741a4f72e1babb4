"""`dlcot train-judge` through the command: from labels and from annotations to a judge that judges."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.training.examples import Part, part_of
from dlcot_ray.core.annotation import Source
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.judging.learned.judge import LearnedJudge
from dlcot_ray.judging.learned.weights import FILE, load
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.schemas import annotations_to_table

COUNT = 40


def trace(i: int) -> dict[str, str]:
    a, b = 11 + 3 * i, 20 + 7 * i
    return {
        "id": f"t{i}",
        "problem": f"What is {a} + {b}?",
        "reasoning": (
            f"Okay, so I have to find the sum of {a} and {b}.\n\n"
            f"{a} + {b} = {a + b}. So the answer is {a + b}.\n\n"
            f"Let me check: {a + b} - {b} = {a}. Yes, that is correct.\n\n"
            f"So the final answer is \\boxed{{{a + b}}}.\n"
        ),
        "ground_truth": str(a + b),
    }


def labels_of(row: dict[str, str]) -> dict[str, Any]:
    kinds = ("question_repeat", "solution_explore", "verify", "conclusion")
    assert len(split_segments(row["reasoning"])) == len(kinds) + 1
    return {
        "id": row["id"],
        "segments": len(kinds),
        "sections": [{"kind": kind, "start": i, "stop": i + 1} for i, kind in enumerate(kinds)],
        "approaches": [{"start": 1, "stop": 2, "label": "correct", "method": 0}],
        "verifications": [{"start": 2, "stop": 3, "kind": "affirmation", "approach": 0}],
    }


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("traces")
    pq.write_table(pa.Table.from_pylist([trace(i) for i in range(COUNT)]), folder / "a.parquet")
    return folder


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("labels") / "labels.jsonl"
    file.write_text("".join(f"{json.dumps(labels_of(trace(i)))}\n" for i in range(COUNT)), encoding="utf-8")
    return file


def train(output: Path, *words: str) -> int:
    place = [] if any(word.startswith("output=") for word in words) else [f"output={output}"]
    return main(["train-judge", *place, "iterations=15", "penalty=1", *words])


def test_labels_make_a_judge_that_finds_their_structure(traces: Path, labels: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    out = tmp_path / "judge"
    assert train(out, f"traces={traces}", f"labels={labels}") == 0
    training = json.loads((out / "training.json").read_text())
    assert sum(training["traces"].values()) == COUNT
    assert training["fingerprint"] == load(out).fingerprint
    assert training["steps"]
    assert set(training["calibration"]) == {"sections", "approaches", "drops", "labels"}
    report = json.loads((out / "evaluation.json").read_text())
    assert {item["kind"] for item in report["sets"]} >= {"sections", "boundary", "check"}
    judge = LearnedJudge(str(out))
    found = judge.annotate(Trace("new", trace(99)["problem"], trace(99)["reasoning"], "913"))
    judge.close()
    assert [str(section.kind) for section in found.sections] == [
        "question_repeat",
        "solution_explore",
        "verify",
        "conclusion",
    ]
    assert found.steps[0].source is Source.MODEL


def test_a_network_is_trained_beside_the_chain(traces: Path, labels: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("torch", reason="torch is not installed: pip install 'dlcot-ray[network]'")
    out = tmp_path / "judge"
    assert train(out, f"traces={traces}", f"labels={labels}", "network=true") == 0
    assert load(out).network is not None
    judge = LearnedJudge(str(out))
    found = judge.annotate(Trace("new", trace(99)["problem"], trace(99)["reasoning"], "913"))
    judge.close()
    assert [str(section.kind) for section in found.sections][-1] == "conclusion"


def test_annotations_make_a_judge_and_the_same_weights_twice(traces: Path, tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    judge = RulesJudge()
    made = [
        judge.annotate(Trace(r["id"], r["problem"], r["reasoning"], r["ground_truth"]))
        for r in map(trace, range(COUNT))
    ]
    judge.close()
    (tmp_path / "job/annotations").mkdir(parents=True)
    pq.write_table(annotations_to_table(made), tmp_path / "job/annotations/a.parquet")
    for name in ("one", "two"):
        assert (
            train(tmp_path / name, f"traces={traces}", f"annotations={tmp_path / 'job'}", "held_out=0") == 0
        )
    assert (tmp_path / "one" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()


def test_features_that_are_computed_on_ray_give_the_same_weights(
    traces: Path, labels: Path, tmp_path: Path, ray_session: str
) -> None:
    pytest.importorskip("scipy")
    words = (f"traces={traces}", f"labels={labels}", "held_out=0")
    assert train(tmp_path / "here", *words, "where=here") == 0
    assert train(tmp_path / "ray", *words, "where=ray", f"ray.address={ray_session}") == 0
    assert (tmp_path / "here" / FILE).read_bytes() == (tmp_path / "ray" / FILE).read_bytes()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["traces={traces}"], 2, "annotations="),
        (["labels={labels}"], 2, "traces is not set"),
        (["traces={traces}", "annotations={traces}"], 1, "holds no annotations/"),
        (["traces={traces}", "labels={labels}", "output=s3://bucket/judge"], 2, "no local directory"),
    ],
)
def test_mistakes_are_one_line(
    words: list[str],
    status: int,
    says: str,
    traces: Path,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("scipy")
    given = [word.format(traces=traces, labels=labels) for word in words]
    assert train(tmp_path / "judge", *given) == status
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert says in printed


def test_all_traces_of_a_problem_are_in_one_part() -> None:
    parts = [part_of(Trace(str(i), f"What  is {i}? ", "text"), 0.2) for i in range(500)]
    assert parts == [part_of(Trace("other", f"what is {i}?", "more"), 0.2) for i in range(500)]
    shares = {part: parts.count(part) / len(parts) for part in Part}
    assert 0.15 < shares[Part.HELD_OUT] < 0.25
    assert 0.04 < shares[Part.HELD_BACK] < 0.13
