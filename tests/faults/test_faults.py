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
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The reports by fault, made in a process of its own because of its cluster and Ray's settings."""
    found = tmp_path_factory.mktemp("faults") / "reports.json"
    # Only root can mount a file system of a given size.
    chosen = [fault for fault in FAULTS if fault != "disk full" or os.geteuid() == 0]
    words = [word for fault in chosen for word in ("--fault", fault)]
    done = subprocess.run(
        [sys.executable, str(ROUNDS), "--rounds", "1", "--shards", "2", "--json", str(found), *words],
        capture_output=True,
        text=True,
        timeout=1400,
        check=False,
    )
    assert found.exists(), done.stderr[-3000:]
    return {report["fault"]: report for report in json.loads(found.read_text())}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost_duplicated_or_changed(fault: str, reports: dict[str, Any]) -> None:
    if fault not in reports and fault == "disk full":
        pytest.skip("only root can mount a small file system")
    report = reports[fault]
    assert report["injected"], report
    assert report["lost"] == report["duplicated"] == report["differing"] == report["leftovers"] == 0
    # Units that a lost node had written and not reported are redone as well, and a busy machine reports late.
    # `make faults` counts how many.
    late = (
        {f"{report['redone']} units redone, {report['in_flight']} were in flight"}
        if "node" in fault
        else set()
    )
    assert set(report["problems"]) <= late, report
