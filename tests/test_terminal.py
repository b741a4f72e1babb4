"""Odd terminals: a closed pipe, a removed directory, another encoding. One line each, never a stack trace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import REPO

DLCOT = [sys.executable, "-m", "dlcot_ray.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPO)}


def test_a_closed_pipe_ends_in_one_line() -> None:
    command = f"{sys.executable} -m dlcot_ray.cli enhance --help | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_a_removed_working_directory_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    code = (
        f"import os, shutil, sys; sys.path.insert(0, {str(REPO)!r}); import dlcot_ray.cli; "
        f"os.chdir({str(folder)!r}); shutil.rmtree({str(folder)!r}); "
        "sys.exit(dlcot_ray.cli.main(['enhance', 'input=in', 'output=out']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "the working directory was removed" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_of_another_encoding_shows_escapes(tmp_path: Path) -> None:
    shutil.copytree(REPO / "examples" / "shards", tmp_path / "größe-数")
    done = subprocess.run(
        [*DLCOT, "inspect", str(tmp_path / "größe-数")],
        capture_output=True,
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u6570" in done.stdout + done.stderr
