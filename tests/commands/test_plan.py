"""`dlcot plan`: figures of a job before it runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.plan.command import forecast
from dlcot_ray.config.costs import load_costs
from dlcot_ray.config.loading import load_judge, load_plan
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.plan.sample import take_sample
from tests.support.finished_job import FinishedJob, sum_trace


def source(folder: Path, rows: int, files: int = 1) -> Path:
    folder.mkdir()
    for number in range(files):
        table = pa.Table.from_pylist([sum_trace(number * rows + row) for row in range(rows)])
        pq.write_table(table, folder / f"f{number:03}.parquet", row_group_size=10)
    return folder


def told(*words: str) -> dict[str, Any]:
    return forecast(load_plan(words))


def test_the_rules_judge_costs_cpu_time(tmp_path: Path) -> None:
    figures = told(f"input={source(tmp_path / 'in', 30, 3)}", "rows_per_unit=10")
    assert (figures["files"], figures["rows"], figures["units"], figures["rows_left"]) == (3, 90, 9, 90)
    assert figures["cpu_hours"] > 0
    assert figures["judge_tokens"] is None
    assert sum(part["share"] for part in figures["histogram"]) == pytest.approx(1)


def test_a_sample_is_scaled_to_the_rows_that_are_left(tmp_path: Path) -> None:
    data = source(tmp_path / "in", 40, 2)
    words = (f"input={data}", "judge=qwen3-8b-fp8")
    whole, part = told(*words), told(*words, "sample=16")
    assert part["sample"]["rows"] == 16
    for kind in ("prefill", "cached", "decode"):
        assert part["judge_tokens"][kind] == pytest.approx(whole["judge_tokens"][kind], rel=0.2)
    assert whole["tokenizer"] == "estimated"
    assert whole["gpu"]["type"] == "h100"
    assert whole["gpu"]["fits"]
    dear = told(*words, "price=100", "efficiency=0.25", "gpu=l4", "workers=2")
    assert dear["gpu"]["cost"] == pytest.approx(dear["gpu"]["hours"] * 100)
    assert dear["gpu"]["wall_hours"] == pytest.approx(dear["gpu"]["hours"] / 2)
    assert dear["gpu"]["hours"] > 4 * whole["gpu"]["hours"]


def test_votes_on_the_structure_cost_their_answers_and_no_prefill(tmp_path: Path) -> None:
    words = (f"input={source(tmp_path / 'in', 10)}", "judge=qwen3-8b-fp8")
    once, thrice = (told(*words, f"judge_options.structure_votes={votes}") for votes in (1, 3))
    assert once["judge_tokens"] == told(*words)["judge_tokens"]
    more = {kind: thrice["judge_tokens"][kind] - once["judge_tokens"][kind] for kind in once["judge_tokens"]}
    assert more["decode"] >= 2 * 10 * 3
    assert more["cached"] > 20 * 1000
    assert more["prefill"] < 20 * 40
    assert thrice["context"] == once["context"]
    assert thrice["gpu"]["hours"] > once["gpu"]["hours"]
    with pytest.raises(JobError, match="structure_votes cannot be 2: give 1, 3 or 5"):
        told(*words, "judge_options.structure_votes=2")


def test_a_cascade_costs_only_its_unsure_traces(tmp_path: Path) -> None:
    words = (f"input={source(tmp_path / 'in', 10)}", "judge_options.model=Qwen/Qwen3-8B-FP8")
    dear = told(*words, "judge=vllm")
    cheap = told(*words, "judge=cascade", "judge_options.min_confidence=0")
    assert cheap["judge_tokens"]["prefill"] == 0 < dear["judge_tokens"]["prefill"]


def test_finished_units_are_left_out(finished_job: FinishedJob, tmp_path: Path) -> None:
    out = finished_job.copy(tmp_path)
    next((out / "enhanced").glob("a.r000000004*")).unlink()
    words = [
        f"input={finished_job.source}",
        f"output={out}",
        "rows_per_unit=4",
        "unsolved=reject",
        "reply=answer",
    ]
    figures = told(*words, "policy=keep_first+preference_pairs")
    assert (figures["rows_done"], figures["rows_left"], figures["units_done"]) == (15, 4, 4)
    rejected = figures["sample"].pop("rejected")
    assert rejected["null_reasoning"]["count"] == 1
    assert figures["sample"] == {"rows": 19, "traces": 18, "unusable": 1}
    assert not figures["other_job_in_output"]
    assert told(*words)["other_job_in_output"]


def test_reading_is_bounded_whatever_the_number_of_files(tmp_path: Path) -> None:
    data = source(tmp_path / "in", 4, 150)
    shards = find_shards(str(data))
    plan = make_plan(shards, load_preset("auto"), rows_per_unit=256, bytes_per_unit=1 << 26)
    sample = take_sample(plan, 100)
    assert 90 <= sample.rows <= 140
    files = {int(trace.trace_id.removeprefix("sum-")) // 4 for trace in sample.traces}
    assert 40 < len(files) <= 64
    assert max(files) - min(files) > 120
    assert len(take_sample(plan, 10_000).traces) <= 600


@pytest.mark.parametrize(("judge", "gpus"), [("qwen3-8b-fp8", 1), ("qwen2.5-72b", 4)])
def test_a_model_has_the_gpus_that_its_engine_spreads_over(judge: str, gpus: int) -> None:
    model = load_costs().model(load_judge(judge, {}))
    assert model is not None
    assert model.gpus == gpus


def test_the_command_prints_lines_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = source(tmp_path / "in", 5)
    assert main(["plan", f"input={data}", "judge=qwen2.5-72b", "gpu=h100"]) == 0
    printed = capsys.readouterr().out
    assert "h100 x 4:" in printed
    assert "by arithmetic at 33% of the peaks, not measured" in printed
    assert "the longest of the sample fits" in printed
    assert main(["plan", f"input={data}", "judge=qwen3-8b-fp8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gpu"]["currency"] == "USD"
    (data / "broken.parquet").write_bytes(b"PAR1")
    assert main(["plan", f"input={data}"]) == 3
    assert "broken.parquet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("gpu=h1000",), "did you mean 'h100'?"),
        (("efficiency=2",), "efficiency cannot be 2"),
        (("sample=0",), "sample cannot be 0"),
        (("costs=/no/such.yaml",), "/no/such.yaml cannot be used"),
    ],
)
def test_a_wrong_argument_is_one_line(
    words: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", f"input={source(tmp_path / 'in', 2)}", *words]) == 2
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_custom_prices_and_models(tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text(
        "gpus: {h100: {price_per_hour: 1.5}}\n"
        "models: {me/mine: {parameters: 1, weight_bytes: 2, layers: 10, kv_heads: 4, head: 64}}\n"
    )
    data = source(tmp_path / "in", 3)
    figures = told(f"input={data}", "judge=vllm", "judge_options.model=me/mine", f"costs={table}")
    assert figures["gpu"]["price_per_hour"] == 1.5
    assert figures["gpu"]["weights_gb"] == pytest.approx(2)


def test_rows_that_would_be_rejected_are_named_with_their_cause(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [sum_trace(number) for number in range(20)]
    rows[3]["reasoning"] = rows[17]["reasoning"] = None
    rows[5]["reasoning"] = "  "
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet", row_group_size=6)
    rejected = told(f"input={tmp_path / 'in'}")["sample"]["rejected"]
    assert {cause: item["count"] for cause, item in rejected.items()} == {
        "null_reasoning": 2,
        "empty_reasoning": 1,
    }
    assert "a.parquet, row 3: " in rejected["null_reasoning"]["example"]
    assert "a.parquet, row 5: " in rejected["empty_reasoning"]["example"]
    assert main(["plan", f"input={tmp_path / 'in'}"]) == 0
    assert "rejected   2 of the sample (null_reasoning), as " in capsys.readouterr().out
