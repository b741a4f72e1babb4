"""The manifest of an output against the sums of its units."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlcot_ray.commands.verify.result import FileAudit
from dlcot_ray.outputs.counts import add_up
from dlcot_ray.outputs.inventory import Finding, Inventory
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import (
    MANIFEST_FILE,
    Output,
)
from dlcot_ray.outputs.manifest import read_inputs, read_manifest


def manifest_findings(
    output: Output, record: JobRecord, files: Sequence[FileAudit], inventory: Inventory
) -> Iterator[Finding]:
    """Where the manifest differs from the job record, the sums of the units and the LIST."""
    manifest = read_manifest(output)
    if manifest is None:
        what = "it cannot be read" if output.store.exists(MANIFEST_FILE) else "there is none"
        yield Finding(MANIFEST_FILE, None, f"{what}: the job is not finished")
        return
    recorded: dict[str, Any] = {
        "fingerprint": manifest.get("fingerprint"),
        "command": manifest.get("command"),
        "settings": manifest.get("settings"),
    }
    found: dict[str, Any] = {
        "fingerprint": record.fingerprint,
        "command": record.command,
        "settings": dict(record.settings),
    }
    total = add_up(file.stats for file in files)
    rows = sum(file.item.rows for file in files)
    sums = {**json.loads(total.to_json()), "rows": rows, "unfinished": rows - total.rows}
    for key, value in sums.items():
        # An earlier version may lack a count. That is no difference if the count is zero now.
        recorded[f"totals.{key}"] = manifest.get("totals", {}).get(key, type(value)())
        found[f"totals.{key}"] = value
    for folder, (count, size) in inventory.folders.items():
        recorded[f"outputs.{folder}"] = manifest.get("outputs", {}).get(folder)
        found[f"outputs.{folder}"] = {"objects": count, "bytes": size}
    recorded["complete"], found["complete"] = manifest.get("complete"), total.rows == rows
    listed = {item["file"]: item for item in read_inputs(output, manifest)}
    for file in files:
        item, stats, name = file.item, file.stats, f"inputs, {file.item.file}"
        recorded[name] = listed.pop(item.file, None)
        if recorded[name] is not None:
            found[name] = {
                **recorded[name],
                "name": item.name,
                "size": item.size,
                "version": item.version,
                "rows": item.rows,
                "units": file.audit.units,
                "enhanced": stats.enhanced,
                "unchanged": stats.unchanged,
                "rejected": stats.rejected,
                "unfinished": item.rows - stats.rows,
            }
        else:
            found[name] = "planned"
    for label in listed:
        recorded[f"inputs, {label}"], found[f"inputs, {label}"] = "listed", None
    for key, value in found.items():
        if recorded[key] != value:
            yield Finding(MANIFEST_FILE, None, f"{key}: {_differing(recorded[key], value)}")


def _differing(recorded: Any, found: Any) -> str:
    if isinstance(recorded, Mapping) and isinstance(found, Mapping):
        keys = [key for key in {**recorded, **found} if recorded.get(key) != found.get(key)]
        return "; ".join(f"{key} {recorded.get(key)} recorded, {found.get(key)} found" for key in keys)[:300]
    return f"{recorded} recorded, {found} found"[:300]
