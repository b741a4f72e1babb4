"""The manifest: inputs, settings, counts and faults of an output, written at the end of a run.

All counts are of objects in the LIST (see `tally.py`), so they do not depend on the number of runs. Only the
entry `run` describes the last run. With more than `MAX_INPUTS_SHOWN` input files, the entries of the files
are in `inputs.jsonl`, one JSON object per line. This module also writes the dataset card.
"""

from __future__ import annotations

import io
import json
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dlcot_ray.credentials import storable
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import FORMAT, JobRecord
from dlcot_ray.outputs.layout import CARD_FILE, INPUTS_FILE, MANIFEST_FILE, Output

if TYPE_CHECKING:
    from dlcot_ray.inputs.files.listing import Skipped
    from dlcot_ray.outputs.tally import Tally
    from dlcot_ray.plan.plan import Plan

_PACKAGES = ("dlcot-ray", "ray", "pyarrow", "polars", "fsspec", "s3fs", "numpy", "math-verify", "omegaconf")
MAX_INPUTS_SHOWN = 1_000
"""Most input files that the manifest itself lists; if there are more, all are in `inputs.jsonl`."""

MAX_SKIPPED_SHOWN = 1_000
"""Most names among the inputs that the manifest lists though they are not read."""


@dataclass(frozen=True, slots=True)
class FailedUnit:
    """A unit that failed in this run; the next run tries it again."""

    unit: str
    file: str
    start: int
    stop: int
    error: str

    def __str__(self) -> str:
        return f"{self.file}, rows {self.start}-{self.stop - 1}: {self.error}"


def build_manifest(
    record: JobRecord,
    plan: Plan,
    tally: Tally,
    folders: Mapping[str, Mapping[str, int]],
    failed: Sequence[FailedUnit],
    run: Mapping[str, Any],
) -> tuple[dict[str, Any], bytes | None]:
    """Build the manifest.

    Args:
        record: the job.
        plan: its plan.
        tally: counts of its complete units.
        folders: folder -> number of objects and bytes.
        failed: units that failed in this run.
        run: figures of this run, such as its seconds.

    Returns:
        The manifest as plain JSON types, and the content of `inputs.jsonl`, or None if that is not needed.
    """
    # Imported here, because the commands that only read a manifest need no plan.
    from dlcot_ray.plan.plan import inputs_digest

    inputs = _inputs(plan, tally)
    unfinished = plan.rows - int(tally.rows.sum())
    aside = _lines(inputs) if inputs.num_rows > MAX_INPUTS_SHOWN else None
    content = {
        "format": FORMAT,
        "command": record.command,
        "complete": not unfinished,
        "fingerprint": record.fingerprint,
        "settings": record.settings,
        "totals": {
            "files": len(plan.files) + len(plan.faults),
            "rows": plan.rows,
            "unfinished": unfinished,
            **{key: value for key, value in _counts(tally.stats).items() if key != "rows"},
        },
        "layouts": [dict(item["report"]) for item in record.layouts],
        "inputs": inputs.to_pylist() if aside is None else [],
        "inputs_file": None if aside is None else INPUTS_FILE,
        "inputs_digest": inputs_digest(plan),
        "unusable_inputs": faults_as_dicts(plan.faults),
        "input_commits": dict(plan.commits),
        "skipped_inputs": skipped_as_dict(plan.skipped),
        "failed_units": [
            {"unit": unit.unit, "file": unit.file, "rows": [unit.start, unit.stop], "error": unit.error}
            for unit in sorted(failed, key=lambda unit: unit.unit)
        ],
        "outputs": {folder: dict(counts) for folder, counts in folders.items()},
        "config": record.config,
        "versions": versions(),
        "run": dict(run),
    }
    return content, aside


def faults_as_dicts(faults: Iterable[InputFault]) -> list[dict[str, str]]:
    """Unusable input files in the form of the manifest, sorted by file."""
    return [
        {"file": fault.file, "message": fault.message, "remedy": fault.remedy}
        for fault in sorted(faults, key=lambda fault: fault.file)
    ]


def skipped_as_dict(skipped: Sequence[Skipped]) -> dict[str, Any]:
    """What lies among the inputs and is not read: how much, for which reasons, and the names."""
    return {
        "count": len(skipped),
        "by_reason": dict(Counter(item.reason for item in skipped).most_common(MAX_SKIPPED_SHOWN)),
        "files": [{"file": item.file, "reason": item.reason} for item in skipped[:MAX_SKIPPED_SHOWN]],
    }


def write_card(output: Output, manifest: Mapping[str, Any], report: str = "") -> bool:
    """Write the dataset card; `report` is the report of a refresh, as Markdown.

    Returns:
        False if there is a README.md that somebody else wrote, which is kept.
    """
    # Imported here, because the commands that only read a manifest write no card.
    from dlcot_ray.outputs.card import card
    from dlcot_ray.outputs.owning.marks import may_replace

    if not may_replace(output, CARD_FILE):
        return False
    output.store.put(CARD_FILE, card(manifest, report).encode())
    return True


def write_manifest(output: Output, manifest: Mapping[str, Any], inputs: bytes | None = None) -> bool:
    """Write the card and `inputs.jsonl`, and the manifest last, because it marks the end of the run.

    Returns:
        False if somebody else's README.md was kept.
    """
    is_card_written = write_card(output, manifest)
    if inputs is not None:
        output.store.put(INPUTS_FILE, inputs)
    manifest = storable(manifest)
    output.store.put(MANIFEST_FILE, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    return is_card_written


def read_manifest(output: Output) -> dict[str, Any] | None:
    """The manifest of the last run; None if it is missing or damaged."""
    if not output.store.exists(MANIFEST_FILE):
        return None
    try:
        content = json.loads(output.store.read_bytes(MANIFEST_FILE))
    except ValueError:
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def read_inputs(output: Output, manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries of the input files, from the manifest or from `inputs.jsonl`.

    Raises:
        JobError: they cannot be read.
    """
    name = manifest.get("inputs_file")
    if name is None:
        return list(manifest["inputs"])
    try:
        return [json.loads(line) for line in output.store.read_bytes(name).splitlines()]
    except ValueError as error:
        raise JobError(
            f"{output.store.url(name)} is damaged", "delete manifest.json and run again"
        ) from error


def describes(manifest: Mapping[str, Any], record: JobRecord, plan: Plan) -> bool:
    """Whether a manifest belongs to this job and these inputs, and says that all units are complete."""
    from dlcot_ray.plan.plan import files_digest, inputs_digest

    digest = manifest.get("inputs_digest")
    if digest is None:
        # An earlier version wrote no digest.
        inputs = manifest.get("inputs", [])
        digest = files_digest((item["file"], item["rows"], item["version"]) for item in inputs)
    return (
        bool(manifest.get("complete"))
        and manifest.get("fingerprint") == record.fingerprint
        and digest == inputs_digest(plan)
        and manifest.get("unusable_inputs") == faults_as_dicts(plan.faults)
    )


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that affect the content: name -> version."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _inputs(plan: Plan, tally: Tally) -> pa.Table:
    """One row per input file."""
    rows = np.diff(plan.file_rows)
    # Files of one schema share the object, so that it tells the schemas apart.
    numbers = {which: number for number, which in enumerate(dict.fromkeys(map(id, plan.columns)))}
    return pa.table(
        {
            "file": [shard.file for shard in plan.shards],
            "name": [shard.name for shard in plan.shards],
            "size": [shard.size for shard in plan.shards],
            "version": [shard.version for shard in plan.shards],
            "preset": [columns.preset for columns in plan.columns],
            "schema": [numbers[id(columns)] for columns in plan.columns],
            "rows": rows,
            "units": tally.units,
            "enhanced": tally.enhanced,
            "unchanged": tally.unchanged,
            "rejected": tally.rejected,
            "unfinished": rows - tally.rows,
        }
    )


def _lines(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    for batch in table.to_batches(max_chunksize=10_000):
        sink.writelines(f"{json.dumps(row, ensure_ascii=False)}\n".encode() for row in batch.to_pylist())
    return sink.getvalue()


def _counts(stats: UnitStats) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(stats.to_json())
    return content
