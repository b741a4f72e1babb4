"""The manifest and the dataset card: what an output holds, written last.

Every count is read back from the objects themselves (the footer of each unit), never from what this run
happened to do, so a job that took five attempts has the manifest of one that took one. Only `run` is
about this run.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from dlcot_ray.job.commit import (
    CARD_FILE,
    ENHANCED,
    FOLDERS,
    FORMAT,
    MANIFEST_FILE,
    JobRecord,
    Output,
)
from dlcot_ray.job.faults import InputFault, JobError
from dlcot_ray.job.plan import Plan, PlannedFile
from dlcot_ray.job.stats import UnitStats

_PACKAGES = ("dlcot-ray", "ray", "pyarrow", "polars", "fsspec", "s3fs", "numpy", "math-verify", "omegaconf")
_FOOTER_THREADS = 16


@dataclass(frozen=True, slots=True)
class FailedUnit:
    """A unit that this run could not finish; the next run tries again."""

    unit: str
    file: str
    start: int
    stop: int
    error: str

    def __str__(self) -> str:
        return f"{self.file}, rows {self.start}-{self.stop - 1}: {self.error}"


@dataclass(frozen=True, slots=True)
class FileCounts:
    """One input file: what is done of it. `rows` = those of `stats` + `unfinished`."""

    file: PlannedFile
    stats: UnitStats
    units: int

    @property
    def unfinished(self) -> int:
        """Rows in units that are not complete."""
        return self.file.rows - self.stats.rows


def count_outputs(plan: Plan, output: Output, done: set[str]) -> list[FileCounts]:
    """The counts of every planned file, from the footers of its complete units.

    Raises:
        JobError: a unit's object is damaged.
    """
    counted: list[FileCounts] = []
    with ThreadPoolExecutor(_FOOTER_THREADS) as threads:
        for file in plan.files:
            names = [unit.name for unit in file.units() if unit.name in done]
            total = sum(threads.map(output.stats, names), start=UnitStats())
            counted.append(FileCounts(file, total, len(names)))
    return counted


def build_manifest(
    record: JobRecord,
    plan: Plan,
    counted: Sequence[FileCounts],
    failed: Sequence[FailedUnit],
    output: Output,
    run: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest as plain JSON types.

    Raises:
        JobError: the counts do not add up (an object was changed by someone else).
    """
    totals = sum((item.stats for item in counted), start=UnitStats())
    for item in counted:
        found = item.stats
        if found.rows != found.enhanced + found.unchanged + found.rejected or item.unfinished < 0:
            raise JobError(
                f"the units of {item.file.shard.label} hold {found.rows} rows, the file {item.file.rows}",
                "someone else wrote to the output: set overwrite=true to start over",
            )
    return {
        "format": FORMAT,
        "command": record.command,
        "complete": not any(item.unfinished for item in counted),
        "fingerprint": record.fingerprint,
        "settings": record.settings,
        "totals": {
            "files": len(plan.files) + len(plan.faults),
            "rows": plan.rows,
            "unfinished": sum(item.unfinished for item in counted),
            **{key: value for key, value in _counts(totals).items() if key != "rows"},
        },
        "inputs": [_input(item) for item in counted],
        "unusable_inputs": faults_as_dicts(plan.faults),
        "failed_units": [
            {"unit": unit.unit, "file": unit.file, "rows": [unit.start, unit.stop], "error": unit.error}
            for unit in sorted(failed, key=lambda unit: unit.unit)
        ],
        "outputs": {folder: _folder(output, folder) for folder in FOLDERS},
        "config": record.config,
        "versions": versions(),
        "run": dict(run),
    }


def faults_as_dicts(faults: Iterable[InputFault]) -> list[dict[str, str]]:
    """Unusable input files as they stand in the manifest."""
    return [
        {"file": fault.file, "message": fault.message, "remedy": fault.remedy}
        for fault in sorted(faults, key=lambda fault: fault.file)
    ]


def write_manifest(output: Output, manifest: Mapping[str, Any]) -> None:
    """Write the card, then the manifest: its presence means that the run came to its end."""
    output.store.put(CARD_FILE, _card(manifest).encode())
    output.store.put(MANIFEST_FILE, (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())


def read_manifest(output: Output) -> dict[str, Any] | None:
    """The manifest of the last run, or None where there is none that can be read."""
    if not output.store.exists(MANIFEST_FILE):
        return None
    try:
        content = json.loads(output.store.read_bytes(MANIFEST_FILE))
    except ValueError:
        return None
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None


def describes(manifest: Mapping[str, Any], record: JobRecord, plan: Plan) -> bool:
    """Whether a manifest is that of this very job with all of its units complete."""
    inputs = [(item["file"], item["rows"], item["version"]) for item in manifest.get("inputs", [])]
    return (
        bool(manifest.get("complete"))
        and manifest.get("fingerprint") == record.fingerprint
        and inputs == [(file.shard.label, file.rows, file.shard.version) for file in plan.files]
        and manifest.get("unusable_inputs") == faults_as_dicts(plan.faults)
    )


def versions() -> dict[str, str]:
    """Python and the packages that have a say in the content."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _input(item: FileCounts) -> dict[str, Any]:
    shard, stats = item.file.shard, item.stats
    return {
        "file": shard.label,
        "name": shard.name,
        "size": shard.size,
        "version": shard.version,
        "preset": item.file.columns.preset,
        "rows": item.file.rows,
        "units": item.units,
        "enhanced": stats.enhanced,
        "unchanged": stats.unchanged,
        "rejected": stats.rejected,
        "unfinished": item.unfinished,
    }


def _counts(stats: UnitStats) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(stats.to_json())
    return content


def _folder(output: Output, folder: str) -> dict[str, int]:
    objects = output.store.list(folder)
    return {"objects": len(objects), "bytes": sum(item.size for item in objects)}


def _card(manifest: Mapping[str, Any]) -> str:
    totals, settings = manifest["totals"], manifest["settings"]
    before, after = totals["tokens_before"], totals["tokens_after"]
    folders = [folder for folder in FOLDERS if manifest["outputs"][folder]["objects"]]
    configs = "".join(
        f"- config_name: {folder}\n  data_files: {folder}/**/*.parquet\n"
        + ("  default: true\n" if folder == ENHANCED else "")
        for folder in folders
    )
    return f"""---
configs:
{configs}tags:
- chain-of-thought
- distillation
- dlcot
---
# Enhanced chain-of-thought traces

{totals["rows"]} traces of {totals["files"]} files, edited by the policy `{settings["policy"]}` over the
annotations of the judge `{settings["judge"]}` (DLCoT, arXiv 2503.16385).

| rows | |
|---|---|
| enhanced | {totals["enhanced"]} |
| unchanged | {totals["unchanged"]} |
| rejected | {totals["rejected"]} |
| not finished | {totals["unfinished"]} |

Reasoning tokens: {before} before, {after} after ({_cut(before, after)} cut).

- `enhanced/`: every row that was not rejected, with the columns it came with, `enhanced_reasoning`, chat
  `messages` ready to train on, `status` and why, gate results, and `edits`: joining the source's
  `[start:stop]` of each `keep` and the `text` of each `replace` and `insert` gives the new reasoning.
- `annotations/`: what the judge found (sections, approaches, verifications, labels, errors, clusters).
- `rejected/`: rows that are no traces or that the policy does not want, with cause, message and remedy.
- `preferences/` (if asked for): enhanced against original trace, as `prompt`, `chosen`, `rejected`.
- `manifest.json`: inputs with their versions, counts per file, settings, package versions.
"""


def _cut(before: int, after: int) -> str:
    return f"{1 - after / before:.1%}" if before else "0.0%"
