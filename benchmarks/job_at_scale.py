"""A job of 100,000 shards and 10 million work units: what its driver does, without the judging.

    python benchmarks/job_at_scale.py [SHARDS [UNITS_PER_SHARD]]

The job's own functions plan, resume and finish a job whose input metadata is recorded, over a store that
keeps nothing but what the driver writes itself: its listings are made up as they are asked for, in pages of a
thousand names, and its objects come from writers that judge nothing. Each phase runs in a process of its
own, as a job's driver does after a kill; seconds are wall and CPU time, memory is the most that the process
was given (VmHWM); `start` is what Python and its packages take before anything begins.

    first    plan from recorded input metadata and write `_job.json`
    resume   the same with 99 % done: read `_job.json`, plan, LIST, subtract, pack all tasks that are left
    run      hand out all tasks of a fresh job, unpack them, journal an empty result for each unit
    finish   LIST everything, count by the journal, write the manifest

Ray is not part of it: what its scheduler takes per unit is in `benchmarks/scale.py`.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.table import Table

from dlcot_ray.inputs.files.metadata import MetadataCache
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.readers.protocol import FileMetadata
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import InputRecord, JobRecord, check_inputs
from dlcot_ray.outputs.layout import ENHANCED, INPUT_METADATA_FILE, JOB_FILE, Output
from dlcot_ray.outputs.manifest import build_manifest, write_manifest
from dlcot_ray.outputs.owning.claim import claim
from dlcot_ray.outputs.results import UnitResult
from dlcot_ray.outputs.tally import Journal, count, survey
from dlcot_ray.plan.completed import complete_units
from dlcot_ray.plan.names import unit_name
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.planning import assign_names, make_plan
from dlcot_ray.storage.backend import ObjectInfo, OnSkip
from dlcot_ray.storage.store import Store

ROWS_PER_UNIT = 256
GROUPS = 5
PAGE = 1_000
SIZE = 500_000
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "problem", "reasoning", "ground_truth")])
SETTINGS = {
    "rows_per_unit": ROWS_PER_UNIT,
    "policy": "keep_first",
    "policy_options": {},
    "judge": "none",
    "judge_options": {},
    "dataset": "auto",
    "tokenizer": None,
    "max_trace_chars": 2_000_000,
    "check_duplicate_ids": False,
}
JOB = JobRecord("enhance", SETTINGS, {})


class MadeUpStore(Store):
    """A directory for what the driver writes, and units that are only names."""

    def __init__(self, folder: str, shards: int, units: int, undone_every: int | None) -> None:
        super().__init__(folder)
        self.shape = shards, units, undone_every
        self._pages = 0

    @property
    def list_calls(self) -> int:
        """Synthetic pages of a LIST."""
        return self._pages

    def scan(
        self, prefix: str = "", *, temporary: bool = False, on_skip: OnSkip | None = None
    ) -> Iterator[ObjectInfo]:
        """Names of the complete units, in order, as the LIST of the output gives them."""
        if prefix not in (ENHANCED, "annotations"):
            yield from super().scan(prefix, temporary=temporary, on_skip=on_skip)
            return
        shards, units, undone_every = self.shape
        if undone_every == 1:
            return
        number = 0
        for shard in range(shards):
            name = shard_name(shard)
            for unit in range(units):
                number += 1
                if undone_every and not number % undone_every:
                    continue
                if number % PAGE == 1:
                    self._pages += 1
                start = unit * ROWS_PER_UNIT
                relative = f"{prefix}/{unit_name(name, start, start + ROWS_PER_UNIT)}.parquet"
                yield ObjectInfo(relative, f"s3://out/{relative}", SIZE, "0" * 32, 0.0)


def shard_name(number: int) -> str:
    return f"part-{number // 1_000:03}/train-{number:06}-of-100000"


def shards_of(count: int) -> list[Shard]:
    """What a LIST of the input gives."""
    return [
        Shard(
            "s3://raw/traces",
            f"{shard_name(number)}.parquet",
            shard_name(number),
            400_000_000 + number,
            f"{number:032x}",
            f"s3://raw/traces/{shard_name(number)}.parquet",
        )
        for number in range(count)
    ]


def record_metadata(folder: Path, shards: int, units: int) -> None:
    """The input metadata that an earlier run would have recorded: five row groups a file."""
    cache = MetadataCache()
    share = units // GROUPS * ROWS_PER_UNIT
    rows = (*([share] * (GROUPS - 1)), units * ROWS_PER_UNIT - share * (GROUPS - 1))
    metadata = FileMetadata(SCHEMA.serialize().to_pybytes(), rows, tuple(count * 12_000 for count in rows))
    for shard in shards_of(shards):
        cache.put(shard, metadata)
    (folder / INPUT_METADATA_FILE).write_bytes(cache.to_bytes())


def planned(output: Output, shards: int) -> tuple[JobRecord, Plan]:
    """As `prepare_enhance` does it."""
    with claim(output, JOB) as held:
        record = held.record
    found = shards_of(shards)
    check_inputs(record, found, output.display_url)
    plan = make_plan(
        assign_names(found, {item.file: item.name for item in record.inputs}),
        load_preset("auto"),
        rows_per_unit=ROWS_PER_UNIT,
        bytes_per_unit=1 << 26,
        metadata=MetadataCache(output.read_state(INPUT_METADATA_FILE)),
    )
    assert not plan.faults
    return record, plan


def first(output: Output, shards: int) -> dict[str, float]:
    record, plan = planned(output, shards)
    rows = np.diff(plan.file_rows).tolist()
    inputs = (
        InputRecord(shard.file, shard.name, count, shard.size, shard.version)
        for shard, count in zip(plan.shards, rows, strict=True)
    )
    output.store.put(JOB_FILE, record.with_inputs(inputs).to_json())
    return {"units": plan.unit_count}


def resume(output: Output, shards: int) -> dict[str, float]:
    _, plan = planned(output, shards)
    at = time.monotonic()
    sizes = complete_units(plan, output.units(output.objects(ENHANCED)))
    listed = time.monotonic() - at
    pending = Pending(plan, sizes > 0)
    packed = sum(len(pickle.dumps(task)) for task in pending)
    return {
        "units": pending.units,
        "list_s": listed,
        "tasks_mb": packed / 1e6,
        "lists": output.store.list_calls,
    }


def run(output: Output, shards: int) -> dict[str, float]:
    _, plan = planned(output, shards)
    pending = Pending(plan, np.zeros(plan.unit_count, np.bool_))
    journal = Journal(output)
    packed = 0
    stats = UnitStats(
        rows=ROWS_PER_UNIT,
        enhanced=ROWS_PER_UNIT - 6,
        unchanged=5,
        rejected=1,
        tokens_before=900_000,
        tokens_after=650_000,
        by_cause=(("empty_reasoning", 1),),
        by_judge=(("rules", ROWS_PER_UNIT - 1),),
        by_label=(("correct", 300), ("incomplete", 100)),
    )
    for task in pending:
        blob = pickle.dumps(task)
        packed += len(blob)
        for unit in pickle.loads(blob).units:
            journal.add(UnitResult(unit.name, unit.file, unit.start, unit.stop, stats, size=SIZE))
    journal.flush()
    entries = [info.size for info in output.store.list("_counts")]
    return {
        "units": pending.units,
        "tasks_mb": packed / 1e6,
        "entries": len(entries),
        "journal_mb": sum(entries) / 1e6,
    }


def finish(output: Output, shards: int) -> dict[str, float]:
    record, plan = planned(output, shards)
    at = time.monotonic()
    sizes, folders = survey(plan, output)
    listed = time.monotonic() - at
    at = time.monotonic()
    tally = count(plan, output, sizes)
    counted = time.monotonic() - at
    manifest, inputs = build_manifest(record, plan, tally, folders, [], {})
    write_manifest(output, manifest, inputs)
    assert manifest["complete"], manifest["totals"]
    assert tally.stats.rows == plan.rows
    return {
        "units": plan.unit_count,
        "list_s": listed,
        "count_s": counted,
        "footers_read": tally.footers_read,
        "lists": output.store.list_calls,
    }


def start(output: Output, shards: int) -> dict[str, float]:
    return {}


PHASES: dict[str, tuple[Callable[[Output, int], dict[str, float]], int | None]] = {
    "start": (start, None),
    "first": (first, 1),
    "resume": (resume, 100),
    "run": (run, 1),
    "finish": (finish, None),
}
"""Each with how often a unit is undone: never, always, or one in so many."""


def main(shards: str = "100000", units: str = "100") -> None:
    table = Table(title=f"{int(shards):,} shards, {int(shards) * int(units):,} units")
    for column in ("phase", "wall s", "CPU s", "peak MB", ""):
        table.add_column(column, justify="right")
    told: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        record_metadata(Path(folder), int(shards), int(units))
        for phase in PHASES:
            words = [sys.executable, __file__, "--phase", phase, folder, shards, units]
            answer = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
            told[phase] = json.loads(answer)
            print(f"{phase}: {answer.strip()}", file=sys.stderr, flush=True)
            rest = {key: value for key, value in told[phase].items() if key not in ("s", "cpu_s", "mb")}
            shown = ", ".join(f"{key} {value:,.0f}" for key, value in rest.items())
            figures = (f"{told[phase][key]:,.0f}" for key in ("s", "cpu_s", "mb"))
            table.add_row(phase, *figures, shown)
    Console(width=120).print(table)
    print(json.dumps(told))


def phase_main(phase: str, folder: str, shards: str, units: str) -> None:
    action, undone_every = PHASES[phase]
    output = Output(MadeUpStore(folder, int(shards), int(units), undone_every))
    begin = time.monotonic()
    found = action(output, int(shards))
    took = {"s": round(time.monotonic() - begin, 1), "cpu_s": round(time.process_time(), 1)}
    told = {**took, "mb": round(peak_mb()), **found}
    print(json.dumps(told))


def peak_mb() -> float:
    """VmHWM: unlike ru_maxrss it does not remember the parent."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise SystemExit("this benchmark needs Linux")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--phase"]:
        phase_main(*sys.argv[2:6])
    else:
        main(*sys.argv[1:3])
