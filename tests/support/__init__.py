"""What several tests share: servers, judges, made-up traces and plans."""

from __future__ import annotations

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
"""The checkout. As PYTHONPATH it lets other processes, Ray's workers among them, import `tests.support`."""

SUPPORT = Path(__file__).resolve().parent
"""Where the judges' files lie that only tests use."""
