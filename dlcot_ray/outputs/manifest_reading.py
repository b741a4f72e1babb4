"""Reads the manifest of an output. `manifest.py` makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.layout import FORMAT, MANIFEST_FILE, Output


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
