"""A wheel that is installed outside the checkout has all that its commands need."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import REPO

Run = Callable[..., str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a command of the wheel in an empty directory, and returns what it prints."""
    place = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    built = subprocess.run(
        [*pip, "wheel", str(REPO), "--no-deps", "--quiet", "--wheel-dir", str(place)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"no wheel can be built here (pip needs hatchling): {built.stderr.strip()[-300:]}")
    (wheel,) = place.glob("*.whl")
    target = [*pip, "install", "--no-deps", "--quiet", "--target", str(place / "site"), str(wheel)]
    subprocess.run(target, check=True, timeout=120)
    (place / "empty").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(place / "site")}
    environment.pop("RAY_ADDRESS", None)

    def command(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dlcot_ray.cli", *words],
            cwd=place / "empty",
            env=environment,
            capture_output=True,
            text=True,
            timeout=250,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return command


@pytest.fixture
def traces() -> str:
    return str(REPO / "examples" / "shards")


def test_inspect_plan_and_evaluate_need_nothing_of_the_checkout(run: Run, traces: str) -> None:
    assert "layout" in run("inspect", traces)
    for judge in ("rules", "qwen3-8b-fp8"):
        assert json.loads(run("plan", f"input={traces}", f"judge={judge}", "--json"))["rows"] > 0
    assert "judge learned" in run("evaluate", "set=gold")


def test_a_job_and_its_report_need_nothing_of_the_checkout(run: Run, traces: str, tmp_path: Path) -> None:
    output = tmp_path / "out"
    run("enhance", f"input={traces}", f"output={output}", "workers=1", "ray.address=local")
    page = (output / "report.html").read_text(encoding="utf-8")
    assert "katex" in page
    run("report", str(output))
    run("verify", str(output))
