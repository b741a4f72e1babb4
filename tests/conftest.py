"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real traces and human labels that are not part of the repository; skips where they are missing."""
    root = Path(os.environ.get("DLCOT_SHARED_DATA", REPO.parent / "shared" / "data"))
    if not (root / "traces").is_dir():
        pytest.skip(f"real traces are not available at {root} (set DLCOT_SHARED_DATA)")
    return root


@pytest.fixture(scope="session")
def model_path() -> Path:
    """The small instruct model that `scripts/get_model.py` installs; skips where it is missing.

    `make test` always installs it, and then its absence is a failure.
    """
    path = Path(os.environ.get("DLCOT_TEST_MODEL", REPO / "models" / "smollm2-135m-instruct"))
    if not (path / "config.json").is_file():
        message = f"there is no model at {path} (make model installs it)"
        if os.environ.get("DLCOT_REQUIRE_MODEL"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The engine's own tests first: where its versions do not fit together, nothing else need be waited for."""
    items.sort(key=lambda item: "test_vllm_engine" not in item.nodeid)
