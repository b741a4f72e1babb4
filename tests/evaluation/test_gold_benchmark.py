"""The benchmark of the gold labels runs where their traces are missing: it says so and measures the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.support import REPO


def run(*words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    command = [sys.executable, str(REPO / "benchmarks" / "gold.py"), *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_without_a_folder_it_is_skipped(tmp_path: Path) -> None:
    assert run().startswith("skipped: there are no traces in TRACES")
    assert run(str(tmp_path)).startswith("skipped: ")


def test_traces_without_labels_are_counted() -> None:
    printed = run(
        str(REPO / "examples" / "shards"), "rows=4", f"answers={REPO / 'examples/gold/answers.jsonl'}"
    )
    assert "skipped development: " in printed
    assert "there is no trace" in printed
    assert "| mean cut of solved traces with text behind the answer, in characters |" in printed
    assert "| changed traces that ended on the ground truth and still do |" in printed
    assert "Pairs of answers in answers: 30, accuracy 1.000" in printed
