"""Rows of an output are read one by one, with the annotations that belong to them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.report.detail import source_detail, trace_detail
from dlcot_ray.report.facts import grouping_columns, read_facts
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import to_parquet
from tests.support.made_output import SETTINGS, make_output, row, sum_row
from tests.support.records import write_record


@pytest.fixture
def stored(tmp_path: Path) -> StoredOutput:
    rows = [sum_row(0), row("short", "So the answer is 42.", teacher="qwq"), sum_row(2, source=None)]
    return StoredOutput(make_output(tmp_path / "out", [rows, [sum_row(9), row("empty", None)]]))


def test_facts_say_what_became_of_each_row(stored: StoredOutput) -> None:
    first, second = stored.units()
    groups = grouping_columns(stored.column_names(first))
    assert groups == ("source", "teacher")
    facts = read_facts(stored, first, groups)
    assert [(f.trace_id, f.status, f.groups) for f in facts] == [
        ("sum-0", "enhanced", ("sums", "r1")),
        ("short", "unchanged", ("sums", "qwq")),
        ("sum-2", "enhanced", ("", "r1")),
    ]
    assert facts[0].before > facts[0].after > 0
    assert facts[0].approaches >= 1
    assert 0 < facts[0].arrival <= 1
    assert 0 < facts[0].confidence <= 1
    assert set(facts[0].cuts) == {"after the solution"}
    # A rejected row is in rejected/ only.
    assert [f.trace_id for f in read_facts(stored, second, groups)] == ["sum-9"]


def test_columns_to_group_by_are_found_or_named() -> None:
    names = ["id", "data_source", "model", "level"]
    assert grouping_columns(names) == ("data_source", "model")
    assert grouping_columns(names, ["level", "absent"]) == ("level",)
    assert grouping_columns(["id"]) == ()


def test_a_trace_is_shown_in_segments_that_its_edits_cover(stored: StoredOutput) -> None:
    unit = stored.units()[0]
    shown = stored.load(unit, [0])[0]
    detail = trace_detail(shown)
    json.dumps(detail)
    assert "".join(detail["segments"]) == shown.trace.reasoning
    kept = [
        "".join(detail["segments"][start:stop]) if op == "keep" else text
        for op, start, stop, text, _ in detail["edits"]
    ]
    assert "".join(kept) == shown.row["enhanced_reasoning"]
    assert detail["found"]["firstCorrect"] is not None
    assert detail["extra"]["teacher"] == "r1"
    assert not {"edits", "gates", "found", "status"} & source_detail(shown).keys()


def test_rows_come_in_the_order_asked_for(stored: StoredOutput) -> None:
    unit = stored.units()[0]
    assert [item.row["trace_id"] for item in stored.load(unit, [2, 0])] == ["sum-2", "sum-0"]
    with pytest.raises(InputFault, match="no row 7"):
        stored.load(unit, [7])


def test_a_derived_output_takes_the_annotations_of_its_source(tmp_path: Path, stored: StoredOutput) -> None:
    derived = make_output(
        tmp_path / "derived", [[sum_row(0), row("short", "So the answer is 42."), sum_row(2)]]
    )
    for unit in derived.done():
        derived.store.delete(f"annotations/{unit}.parquet")
    place = stored.output.store.given_url
    write_record(derived, JobRecord("derive", SETTINGS, {"annotations": place, "storage": {}}))
    shown = StoredOutput(derived).load(next(iter(derived.done())), [0])[0]
    assert shown.annotation is not None


def test_edits_of_other_segments_are_shown_without_annotations(stored: StoredOutput) -> None:
    shown = stored.load(stored.units()[0], [0])[0]
    edits = [dict(edit) for edit in shown.row["edits"]]
    edits[0]["stop"] -= 1
    edits[1]["start"] -= 1
    moved = type(shown)(
        shown.place, shown.trace, {**shown.row, "edits": edits}, shown.extra, shown.annotation
    )
    detail = trace_detail(moved)
    assert detail["found"] is None
    assert "".join(detail["segments"]) == shown.trace.reasoning
    assert len(detail["segments"]) == len(edits)


def test_a_folder_without_a_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no job"):
        StoredOutput(Output(Store(str(tmp_path))))


def test_an_output_of_another_version_is_shown_as_far_as_it_goes(stored: StoredOutput) -> None:
    unit = stored.units()[0]
    relative = f"enhanced/{unit}.parquet"
    table = pq.read_table(io.BytesIO(stored.output.store.read_bytes(relative)))
    stored.output.store.put(relative, to_parquet(table.drop_columns(["messages"])))
    assert stored.load(unit, [0])[0].row["trace_id"] == "sum-0"
    stored.output.store.put(relative, to_parquet(table.drop_columns(["gates"])))
    with pytest.raises(InputFault, match="no column gates; run the job again"):
        stored.load(unit, [0])
    with pytest.raises(InputFault, match="no column gates"):
        read_facts(stored, unit, ())


def test_rows_without_an_id_keep_the_ids_of_the_output(tmp_path: Path) -> None:
    rows = [{name: value for name, value in sum_row(n).items() if name != "id"} for n in range(3)]
    stored = StoredOutput(make_output(tmp_path / "out", [rows]))
    unit = stored.units()[0]
    names = ["part0#0", "part0#1", "part0#2"]
    assert [shown.trace.trace_id for shown in stored.load(unit, [0, 1, 2])] == names
    assert [trace.trace_id for trace in stored.sources(unit)] == names


def test_the_sources_of_a_unit_are_those_of_its_rows(stored: StoredOutput) -> None:
    for unit in stored.units():
        loaded = stored.load(unit, range(stored.columns(unit, ["trace_id"]).num_rows))
        assert list(stored.sources(unit)) == [shown.trace for shown in loaded]
