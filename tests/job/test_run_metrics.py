"""What Prometheus scrapes of a run is what its manifest says; needs the packages of `ray[default]`."""

from __future__ import annotations

import json
import re
import socket
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from finished_job import sum_trace

from dlcot_ray.cli import main

pytest.importorskip("opencensus", reason="Ray exports metrics only with ray[default]")

_SAMPLE = re.compile(
    r"^ray_dlcot_(?P<name>\w+?)(?:_total)?\{(?P<tags>[^}]*)\} (?P<value>[\d.e+]+)$", re.MULTILINE
)


def scraped(port: int, job: str) -> Counter[tuple[str, str]]:
    """(metric, tag) -> value of a job's series, added up over processes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: Counter[tuple[str, str]] = Counter()
    for match in _SAMPLE.finditer(text):
        tags = dict(re.findall(r'(\w+)="([^"]*)"', match["tags"]))
        if tags.get("job") == job:
            label = next((tags[key] for key in ("status", "kind", "gate", "outcome") if key in tags), "")
            found[match["name"], label] = int(float(match["value"]))
    return found


def test_a_scrape_tells_what_the_manifest_says(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq
    import ray

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    pq.write_table(pa.Table.from_pylist([sum_trace(number) for number in range(9)]), source / "a.parquet")
    ray.init(
        address="local",
        _metrics_export_port=port,
        include_dashboard=False,
        _system_config={"metrics_report_interval_ms": 1000},
        log_to_driver=False,
    )
    try:
        assert main(["enhance", f"input={source}", f"output={out}", "rows_per_unit=4", "workers=1"]) == 0
        manifest = json.loads((out / "manifest.json").read_text())
        totals = manifest["totals"]
        wanted = {("units", "finished"): 3, ("tokens", "before"): totals["tokens_before"]}
        wanted |= {("rows", name): totals[name] for name in ("enhanced", "unchanged") if totals[name]}
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = scraped(port, manifest["fingerprint"])
            if all(found[key] == value for key, value in wanted.items()):
                break
            time.sleep(1)
        assert {key: found[key] for key in wanted} == wanted
    finally:
        ray.shutdown()
