"""Keeps what a person marks in the viewer: a label set in the layout that `dlcot evaluate` reads.

One JSON line per trace, in segment numbers and without text. A row is checked as `dlcot evaluate` would read
it before it is kept, so the file is always a label set. The file is written whole after each change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError, reason_of
from dlcot_ray.evaluation.rows import Context, LabelError
from dlcot_ray.evaluation.trace_labels import read_trace_labels
from dlcot_ray.storage.store import Store

VERDICTS = ("TRAIN", "HARMED", "UNDERCUT")
_LISTS = ("sections", "approaches", "verifications", "needed", "drop", "second_methods")
_COLUMNS = (*_LISTS, "first_correct_segment", "method_names")


class LabelFile:
    """The labels of one reader.

    Args:
        path: the JSON lines file; it need not exist.
        reader: who labels; rows of others in the file stay as they are.

    Raises:
        JobError: the file is no label set.
    """

    def __init__(self, path: Path, reader: str) -> None:
        self.path = path
        self.reader = reader
        self._others: list[dict[str, Any]] = []
        self._rows: dict[str, dict[str, Any]] = {}
        for row in _read(path):
            if row.get("annotator") == reader:
                self._rows[row["id"]] = row
            else:
                self._others.append(row)

    def ids(self) -> list[str]:
        """The traces that the reader has labelled, in the order of the file."""
        return list(self._rows)

    def get(self, trace_id: str) -> dict[str, Any] | None:
        """The labels of a trace; None where there are none."""
        return self._rows.get(trace_id)

    def put(self, trace: Trace, marks: Mapping[str, Any]) -> None:
        """Keep what the reader marked; a verdict that was given before stays.

        Raises:
            LabelError: there are no marks, or they contradict each other or do not fit the trace.
            JobError: the file cannot be written.
        """
        if not any(name in marks for name in _COLUMNS):
            raise LabelError("nothing is marked yet: mark a part, or tick that there is none")
        row: dict[str, Any] = {
            "id": trace.trace_id,
            "annotator": self.reader,
            "segments": len(split_segments(trace.reasoning)) - 1,
            **{name: marks[name] for name in _COLUMNS if name in marks},
        }
        list(read_trace_labels(row, 0, Context({trace.trace_id: trace})))
        before = self._rows.get(trace.trace_id, {})
        kept: dict[str, Any] = {
            name: before[name] for name in ("verdict", "verdict_note", "policy") if name in before
        }
        self._keep(trace.trace_id, {**row, **kept})

    def judge(self, trace_id: str, verdict: str, note: str, policy: str) -> None:
        """Keep the verdict on the output of a trace that the reader has labelled.

        Raises:
            LabelError: there is no such verdict, or no labels of the trace yet.
            JobError: the file cannot be written.
        """
        if verdict not in VERDICTS:
            raise LabelError(f"{verdict!r} is no verdict: give one of {', '.join(VERDICTS)}")
        row = self._rows.get(trace_id)
        if row is None:
            raise LabelError(f"{trace_id} has no labels yet: label it before you see the output")
        self._keep(trace_id, {**row, "verdict": verdict, "verdict_note": note, "policy": policy})

    def _keep(self, trace_id: str, row: dict[str, Any]) -> None:
        rows = {**self._rows, trace_id: row}
        lines = [json.dumps(item, ensure_ascii=False) for item in (*self._others, *rows.values())]
        Store(str(self.path.parent)).put(self.path.name, ("\n".join(lines) + "\n").encode())
        self._rows = rows


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows = []
    try:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            row = json.loads(line)
            if not isinstance(row, dict) or not isinstance(row.get("id"), str):
                raise ValueError(f"line {number} has no id")
            rows.append(row)
    except (OSError, ValueError) as error:
        raise JobError(f"{path} is no label set ({reason_of(error)})", "choose another --labels") from error
    return rows
