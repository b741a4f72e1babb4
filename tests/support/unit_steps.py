"""A job's settings, files and tasks for tests of single steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from dlcot_ray.config.loading import load_judge
from dlcot_ray.inputs.files.shards import find_shards
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.plan.tasks import ReadTask
from dlcot_ray.work.spec import WorkSpec
from tests.support.plans import auto


def spec(folder: Path, **changes: object) -> WorkSpec:
    """A job of the rules judge with its output in `folder`."""
    given: dict[str, object] = {
        "preset": auto(),
        "policy": "keep_first",
        "policy_options": {},
        "judge": load_judge("rules", {}),
        "tokenizer": None,
        "max_trace_chars": 10_000,
        "in_flight": 1,
        "retries": 0,
        "output": str(folder / "out"),
    }
    return WorkSpec(**{**given, **changes})  # type: ignore[arg-type]


def tasks_of(source: Path, rows_per_unit: int) -> list[ReadTask]:
    """The read tasks of a folder."""
    plan = make_plan(
        assign_names(find_shards(str(source)), {}),
        auto(),
        rows_per_unit=rows_per_unit,
        bytes_per_unit=1 << 26,
    )
    return list(Pending(plan, np.zeros(plan.unit_count, np.bool_)))


def write(path: Path, count: int, rows_per_group: int) -> None:
    """A file of `count` short traces."""
    path.parent.mkdir(exist_ok=True)
    table = pa.table(
        {
            "id": [f"t{i}" for i in range(count)],
            "problem": ["What is 40 + 2?"] * count,
            "reasoning": [f"Row {i}: 40 + 2 = 42. The answer is 42." for i in range(count)],
            "ground_truth": ["42"] * count,
        }
    )
    pq.write_table(table, path, row_group_size=rows_per_group, compression="snappy", use_dictionary=False)
