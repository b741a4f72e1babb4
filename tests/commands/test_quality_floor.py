"""The quality floor: it scores before anything is written, stops below a floor, and is in the manifest."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dlcot_ray.cli import main
from dlcot_ray.cluster.judge_pool import Place, judge_traces
from dlcot_ray.commands.quality_floor import check_quality_floor
from dlcot_ray.config.floors import GOLD_FLOORS, QualityFloorConfig
from dlcot_ray.config.groups import DEFAULT_JUDGE
from dlcot_ray.config.loading import load_judge
from dlcot_ray.config.paths import gold_dirs
from dlcot_ray.config.settings import JudgeConfig
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.label_files import read_sets, read_traces, resolve_places
from tests.support import REPO

SHARDS = REPO / "examples" / "shards"
RULES = load_judge("rules", {})


def enhance(*words: str) -> int:
    return main(
        ["enhance", f"input={SHARDS / 'sample-00000.parquet'}", "ray.address=local", "workers=1", *words]
    )


@pytest.mark.parametrize("judge", [DEFAULT_JUDGE, "rules"])
def test_judges_without_an_engine_keep_the_default_floors_of_the_gold_set(judge: str) -> None:
    outcome = check_quality_floor(QualityFloorConfig(set="gold"), load_judge(judge, {}), None, {})
    assert outcome is not None
    assert outcome["floors"] == GOLD_FLOORS
    assert all(outcome["figures"][name] >= floor for name, floor in GOLD_FLOORS.items())
    assert outcome["traces"] == 36
    assert outcome["judge"].startswith(f"{judge}/")


def test_the_gold_set_labels_every_example_trace_in_the_units_that_it_has() -> None:
    places, trace_places = resolve_places("gold", None)
    traces = read_traces(trace_places, "auto", {})
    sets, left_out = read_sets(places, traces, {}, None)
    assert not left_out
    assert {item.layout for item in sets} == {"answer equivalence", "first error", "trace labels"}
    (labelled,) = [item for item in sets if item.layout == "trace labels"]
    assert {case.trace.trace_id for case in labelled.cases} == set(traces)  # type: ignore[union-attr]


def test_a_job_below_a_floor_stops_before_it_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert (
        enhance(f"output={out}", "quality_floor.set=gold", "quality_floor.floors.segmentation.kappa=0.999")
        == 1
    )
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "is below the quality floor: segmentation.kappa is 0." in said
    assert "its floor 0.999" in said
    assert not list(out.rglob("*"))


@pytest.mark.usefixtures("ray_session")
def test_a_passed_floor_is_in_the_manifest_and_a_failed_one_spares_earlier_results(tmp_path: Path) -> None:
    out = tmp_path / "out"
    labels = tmp_path / "steps.jsonl"
    shutil.copy(gold_dirs()[0] / "steps.jsonl", labels)
    floor = [f"quality_floor.set={labels}", "quality_floor.limit=8"]
    words = [f"output={out}", *floor]
    assert enhance(*words, "quality_floor.floors.first_error.accuracy_correct=0.5") == 0
    found = json.loads((out / "manifest.json").read_text())["run"]["quality_floor"]
    assert found["traces"] == 8
    assert found["figures"]["first_error.accuracy_correct"] >= 0.5
    before = sorted(path.name for path in out.rglob("*.parquet"))
    assert enhance(*words, "quality_floor.floors.first_error.f1=1.1", "overwrite=true") == 1
    assert sorted(path.name for path in out.rglob("*.parquet")) == before


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (
            ["quality_floor.set=/no/such.jsonl", "quality_floor.floors.label.accuracy=0.1"],
            1,
            "there is no label set",
        ),
        (["quality_floor.set={steps}"], 2, "quality_floor.set has no floors"),
        (
            ["quality_floor.set=gold", "quality_floor.floors.label.acuracy=0.1"],
            2,
            "did you mean 'label.accuracy'",
        ),
        (
            ["quality_floor.set=gold", "quality_floor.floors.label.accuracy=high"],
            2,
            "cannot be 'high'; give a number",
        ),
        (["quality_floor.set=gold", "quality_floor.limit=0"], 2, "quality_floor.limit cannot be 0"),
    ],
)
def test_a_wrong_setting_is_one_line_and_an_exit_status(
    words: list[str], status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(steps=gold_dirs()[0] / "steps.jsonl") for word in words]
    assert enhance(f"output={tmp_path / 'out'}", *given) == status
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert says in said


def test_a_figure_that_the_set_does_not_define_does_not_pass(tmp_path: Path) -> None:
    labels = tmp_path / "right_only.jsonl"
    labels.write_text('{"id": "a", "problem": "p", "steps": ["1 + 1 = 2."], "first_error": null}\n')
    with pytest.raises(JobError, match=r"first_error\.f1 is nan"):
        check_quality_floor(
            QualityFloorConfig(set=str(labels), floors={"first_error": {"f1": 0.1}}), RULES, None, {}
        )


def test_where_lower_is_better_the_floor_is_a_limit(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    row = {"id": "divisible-by-48", "first_correct_segment": 0}
    labels.write_text(json.dumps(row) + "\n")
    wanted = QualityFloorConfig(set=str(labels), traces=str(SHARDS), floors={"arrival": {"late": 0}})
    with pytest.raises(JobError, match=r"arrival\.late is 1\.000, its limit 0"):
        check_quality_floor(wanted, RULES, None, {})
    row["first_correct_segment"] = 23
    labels.write_text(json.dumps(row) + "\n")
    assert check_quality_floor(wanted, RULES, None, {}) is not None


def test_the_policy_of_the_job_is_scored(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    row = {"id": "divisible-by-48", "drop": [], "needed": [{"start": 0, "stop": 24}]}
    labels.write_text(json.dumps(row) + "\n")
    wanted = QualityFloorConfig(set=str(labels), traces=str(SHARDS), floors={"dropped": {"unharmed": 1}})
    assert check_quality_floor(wanted, RULES, None, {}, parse_policy("preference_pairs")) is not None
    with pytest.raises(JobError, match=r"dropped\.unharmed is 0\.000"):
        check_quality_floor(wanted, RULES, None, {}, parse_policy("keep_first"))


def test_judging_that_takes_too_long_is_stopped() -> None:
    traces = list(read_traces([str(SHARDS)], "auto", {}).values())
    with pytest.raises(JobError, match="judging 20 traces took longer than 0 s"):
        judge_traces(traces, RULES, Place("here", max_seconds=0))


@pytest.mark.usefixtures("ray_session")
def test_actors_on_ray_judge_as_this_process_does() -> None:
    traces = list(read_traces([str(SHARDS)], "auto", {}).values())
    here = judge_traces(traces, RULES, Place("here"))
    there = judge_traces(traces, RULES, Place("ray", address="local", workers=1))
    absent = JudgeConfig("dlcot_ray.judging.vllm.factory:vllm_judge", {"model": "/no/such/model"})
    with pytest.raises(JobError, match="there is no model at /no/such/model"):
        judge_traces(traces[:1], absent, Place("ray", address="local", workers=1))
    assert here.annotations == there.annotations
    assert not here.failed


@pytest.mark.timeout(600)
def test_a_tiny_model_does_not_pass(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # On one thread the model takes a minute for a page, so it gets the two shortest traces.
    short = ("seven-odd-numbers", "seventh-powers")
    rows = (gold_dirs()[0] / "traces.jsonl").read_text().splitlines()
    labels = tmp_path / "traces.jsonl"
    labels.write_text("\n".join(row for row in rows if json.loads(row)["id"] in short))
    words = [
        "judge=tiny-cpu",
        f"judge_options.model={model_path}",
        "judge_options.max_model_len=3072",
        "judge_options.threads=1",
    ]
    floor = [
        f"quality_floor.set={labels}",
        f"quality_floor.traces={SHARDS}",
        "quality_floor.floors.segmentation.kappa=0.35",
    ]
    out = tmp_path / "out"
    assert (
        enhance(f"output={out}", *words, "judge_options.engine.kv_cache_memory_bytes=536870912", *floor) == 1
    )
    assert "segmentation.kappa is" in capsys.readouterr().err
    assert not list(out.rglob("*"))
