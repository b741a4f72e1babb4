"""A job over a folder of several formats: judged, verified against its inputs, derived, resumed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather

from dlcot_ray.cli import main
from tests.support.finished_job import sum_trace

HERE = ["ray.address=local", "workers=1"]


def write_inputs(folder: Path) -> None:
    """Four traces in JSON lines with a bad line among them, four in CSV, four in Arrow, and other files."""
    folder.mkdir()
    columns = ("id", "problem", "reasoning", "answer")
    rows = [{name: sum_trace(number)[name] for name in columns} for number in range(12)]
    lines = [json.dumps(row) for row in rows[:4]]
    (folder / "a.JSONL").write_text("\n".join([*lines[:2], '{"id": "cut', *lines[2:]]))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows[4:8])
    (folder / "b.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
    feather.write_feather(pa.Table.from_pylist(rows[8:]), folder / "c.feather")
    (folder / "empty.jsonl").touch()
    (folder / "notes.md").write_text("# Notes")


def test_a_folder_of_several_formats(tmp_path: Path) -> None:
    source, output, derived = tmp_path / "in", tmp_path / "out", tmp_path / "derived"
    write_inputs(source)
    job = ["enhance", f"input={source}", f"output={output}", "rows_per_unit=2", "max_rejected_share=1", *HERE]
    assert main(job) == 0
    manifest = json.loads((output / "manifest.json").read_text())
    totals = manifest["totals"]
    assert (totals["rows"], totals["rejected"], totals["by_cause"]) == (13, 1, {"bad_line": 1})
    assert manifest["unusable_inputs"] == []
    assert {Path(item["file"]).name for item in manifest["skipped_inputs"]["files"]} == {
        "empty.jsonl",
        "notes.md",
    }
    assert main(["verify", str(output)]) == 0
    assert main(job) == 0
    words = [f"annotations={output}", f"output={derived}", "policy=keep_first", "max_rejected_share=1"]
    assert main(["derive", *words, *HERE]) == 0
    assert main(["verify", str(derived)]) == 0
