"""The job with a real model as judge, through the command: faults at the start, an engine killed on the way."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.judging.model.judge import VERSION

pytestmark = pytest.mark.timeout(900)

LINES = [
    "Okay, so I need to add {a} and {b}.",
    "Let me just add them directly. {a} + {b} = {c}. So the answer is {c}.",
    "Alternatively, I could count up from {a}, {b} times. That gives {a} + {b} = {c} again, so the answer is {c}.",
    "Wait, let me double-check by subtracting: {c} - {b} = {a}. Yes, that works.",
    "So the final answer is \\boxed{{{c}}}.",
]
SMALL = (
    "judge=tiny-cpu",
    "judge_options.max_model_len=3072",
    "judge_options.threads=1",
    "judge_options.engine.kv_cache_memory_bytes=536870912",
    "rows_per_unit=1",
)
THIN = ("judge_options.engine.load_format=dummy", "judge_options.engine.hf_overrides.num_hidden_layers=2")
"""Two layers with weights at random: the same requests in a tenth of the time, and answers without sense."""


def source(folder: Path, rows: int) -> Path:
    folder.mkdir()
    table = []
    for i in range(rows):
        values = {"a": 17 + i, "b": 5 + i, "c": 22 + 2 * i}
        thought = "\n\n".join(line.format(**values) for line in LINES)
        problem = "What is {a} + {b}?".format(**values)
        table.append({"id": f"t{i}", "problem": problem, "reasoning": thought, "answer": str(values["c"])})
    pq.write_table(pa.Table.from_pylist(table), folder / "x.parquet")
    return folder


def one_line(text: str) -> str:
    """The error of a job: the one line behind those that say how the input is read."""
    layout = ("layout", "columns", "sample", "reference")
    (line,) = [line for line in text.splitlines() if line.strip() and line.split()[1] not in layout]
    return line


def test_a_missing_model_is_refused_before_ray_starts(tmp_path: Path) -> None:
    data = source(tmp_path / "in", 2)
    words = ["ray.address=local", f"input={data}", f"output={tmp_path / 'out'}", *SMALL]
    command = [sys.executable, "-m", "dlcot_ray.cli", "enhance", *words, "judge_options.model=/no/such/model"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    assert "there is no model at /no/such/model; set judge_options.model" in one_line(done.stderr)
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("ray_session")
def test_a_model_without_weights_stops_the_job_with_one_line(
    tmp_path: Path, model_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = source(tmp_path / "in", 2)
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_bytes((model_path / "config.json").read_bytes())
    words = [f"input={data}", f"output={tmp_path / 'out'}", *SMALL, f"judge_options.model={bare}"]
    assert main(["enhance", *words]) == 1
    line = one_line(capsys.readouterr().err)
    assert "holds no weights" in line
    assert "download the model again" in line


@pytest.mark.usefixtures("ray_session")
def test_a_killed_engine_loses_no_row(tmp_path: Path, model_path: Path) -> None:
    count = 3
    data, out, over = source(tmp_path / "in", count), tmp_path / "out", threading.Event()
    words = [f"input={data}", f"output={out}", *SMALL, *THIN, f"judge_options.model={model_path}"]
    with ThreadPoolExecutor(1) as thread:
        killing = thread.submit(kill_engine, out, over)
        status = main(["enhance", *words])
        over.set()
    assert killing.result() < count
    assert status == 0
    rows = pq.read_table(out / "enhanced").to_pylist()
    assert sorted(row["trace_id"] for row in rows) == [f"t{i}" for i in range(count)]
    annotations = pq.read_table(out / "annotations").to_pylist()
    assert all(a["judge"].startswith("vllm/") for a in annotations)
    assert all(row["status_reason"] != "judge_failed" for row in rows)
    manifest = json.loads((out / "manifest.json").read_text())
    totals = manifest["totals"]
    assert totals["decode"] == sum(a["tokens"]["decode"] for a in annotations) > 0
    assert totals["by_judge"] == {f"vllm/{VERSION}": count}
    steps = [step for a in annotations for step in a["steps"]]
    assert totals["by_step"]["macro_structure.questions"] == count
    for figure in ("prefill", "cached", "decode"):
        by_step = sum(n for name, n in totals["by_step"].items() if name.endswith(f".{figure}"))
        assert by_step == totals[figure] == sum(step["tokens"][figure] for step in steps)
    for a in annotations:
        for kind in ("prefill", "cached", "decode"):
            assert a["tokens"][kind] == sum(step["tokens"][kind] for step in a["steps"])


def kill_engine(out: Path, over: threading.Event) -> int:
    """Kill the engine's process once it has finished a unit; returns how many units were finished then."""
    while not over.wait(0.05):
        finished = len(list((out / "annotations").rglob("*.parquet")))
        for process in psutil.Process().children(recursive=True) if finished else []:
            with suppress(psutil.NoSuchProcess):
                if "EngineCor" in process.name():
                    process.kill()
                    return finished
    pytest.fail("the job ended before the engine was killed")
