"""The whole job as a user runs it: the command, real Ray, real files; killed, resumed, repeated, fed with dirt."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from tests.support import REPO
from tests.support.shared_ray import SharedRay

SHARDS = REPO / "examples" / "shards"
COUNT = 20


def dlcot(*words: str, code: int = 0, ray: str = "local") -> str:
    """Run the command in a process, on the Ray at this address; returns everything that it printed."""
    done = subprocess.run(command(*words, ray=ray), capture_output=True, text=True, timeout=240, check=False)
    printed = done.stdout + done.stderr
    assert done.returncode == code, printed
    assert "Traceback" not in printed
    return printed


def command(*words: str, ray: str = "local") -> list[str]:
    return [sys.executable, "-m", "dlcot_ray.cli", *words, f"ray.address={ray}"]


def objects(output: Path) -> dict[str, bytes]:
    """All data objects of an output, by name."""
    folders = ("annotations", "enhanced", "rejected")
    return {
        str(p.relative_to(output)): p.read_bytes()
        for f in folders
        for p in sorted((output / f).rglob("*.parquet"))
    }


def read(output: Path, folder: str) -> pl.DataFrame:
    return pl.concat(
        [pl.read_parquet(p) for p in sorted((output / folder).rglob("*.parquet"))], how="diagonal_relaxed"
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, shared_ray: SharedRay) -> Path:
    output, ray = tmp_path_factory.mktemp("finished") / "out", shared_ray.use()
    printed = dlcot("enhance", f"input={SHARDS}", f"output={output}", "rows_per_unit=2", ray=ray)
    assert "enhanced" in printed
    return output


def test_every_row_is_written_once_and_its_edits_replay(finished: Path) -> None:
    rows = read(finished, "enhanced")
    source = pl.concat([pl.read_parquet(p) for p in SHARDS.glob("*.parquet")])
    assert sorted(rows["id"]) == sorted(source["id"])
    assert rows["id"].n_unique() == COUNT
    assert set(rows["status"]) == {"enhanced", "unchanged"}
    for row in rows.iter_rows(named=True):
        replayed = "".join(
            row["reasoning"][e["start"] : e["stop"]] if e["op"] == "keep" else e["text"] or ""
            for e in row["edits"]
        )
        assert replayed == row["enhanced_reasoning"]
        assert (row["status"] == "unchanged") == (row["reasoning"] == replayed)
        assert (row["messages"] is None) == (row["response"] is None)  # no reply, no conversation to train on
        if row["messages"] is not None:
            assert row["messages"][-1]["role"] == "assistant"
            assert row["enhanced_reasoning"].strip() in row["messages"][-1]["content"]
    assert read(finished, "annotations").height == COUNT
    assert (finished / "manifest.json").stat().st_size > 0


def test_a_second_run_does_nothing_and_reports_it(finished: Path) -> None:
    before = {p: p.stat().st_mtime_ns for p in finished.rglob("*.parquet")}
    assert "nothing to do" in dlcot("enhance", f"input={SHARDS}", f"output={finished}", "rows_per_unit=2")
    assert before == {p: p.stat().st_mtime_ns for p in finished.rglob("*.parquet")}


def test_other_settings_on_a_finished_output_are_refused(finished: Path) -> None:
    printed = dlcot(
        "enhance", f"input={SHARDS}", f"output={finished}", "rows_per_unit=2", "policy=keep_first", code=1
    )
    assert "policy" in printed


def _kill_after_first_unit(words: tuple[str, ...], output: Path, said: Path) -> None:
    """Start a job and kill all of its processes once it has written a unit, or has ended."""
    with said.open("w") as words_of_job:
        job = subprocess.Popen(
            command(*words), stdout=subprocess.DEVNULL, stderr=words_of_job, start_new_session=True
        )
    deadline = time.monotonic() + 400
    while not list(output.glob("enhanced/*.parquet")) and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    family = psutil.Process(job.pid).children(recursive=True) if job.poll() is None else []
    for process in [psutil.Process(job.pid), *family] if job.poll() is None else family:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    job.wait()


@pytest.mark.timeout(900)
def test_a_killed_job_resumes_to_the_same_bytes(finished: Path, tmp_path: Path, ray_session: str) -> None:
    output = tmp_path / "killed"
    words = ("enhance", f"input={SHARDS}", f"output={output}", "rows_per_unit=2", "workers=1")
    said = tmp_path / "said.txt"
    _kill_after_first_unit(words, output, said)
    if "too busy to start Ray" in said.read_text():
        _kill_after_first_unit(words, output, said)
    done = {p.name: p.stat().st_mtime_ns for p in output.glob("enhanced/*.parquet")}
    assert done, said.read_text()
    dlcot(*words, ray=ray_session)
    assert objects(output) == objects(finished)
    after = {p.name: p.stat().st_mtime_ns for p in output.glob("enhanced/*.parquet")}
    assert {name: after[name] for name in done} == done
    assert not [p for p in output.rglob("*") if "tmp" in p.suffix]


def test_derive_applies_another_policy_without_judging(
    finished: Path, tmp_path: Path, ray_session: str
) -> None:
    output = tmp_path / "derived"
    dlcot("derive", f"annotations={finished}", f"output={output}", "policy=keep_first", ray=ray_session)
    rows = read(output, "enhanced")
    assert rows.height == COUNT
    assert set(rows["policy"]) == {"keep_first"}
    assert not (output / "annotations").exists()


def test_bad_rows_are_rejected_and_bad_files_are_left_out(tmp_path: Path, ray_session: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    good = "Add the numbers: 40 + 2 = 42. The answer is 42."
    reasonings = [good, None, "", "   ", good, "x" * 5_000_000, good]
    ids = ["a", "b", "c", "d", "a", "big", "e"]
    table = pa.table({"id": ids, "problem": ["?"] * 7, "reasoning": reasonings, "ground_truth": ["42"] * 7})
    pq.write_table(table, source / "a.parquet")
    data = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\x04\0\0\0\x08\0\0\0"), pa.py_buffer(b"fine\xff\xfe!!")]
    )
    pq.write_table(
        pa.table({"id": ["u1", "u2"], "problem": ["?", "?"], "reasoning": data}), source / "b.parquet"
    )
    pq.write_table(pa.table({"id": ["a"], "problem": ["?"], "reasoning": [good]}), source / "c.parquet")
    pq.write_table(pa.table({"id": ["z"], "problem": ["?"]}), source / "missing.parquet")
    pq.write_table(pa.table({"id": ["z"], "problem": ["?"], "reasoning": [7]}), source / "types.parquet")
    (source / "corrupt.parquet").write_bytes(b"PAR1 this is not parquet PAR1")
    (source / "empty.parquet").write_bytes(b"")
    output = tmp_path / "out"
    words = ("enhance", f"input={source}", f"output={output}", "max_trace_chars=1000000")
    printed = dlcot(*words, code=3, ray=ray_session)
    for name in ("missing", "types", "corrupt", "empty"):
        assert f"{name}.parquet" in printed
    kept = read(output, "enhanced")
    assert sorted(kept["id"]) == ["a", "big", "e", "u1"]
    assert kept.filter(pl.col("id") == "big")["status_reason"].item() == "too_long"
    found = [
        pq.read_table(p, columns=["cause"])["cause"].to_pylist()
        for p in (output / "rejected").rglob("*.parquet")
    ]
    assert sum(map(len, found)) + kept.height == 10
    causes = {cause for part in found for cause in part}
    assert {"duplicate_id", "null_reasoning", "empty_reasoning", "invalid_utf8"} <= causes


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("policy=keep_frist",), (1, 2), "keep_first"),
        (("polcy=keep_first",), (2,), "policy"),
        (("dataset=openr1_mth",), (1, 2), "openr1_math"),
        (("judge=rulse",), (1, 2), "rules"),
        (("rows_per_unit=many",), (2,), "rows_per_unit"),
    ],
)
def test_wrong_settings_are_one_line(
    words: tuple[str, ...],
    code: tuple[int, ...],
    says: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["enhance", f"input={SHARDS}", f"output={tmp_path / 'out'}", *words])
    told = capsys.readouterr().err
    assert status in code, told
    assert told.count("\n") == 1
    assert says in told
    assert not (tmp_path / "out" / "enhanced").exists()


def test_missing_inputs_and_unwritable_outputs_are_errors(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    assert "nothing" in dlcot(
        "enhance", f"input={tmp_path / 'nothing'}", f"output={tmp_path / 'out'}", code=1
    )
    (tmp_path / "file").write_text("in the way")
    assert "file" in dlcot("enhance", f"input={SHARDS}", f"output={tmp_path / 'file' / 'out'}", code=1)
