"""Odd terminals: a closed pipe, a removed directory, another encoding. One line each, never a stack trace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import REPO

DLCOT = [sys.executable, "-m", "dlcot_ray.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPO)}


@pytest.mark.parametrize("words", ["--help", "--version", "enhance --help"])
def test_a_closed_pipe_ends_in_one_line(words: str) -> None:
    command = f"{sys.executable} -m dlcot_ray.cli {words} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=ENVIRONMENT, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    assert len(done.stderr.splitlines()) <= 1


@pytest.mark.parametrize("words", ["--version", "enhance --help", "inspect examples/shards"])
def test_a_stdout_that_takes_nothing_is_named(words: str) -> None:
    done = _shell(f"{words} >/dev/full")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "stdout cannot be written (No space left on device)" in done.stderr


def test_a_closed_stdout_or_stderr_changes_nothing_else() -> None:
    assert _shell("inspect examples/shards >&-").returncode == 0
    # A complaint does not end up in stdout, and does not fail again.
    for command in ("status /no/such/job 2>&-", "status /no/such/job 2>/dev/full"):
        done = _shell(command)
        assert (done.returncode, done.stdout) == (1, "")


def test_a_package_that_cannot_be_imported_is_no_bug_of_ours(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('libx.so.6: cannot open shared object file')")
    done = subprocess.run(
        [*DLCOT, "evaluate"],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}:{REPO}"},
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "a package cannot be imported (libx.so.6: cannot open" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def _shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m dlcot_ray.cli {command}"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        cwd=REPO,
        timeout=100,
        check=False,
    )


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
