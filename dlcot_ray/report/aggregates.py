"""The counts of a report: exact ones of all rows from the manifest, as lists that the page draws."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dlcot_ray.errors import REMEDIES, JobError
from dlcot_ray.outputs.counts import UnitStats, add_up
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.manifest import read_manifest
from dlcot_ray.report.words import gate_help, reason_help
from dlcot_ray.storage.parallel import map_in_order

Json = dict[str, Any]

_MOST_FILES = 50
_MOST_FAULTS = 20
_SHOWN_SETTINGS = (
    "judge",
    "policy",
    "policy_options",
    "dataset",
    "tokenizer",
    "generations",
    "turns",
    "markup",
    "reply",
    "max_trace_chars",
    "dlcot_version",
)
_CHANGES_FILE = "report.json"


def totals_of(output: Output, units: Sequence[str]) -> tuple[Json, Json | None]:
    """The counts of an output, and its manifest.

    Without a manifest the job has not ended: the counts are then those of the units given.

    Raises:
        JobError: a unit is damaged.
    """
    manifest = read_manifest(output)
    if manifest is not None:
        return dict(manifest["totals"]), manifest
    stats: UnitStats = add_up(map_in_order(output.stats, units))
    counted: Json = json.loads(stats.to_json())
    return {**counted, "files": 0, "unfinished": 0}, None


def counted(totals: Mapping[str, Any]) -> Json:
    """The lists of counts behind the bars, each with its explanation, most frequent first."""
    return {
        "reasons": [[word, number, reason_help(word)] for word, number in _ranked(totals["by_reason"])],
        "causes": [[word, number, REMEDIES.get(word, "")] for word, number in _ranked(totals["by_cause"])],
        "passed": [
            [word, number, reason_help(word)] for word, number in _ranked(totals.get("by_passed", {}))
        ],
        "gates": _gates(totals),
        "labels": _ranked(totals["by_label"]),
        "judges": _ranked(totals["by_judge"]),
        "lengths": lengths(totals["by_length"]),
    }


def lengths(by_length: Mapping[str, int]) -> list[list[int]]:
    """``[least, most, before, after]`` tokens and traces of each class of lengths, shortest first."""
    limits = sorted({int(key.partition(":")[2]) for key in by_length})
    if not limits:
        return []
    found, limit = [], limits[0]
    while limit <= limits[-1]:
        least = 0 if limit == limits[0] else limit // 2 + 1
        found.append([least, limit, *(by_length.get(f"{side}:{limit}", 0) for side in ("before", "after"))])
        limit *= 2
    return found


def about(output: Output, manifest: Mapping[str, Any] | None, settings: Mapping[str, Any]) -> Json:
    """What made the output: settings, versions, inputs, faults, and the last run."""
    shown = {name: settings[name] for name in _SHOWN_SETTINGS if settings.get(name) not in (None, {}, "")}
    if manifest is None:
        return {"settings": shown, "files": [], "faults": [], "run": {}, "versions": {}, "complete": False}
    files = sorted(manifest["inputs"], key=lambda item: (-item["rows"], item["file"]))[:_MOST_FILES]
    names = ("file", "preset", "rows", "enhanced", "unchanged", "rejected")
    faults = [[item["file"], item["message"]] for item in manifest["unusable_inputs"]]
    faults += [[item["file"], item["error"]] for item in manifest["failed_units"]]
    run = {name: manifest["run"].get(name) for name in ("started", "seconds", "workers", "engine_busy_share")}
    return {
        "settings": shown,
        "files": [[item[name] for name in names] for item in files],
        "faults": faults[:_MOST_FAULTS],
        "run": run,
        "versions": manifest["versions"],
        "complete": bool(manifest["complete"]),
    }


def changes_of(output: Output) -> Json | None:
    """What a refresh reported against the previous snapshot; None where there is no such report."""
    try:
        if not output.store.exists(_CHANGES_FILE):
            return None
        content = json.loads(output.store.read_bytes(_CHANGES_FILE))
    except (JobError, ValueError):
        return None
    if not isinstance(content, dict) or not isinstance(content.get("total"), dict):
        return None
    return {name: content.get(name) for name in ("snapshot", "previous", "total", "groups")}


def _gates(totals: Mapping[str, Any]) -> list[list[Any]]:
    """``[gate, stopped, passed, what it asks, [[trace id, what it found], ...]]``."""
    stopped, passed = totals["by_gate"], totals["by_gate_passed"]
    names = sorted({*stopped, *passed}, key=lambda name: (-stopped.get(name, 0), name))
    examples = totals["gate_examples"]
    return [
        [name, stopped.get(name, 0), passed.get(name, 0), gate_help(name), examples.get(name, [])]
        for name in names
    ]


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
