"""`dlcot verify`: a sound output has no findings; every kind of damage is found, by object and row."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.commands.verify.command import verify
from dlcot_ray.commands.verify.result import Audit
from dlcot_ray.outputs.layout import Output
from dlcot_ray.storage.store import Store
from tests.support.finished_job import FinishedJob
from tests.support.seaweed import S3Place

Rows = list[dict[str, Any]]
Damage = Callable[[Path], object]


def audit(out: Path, *, compare_inputs: bool = True) -> Audit:
    return verify(Output(Store(str(out))), compare_inputs=compare_inputs)


def rewrite(path: Path, change: Callable[[Rows], object]) -> None:
    """Change rows of an object and nothing else: schema and footer stay."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def in_table(name: str, change: Callable[[Rows], object]) -> Damage:
    return lambda out: rewrite(out / name, change)


def in_json(name: str, change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(out: Path) -> None:
        content = json.loads((out / name).read_text())
        change(content)
        (out / name).write_text(json.dumps(content))

    return damage


def put(row: int, column: str, value: Any) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[row][column] = value(rows[row][column]) if callable(value) else value

    return change


def edit(row: int, number: int, **values: Any) -> Callable[[Rows], None]:
    return lambda rows: rows[row]["edits"][number].update(values)


def recast(out: Path) -> None:
    path = out / A0
    table = pq.read_table(path)
    at = table.schema.get_field_index("tokens_after")
    changed = table.set_column(at, "tokens_after", table["tokens_after"].cast(pa.int64()))
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


A0 = "enhanced/a.r000000000-000000004.parquet"
A1 = "enhanced/a.r000000004-000000008.parquet"
B0 = "enhanced/b.r000000000-000000003.parquet"
B1 = "enhanced/b.r000000003-000000007.parquet"
NOTES_A1 = A1.replace("enhanced", "annotations")
PAIRS_A1 = A1.replace("enhanced", "preferences")
REJECTED_A0 = A0.replace("enhanced", "rejected")

DAMAGES: dict[str, tuple[Damage, str, int | None, str]] = {
    "a unit is gone": (lambda out: (out / A1).unlink(), "a.parquet", 4, "rows 4-7 are in no finished unit"),
    "its annotations are left over": (lambda out: (out / A1).unlink(), NOTES_A1, None, "has no object"),
    "annotations are gone": (lambda out: (out / NOTES_A1).unlink(), NOTES_A1, None, "missing"),
    "rejected rows are gone": (lambda out: (out / REJECTED_A0).unlink(), A0, None, "3 rows of an input range of 4"),
    "a text was changed": (
        in_table(A1, put(2, "enhanced_reasoning", lambda text: text + "!")), A1, 2, "replaying its edits",
    ),
    "a source was changed": (
        in_table(A1, put(2, "reasoning", lambda text: text.replace("directly", "DIRECTLY"))), A1, 2, "replaying",
    ),
    "an edit was shortened": (in_table(A1, edit(1, 0, stop=5)), A1, 1, "edit 1 starts at character"),
    "an edit brings text": (in_table(A1, edit(1, 0, text="x")), A1, 1, "is a keep and brings text"),
    "an edit is of no kind": (in_table(A1, edit(1, 0, op="move")), A1, 1, "no operation 'move'"),
    "edits end early": (in_table(A1, put(1, "edits", lambda edits: edits[:1])), A1, 1, "account for"),
    "units and characters differ": (in_table(A1, edit(1, 0, segment_stop=1)), NOTES_A1, 1, "are not characters"),
    "a status was changed": (in_table(A1, put(0, "status", "unchanged")), A1, 0, "called unchanged and is not"),
    "counts do not add up": (in_table(A1, put(0, "tokens_after", 1)), A1, None, "counts tokens_after"),
    "a gate was changed": (
        in_table(A1, put(0, "gates", lambda gates: [{**g, "passed": False} for g in gates])),
        A1, None, "counts by_gate",
    ),
    "messages were changed": (
        in_table(A1, put(0, "messages", lambda m: [m[0], {**m[1], "content": "?"}])), A1, 0, "its messages",
    ),
    "another policy": (in_table(A1, put(0, "policy", "keep_all")), A1, 0, "its policy is 'keep_all'"),
    "another fingerprint": (in_table(A1, put(0, "fingerprint", "0" * 32)), A1, 0, "its fingerprint is not that"),
    "row and annotation differ": (in_table(NOTES_A1, put(3, "judge", "x/1")), NOTES_A1, 3, "differ from its row"),
    "an id occurs twice": (in_table(B0, put(1, "trace_id", "sum-5")), B0, 1, "its id is that of .*a.r000000004"),
    "an annotation is gone": (in_table(NOTES_A1, lambda rows: rows.pop(1)), NOTES_A1, None, "'sum-5' has none"),
    "annotations are shuffled": (in_table(NOTES_A1, lambda rows: rows.reverse()), NOTES_A1, None, "its order"),
    "segments do not fit": (
        in_table(NOTES_A1, put(2, "segment_offsets", lambda offsets: [*offsets[:-1], 7])), NOTES_A1, 2, "its segments",
    ),
    "sections have a gap": (in_table(NOTES_A1, put(2, "sections", lambda s: s[1:])), NOTES_A1, 2, "partition"),
    "approaches overlap": (
        in_table(NOTES_A1, put(2, "approaches", lambda a: [a[0], *a])), NOTES_A1, 2, "approaches leave",
    ),
    "a rejected row is of elsewhere": (in_table(REJECTED_A0, put(0, "input_row", 40)), REJECTED_A0, 0, "input row 40"),
    "a rejected row has no cause": (in_table(REJECTED_A0, put(0, "cause", "moon")), REJECTED_A0, 0, "cause 'moon'"),
    "a pair was changed": (in_table(PAIRS_A1, put(1, "trace_id", "x")), PAIRS_A1, 1, "the pair of 'x'"),
    "a carried column was changed": (in_table(A1, put(1, "score", 3.5)), A1, 1, "score differs from .*row 5"),
    "a renamed column was changed": (in_table(A1, put(1, "source_status", "?")), A1, 1, "status differs from"),
    "a type was changed": (recast, A0, None, "its schema differs at tokens_after"),
    "an object is cut off": (lambda out: (out / A1).write_bytes((out / A1).read_bytes()[:900]), A1, None, "readable"),
    "a footer has no counts": (
        lambda out: pq.write_table(pq.read_table(out / A1).replace_schema_metadata(None), out / A1),
        A1, None, "not a unit that dlcot wrote",
    ),
    "a half-written file": (
        lambda out: (out / "enhanced" / ".x.1.dlcot-tmp").write_bytes(b""), "enhanced/.x.1.dlcot-tmp", None, "half",
    ),
    "a file of nobody": (lambda out: (out / "enhanced" / "x.csv").write_text("x"), "enhanced/x.csv", None, "no job"),
    "a unit of another input": (
        lambda out: shutil.copy(out / A0, out / A0.replace("/a", "/z")), A0.replace("/a", "/z"), None, "no input",
    ),
    "units overlap": (
        lambda out: shutil.copy(out / A1, out / A1.replace("000004-", "000003-")),
        A1.replace("000004-", "000003-"), None, "overlaps",
    ),
    "no manifest": (lambda out: (out / "manifest.json").unlink(), "manifest.json", None, "there is none"),
    "a broken manifest": (lambda out: (out / "manifest.json").write_text("{"), "manifest.json", None, "be read"),
    "a total was changed": (
        in_json("manifest.json", lambda m: m["totals"].update(enhanced=9)), "manifest.json", None, "totals.enhanced: 9",
    ),
    "a file's count was changed": (
        in_json("manifest.json", lambda m: m["inputs"][1].update(rejected=9)), "manifest.json", None, "b.parquet: rejected 9",
    ),
    "objects were miscounted": (
        in_json("manifest.json", lambda m: m["outputs"]["enhanced"].update(objects=9)),
        "manifest.json", None, "outputs.enhanced: objects 9 recorded, 5 found",
    ),
    "bytes were miscounted": (
        in_json("manifest.json", lambda m: m["outputs"]["rejected"].update(bytes=9)), "manifest.json", None, "bytes 9 recorded",
    ),
    "called incomplete": (in_json("manifest.json", lambda m: m.update(complete=False)), "manifest.json", None, "complete"),
    "of another job": (in_json("manifest.json", lambda m: m.update(fingerprint="x")), "manifest.json", None, "x recorded"),
    "the record was changed": (in_json("_job.json", lambda j: j.update(fingerprint="x")), "_job.json", None, "is x"),
    "settings were changed": (
        in_json("_job.json", lambda j: j["settings"].update(rows_per_unit=9)), "manifest.json", None, "rows_per_unit 4 recorded",
    ),
}  # fmt: skip


def test_an_intact_output_has_no_findings(finished_job: FinishedJob) -> None:
    found = audit(finished_job.output)
    assert found.findings == []
    assert (found.units, found.rows, found.compared) == (5, 19, 19)


@pytest.mark.parametrize("what", DAMAGES)
def test_each_damage_is_reported_at_its_object_and_row(
    what: str, finished_job: FinishedJob, tmp_path: Path
) -> None:
    damage, where, row, says = DAMAGES[what]
    out = finished_job.copy(tmp_path)
    damage(out)
    told = [
        finding
        for finding in audit(out).findings
        if finding.where.endswith(where) and finding.row == row and _matches(says, finding.message)
    ]
    assert told, [str(finding) for finding in audit(out).findings]


def test_changed_or_missing_inputs_are_notes_not_findings(finished_job: FinishedJob) -> None:
    first, second = finished_job.source / "a.parquet", finished_job.source / "b.parquet"
    was = second.stat()
    first.rename(first.with_suffix(".away"))
    os.utime(second, (1, 1))
    try:
        found = audit(finished_job.output)
    finally:
        first.with_suffix(".away").rename(first)
        os.utime(second, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert (found.findings, found.compared) == ([], 0)
    assert [note.partition(": ")[0].rpartition("/")[2] for note in found.notes] == [
        "a.parquet is gone",
        "b.parquet has changed since the job",
    ]


@pytest.mark.usefixtures("ray_session")
def test_a_derived_output_is_audited_without_annotations_of_its_own(
    finished_job: FinishedJob, tmp_path: Path
) -> None:
    derived = tmp_path / "derived"
    words = [f"annotations={finished_job.output}", f"output={derived}", "ray.address=local", "workers=1"]
    assert main(["derive", *words, "max_rejected_share=1"]) == 0
    assert audit(derived).findings == []
    path = next((derived / "enhanced").glob("a.*4.parquet"))
    rewrite(path, put(0, "enhanced_reasoning", "x"))
    assert any("replaying" in finding.message for finding in audit(derived).findings)


def test_the_command_prints_lines_and_json_and_sets_the_status(
    finished_job: FinishedJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(finished_job.output)]) == 0
    assert "nothing wrong in 5 units with 19 rows" in capsys.readouterr().out
    out = finished_job.copy(tmp_path)
    rewrite(out / A1, put(2, "enhanced_reasoning", "x"))
    (out / "stray").write_text("x")
    assert main(["verify", f"output={out}", "max_findings=1", "inputs=false"]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0] == "stray: no job writes an object of this name"
    assert "more findings" in lines[1]
    assert main(["verify", str(out), "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert {"where": A1, "row": 2, "message": "replaying its edits does not give enhanced_reasoning"} in told[
        "findings"
    ]
    assert main(["verify", str(tmp_path / "nothing")]) == 1
    assert "there is no job in" in capsys.readouterr().err
    assert main(["verify"]) == 2


def test_an_output_on_s3_is_audited_like_a_local_one(finished_job: FinishedJob, s3: S3Place) -> None:
    store = Store(s3.url("out"))
    for path in sorted(finished_job.output.rglob("*")):
        if path.is_file():
            store.put(path.relative_to(finished_job.output).as_posix(), path.read_bytes())
    found = verify(Output(store))
    assert (found.findings, found.compared) == ([], 19)
    store.put(A1, b"PAR1 no more PAR1")
    store.put("enhanced/odd name.parquet", b"")
    places = {finding.where for finding in verify(Output(store)).findings}
    assert {A1, "enhanced/odd name.parquet", "manifest.json"} <= places


def _matches(pattern: str, message: str) -> bool:
    head, _, tail = pattern.partition(".*")
    return head in message and tail in message.partition(head)[2]
