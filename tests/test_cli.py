"""The command line without a job: usage, help, statuses and stray words."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from dlcot_ray import __version__
from dlcot_ray.cli import COMMANDS, main
from tests.support import REPO

JOBS = REPO / "jobs"


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_version(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.strip() == f"dlcot {__version__}"


def test_usage_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in COMMANDS)
    assert main([]) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_lists_its_settings(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    place = {"inspect": "input", "profile": "input", "agreement": "first"}.get(name, "output")
    assert f"\n{place}: null" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["enhence"], 2, "did you mean 'enhance'"),
        (["enhance"], 2, "input is not set"),
        (["enhance", "input=/no/such/place", "output={out}", "polcy=x"], 2, "'policy'"),
        (["derive", "output=x"], 2, "annotations is not set"),
        (["enhance", "input=/no/such/place", "output={out}"], 1, "/no/such/place"),
        (["enhance", "input={shards}", "output={out}", "policy=keep_frist"], 2, "keep_first"),
        (["enhance", "input={shards}", "output={out}", "policy_options.k=1"], 2, "min_keep"),
        (["enhance", "input={shards}", "output={out}", "dataset=plian"], 2, "plain"),
        (["enhance", "input={shards}", "output={shards}/out"], 1, "inside the input"),
        (["enhance", "input={shards}", "output={shards}/a.parquet/out"], 1, "a.parquet"),
        (["derive", "annotations={shards}", "output={out}"], 1, "no job"),
    ],
)
def test_mistakes_are_one_line_and_a_status(
    words: list[str], status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shards = tmp_path / "in"
    shards.mkdir()
    (shards / "a.parquet").write_bytes(b"never read")
    given = [word.format(shards=shards, out=tmp_path / "out") for word in words]
    assert main(given) == status
    printed = capsys.readouterr().err
    assert printed.startswith("dlcot: ")
    assert printed.count("\n") == 1
    assert says in printed


def test_tracebacks_are_for_those_who_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DLCOT_TRACEBACK", "1")
    assert main(["enhance", "input=/no/such/place", f"output={tmp_path}"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name not in ("agreement", "inspect", "profile", "select")]
)
def test_job_scripts_speak_the_same_words(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(JOBS / f"{name.replace('-', '_')}.py"), "outptu=x"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean 'output'" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_the_example_of_each_command_can_be_typed(name: str) -> None:
    command = COMMANDS[name]
    module, _, function = command.load.partition(":")
    assert getattr(importlib.import_module(module), function)(command.example.split())
