"""The metrics that Prometheus scrapes end at the totals of the manifest."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from dlcot_ray.cli import main
from tests.support import REPO
from tests.support.finished_job import sum_trace
from tests.support.shared_ray import SharedRay

_SAMPLE = re.compile(
    r"^ray_dlcot_(?P<name>\w+?)(?:_total)?\{(?P<tags>[^}]*)\} (?P<value>[\d.e+-]+)$", re.MULTILINE
)


def scraped(port: int, job: str) -> dict[tuple[str, str], float]:
    """(metric, tag) -> value of a job's series."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: dict[tuple[str, str], float] = {}
    for match in _SAMPLE.finditer(text):
        tags = dict(re.findall(r'(\w+)="([^"]*)"', match["tags"]))
        if tags.get("job") == job:
            label = next(
                (
                    tags[key]
                    for key in ("status", "kind", "gate", "outcome", "phase", "state", "le")
                    if key in tags
                ),
                "",
            )
            found[match["name"], label] = float(match["value"])
    return found


def test_scraped_metrics_agree_with_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_ray: SharedRay
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import ray

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    # A judge that counts the seconds of an engine, as the model judge does; each trace takes 0.2 s.
    monkeypatch.setenv("PYTHONPATH", str(REPO))
    judge, seen = tmp_path / "judge.yaml", tmp_path / "seen"
    seen.mkdir()
    options = {"folder": str(seen), "several": 2, "seconds": 0.2}
    judge.write_text(
        json.dumps({"factory": "tests.support.slow_judge:SlowJudge", "options": options, "in_flight": 2})
    )
    pq.write_table(pa.Table.from_pylist([sum_trace(number) for number in range(9)]), source / "a.parquet")
    shared_ray.stop()
    ray.init(
        address="local",
        _metrics_export_port=port,
        include_dashboard=False,
        _system_config={"metrics_report_interval_ms": 1000},
        log_to_driver=False,
    )
    words = ("workers=1", f"judge={judge}", "allow_code=true")
    try:
        assert main(["enhance", f"input={source}", f"output={out}", "rows_per_unit=4", *words]) == 0
        manifest = json.loads((out / "manifest.json").read_text())
        totals = manifest["totals"]
        wanted = {("units", "finished"): 3, ("tokens", "before"): totals["tokens_before"]}
        wanted |= {("rows", name): totals[name] for name in ("enhanced", "unchanged") if totals[name]}
        wanted |= {("unit_seconds_count", ""): 3, ("unit_seconds_bucket", "+Inf"): 3, ("judges", ""): 0}
        wanted |= {("units_in_flight", phase): 0 for phase in ("reading", "judging", "writing")}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = scraped(port, manifest["fingerprint"])
            if all(found.get(key) == value for key, value in wanted.items()):
                break
            time.sleep(1)
        assert {key: found.get(key) for key in wanted} == wanted
        share = manifest["run"]["engine_busy_share"]
        assert found["engine_busy_share", ""] == pytest.approx(share, abs=1e-3)
        assert found["engine_seconds", "elapsed"] == pytest.approx(
            manifest["run"]["engine_seconds"], abs=0.01
        )
        assert found["engine_seconds", "busy"] / found["engine_seconds", "elapsed"] == pytest.approx(
            share, 0.01
        )
        # Units of 4, 4 and 1 traces take at least 1 s: 0.2 s a trace, two at a time.
        assert found["unit_seconds_sum", ""] > 0.5
    finally:
        ray.shutdown()
