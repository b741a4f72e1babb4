"""Which objects of an output dlcot wrote, told by their names and by marks in their content.

The output may hold files of others: a README.md that was edited, a manifest.json of another program, Parquet
files beside the units. Only what dlcot wrote is replaced or removed. Names of units and names that begin with
``_`` are its own; files with ordinary names carry a mark.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from dlcot_ray.outputs.layout import (
    BEFORE_AFTER_FILE,
    CARD_FILE,
    DUPLICATES_FILE,
    FACTS,
    FOLDERS,
    INPUT_METADATA_FILE,
    INPUTS_FILE,
    JOB_FILE,
    JOURNAL,
    LIVE_FILE,
    MANIFEST_FILE,
    PAGE_FILE,
    Output,
    unit_object,
)

CARD_MARK = (
    "<!-- Written by dlcot, which replaces this file after each run. Remove this line to keep yours. -->"
)
PAGE_MARK = '<meta name="generator" content="dlcot">'
_JOURNAL_ENTRY = re.compile(rf"{JOURNAL}/[0-9]{{8}}T[0-9]{{6}}-[0-9a-f]{{6}}-[0-9]{{6,}}\.arrow")
_HEAD = 65_536
"""Bytes that hold the mark of a large file."""
_MARKED = (MANIFEST_FILE, CARD_FILE, INPUTS_FILE, PAGE_FILE)
"""Files with ordinary names, which may be somebody else's."""


def foreign_files(output: Output) -> list[str]:
    """Names that dlcot would write and that hold something else; empty if there are none.

    Raises:
        JobError: they cannot be read.
    """
    return [name for name in _MARKED if not may_replace(output, name)]


def may_replace(output: Output, name: str) -> bool:
    """Whether there is no such file, or dlcot wrote it.

    Raises:
        JobError: it cannot be read.
    """
    if not output.store.exists(name):
        return True
    if name in (INPUTS_FILE, PAGE_FILE):
        # They may be large, and the beginning tells.
        with output.store.open(name) as file:
            return _is_ours(name, file.read(_HEAD))
    return _is_ours(name, output.store.read_bytes(name))


def clear(output: Output, *, record: bool = True) -> None:
    """Remove everything that dlcot wrote here, `_job.json` last, so that a killed run can do it again.

    Args:
        record: whether to remove `_job.json`.

    Raises:
        JobError: the store refuses.
    """
    store = output.store
    store.delete_all([name for name in _MARKED if may_replace(output, name)])
    for folder in (*FOLDERS, FACTS):
        names = (info.relative for info in store.scan(folder))
        store.delete_all([name for name in names if unit_object(name) is not None])
    store.delete_all(list(_journal_entries(output)))
    store.delete_all([BEFORE_AFTER_FILE, INPUT_METADATA_FILE, DUPLICATES_FILE, LIVE_FILE])
    if record:
        store.delete(JOB_FILE)


def _journal_entries(output: Output) -> Iterator[str]:
    for info in output.store.scan(JOURNAL):
        if _JOURNAL_ENTRY.fullmatch(info.relative):
            yield info.relative


def _is_ours(name: str, data: bytes) -> bool:
    if name == CARD_FILE:
        return CARD_MARK.encode() in data
    if name == PAGE_FILE:
        return PAGE_MARK.encode() in data
    if name == MANIFEST_FILE:
        return {"format", "command", "fingerprint"} <= _keys(data)
    return {"file", "name", "rows"} <= _keys(data.partition(b"\n")[0])


def _keys(data: bytes) -> set[str]:
    try:
        content: Any = json.loads(data)
    except ValueError:
        return set()
    return set(content) if isinstance(content, dict) else set()
