"""Each fault once, on a cluster of real Ray nodes; `make faults` runs twenty rounds of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(1500)

ROUNDS = Path(__file__).resolve().parent / "rounds.py"
FAULTS = (
    "judge",
    "node, replaced",
    "node, not replaced",
    "writer in mid-put",
    "driver",
    "S3 trouble",
    "S3 credentials revoked",
    "disk full",
)


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the jobs came to, by fault. In a process of its own: its cluster and Ray's settings are no one else's."""
    found = tmp_path_factory.mktemp("faults") / "jobs.json"
    # A file system of a given size can only be made by root.
    chosen = [fault for fault in FAULTS if fault != "disk full" or os.geteuid() == 0]
    words = [word for fault in chosen for word in ("--fault", fault)]
    done = subprocess.run(
        [sys.executable, str(ROUNDS), "--rounds", "1", "--json", str(found), *words],
        capture_output=True,
        text=True,
        timeout=1400,
        check=False,
    )
    assert found.exists(), done.stderr[-3000:]
    return {job["fault"]: job for job in json.loads(found.read_text())}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_doubled_or_changed(fault: str, jobs: dict[str, Any]) -> None:
    if fault not in jobs and fault == "disk full":
        pytest.skip("a small file system can only be made by root")
    job = jobs[fault]
    assert job["notes"], job
    assert job["lost"] == job["duplicated"] == job["differing"] == job["strays"] == 0
    # What a lost node had put and not reported is redone as well, and a busy machine reports late; how much
    # that is `make faults` counts.
    late = {f"{job['redone']} units redone, {job['in_flight']} were in flight"} if "node" in fault else set()
    assert set(job["problems"]) <= late, job
