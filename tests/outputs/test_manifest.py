"""The manifest: readable at any number of inputs, and recognised by what it was made from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.manifest import (
    MAX_INPUTS_SHOWN,
    build_manifest,
    describes,
    read_inputs,
    read_manifest,
    write_manifest,
)
from dlcot_ray.outputs.tally import Tally
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import make_plan
from dlcot_ray.storage.store import Store
from tests.support.plans import metadata, plan_of, shard

JOB = JobRecord("enhance", {"policy": "keep_first", "judge": "none"}, {})
FOLDERS = {
    name: {"objects": 0, "bytes": 0} for name in ("enhanced", "annotations", "rejected", "preferences")
}


def made(plan: Plan, undone: int = 0) -> tuple[dict[str, Any], bytes | None]:
    """The manifest of a plan of which so many rows of the first file are not done."""
    rows = np.diff(plan.file_rows)
    rows[0] -= undone
    units, none = np.diff(plan.file_units), np.zeros_like(rows)
    stats = UnitStats(rows=int(rows.sum()), enhanced=int(rows.sum()))
    return build_manifest(JOB, plan, Tally(stats, units, rows, rows, none, none), FOLDERS, [], {})


@pytest.mark.parametrize("files", [3, MAX_INPUTS_SHOWN, MAX_INPUTS_SHOWN + 1])
def test_every_input_can_be_read_back(tmp_path: Path, files: int) -> None:
    output, plan = Output(Store(str(tmp_path))), plan_of([[(5, 10)]] * files)
    write_manifest(output, *made(plan))
    manifest = read_manifest(output)
    assert manifest is not None
    inputs = read_inputs(output, manifest)
    assert [(item["name"], item["rows"], item["units"]) for item in inputs] == [
        (f"f{number}", 5, 2) for number in range(files)
    ]
    assert (tmp_path / "inputs.jsonl").exists() == (files > MAX_INPUTS_SHOWN)
    assert len(manifest["inputs"]) in (files, 0)
    assert (tmp_path / "manifest.json").stat().st_size < 500_000


def test_a_damaged_list_of_inputs_is_an_error(tmp_path: Path) -> None:
    output, plan = Output(Store(str(tmp_path))), plan_of([[(5, 10)]] * (MAX_INPUTS_SHOWN + 1))
    write_manifest(output, *made(plan))
    manifest = read_manifest(output)
    assert manifest is not None
    output.store.put("inputs.jsonl", b"{")
    with pytest.raises(JobError, match=r"inputs\.jsonl is damaged"):
        read_inputs(output, manifest)


def test_a_manifest_is_recognised_by_inputs_and_settings() -> None:
    plan = plan_of([[(5, 10)], [(9, 10)]])
    manifest = json.loads(json.dumps(made(plan)[0]))
    assert describes(manifest, JOB, plan)
    assert not describes(manifest, replace(JOB, settings={"policy": "keep_one"}), plan)
    assert not describes(manifest, JOB, plan_of([[(5, 10)], [(8, 10)]]))
    assert not describes(manifest, JOB, plan_of([[(5, 10)]]))
    cache = MetadataCache()
    shards = [shard("f0"), shard("f1", version="v2")]
    for one, rows in zip(shards, (5, 9), strict=True):
        cache.put(one, metadata([(rows, 10)]))
    changed = make_plan(shards, load_preset("auto"), rows_per_unit=4, bytes_per_unit=1 << 20, metadata=cache)
    assert not describes(manifest, JOB, changed)
    assert not describes(json.loads(json.dumps(made(plan, undone=1)[0])), JOB, plan)


def test_a_manifest_without_a_digest_is_recognised() -> None:
    plan = plan_of([[(5, 10)], [(9, 10)]])
    manifest = json.loads(json.dumps(made(plan)[0]))
    del manifest["inputs_digest"], manifest["inputs_file"]
    assert describes(manifest, JOB, plan)
    manifest["inputs"][1]["version"] = "v2"
    assert not describes(manifest, JOB, plan)
