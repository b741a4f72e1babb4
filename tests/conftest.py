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
