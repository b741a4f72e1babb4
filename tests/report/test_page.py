"""The page holds all data as text that nothing executes, and stays small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from dlcot_ray.cli import main
from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.report.page import page
from dlcot_ray.report.payload import make_payload
from dlcot_ray.report.stored import StoredOutput
from dlcot_ray.report.writing import write_report
from tests.support.made_output import make_output, row, sum_row

HOSTILE = "</script><script>alert(1)</script><!-- \u202e \x1b]52;c;eA==\x07 <img src=x onerror=alert(2)>"


@pytest.fixture
def stored(tmp_path: Path) -> StoredOutput:
    rows = [sum_row(0), row(HOSTILE, f"{HOSTILE}\n\nSo the answer is 42.", source=HOSTILE), row("none", None)]
    return StoredOutput(make_output(tmp_path / "out", [rows, [sum_row(number) for number in range(3, 9)]]))


def data_of(made: bytes) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', made.decode(), re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found.group(1))
    return content


def test_hostile_texts_close_no_element(stored: StoredOutput) -> None:
    made = page(make_payload(stored)).decode()
    outside = re.sub(r"<script>.*?</script>", "", made, flags=re.DOTALL)
    assert "alert(1)</script>" not in outside
    assert "<img" not in outside
    elements = re.findall(r'<script type="application/json" id="(t\d+)">([^<>&]*)</script>', made)
    texts = [json.loads(text) for _, text in elements]
    assert HOSTILE in {text["id"] for text in texts}
    assert any(HOSTILE in "".join(text["segments"]) for text in texts)


def test_only_our_scripts_and_styles_may_run(stored: StoredOutput) -> None:
    made = page(make_payload(stored)).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)
    assert policy is not None
    directives = policy.group(1).replace("&#x27;", "'")
    assert "default-src 'none'" in directives
    assert "connect-src 'none'" in directives
    assert "unsafe-inline" not in directives.replace("style-src-attr 'unsafe-inline'", "")
    for script in re.findall(r"<script>(.*?)</script>", made, re.DOTALL):
        assert base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() in directives
    assert not re.search(
        r"<(?:script|link|img|iframe)[^>]+(?:src|href)=",
        re.sub(r"<script>.*?</script>", "", made, flags=re.DOTALL),
    )


def test_our_scripts_never_read_data_as_html() -> None:
    assets = Path(__file__).parents[2] / "dlcot_ray" / "report" / "assets"
    for script in assets.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text
        ), script.name


def test_counts_are_those_of_all_units_and_rejected_rows_are_named(stored: StoredOutput) -> None:
    content = data_of(page(make_payload(stored)))
    assert content["totals"]["enhanced"] + content["totals"]["unchanged"] == 8
    assert content["causes"][0][:2] == ["null_reasoning", 1]
    assert content["rejected"][0][0] == "none"
    assert content["unitsCounted"] == [2, 2]
    assert content["sample"] == {"rows": 8, "of": 8, "seed": 0}
    assert len(content["facts"]["id"]) == 8
    assert sorted(number for number in content["facts"]["text"]) == list(range(8))
    assert content["server"] is None


def test_a_page_holds_what_its_limits_allow(stored: StoredOutput) -> None:
    content = make_payload(stored, rows=4, text_bytes=0)
    assert len(content.summary["facts"]["id"]) <= 4
    assert content.traces == ()
    with pytest.raises(JobError, match="no column 'level'"):
        make_payload(stored, by=["level"])
    assert make_payload(stored, by=["teacher"]).summary["groups"] == ["teacher"]


def test_the_command_writes_the_page(
    stored: StoredOutput, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = stored.output.store.given_url
    assert main(["report", place]) == 0
    assert f"report: {Path(place) / 'report.html'}" in capsys.readouterr().out
    assert (Path(place) / "report.html").read_bytes().startswith(b"<!doctype html>")
    assert main(["report", place, "--file", str(tmp_path / "mine.html"), "--rows", "3"]) == 0
    assert (tmp_path / "mine.html").exists()
    assert main(["report", place, "--file", str(tmp_path / "absent" / "mine.html")]) == 1
    assert main(["report", place, "--rows", "0"]) == 2
    assert main(["report", str(tmp_path)]) == 1


def test_the_same_output_gives_the_same_page(stored: StoredOutput) -> None:
    assert page(make_payload(stored)) == page(make_payload(stored))


def test_outputs_without_traces_have_a_page(tmp_path: Path) -> None:
    nothing = make_output(tmp_path / "none", [])
    content = data_of(page(make_payload(StoredOutput(nothing))))
    assert content["totals"]["rows"] == 0
    assert content["facts"]["id"] == []
    rejected = make_output(tmp_path / "rejected", [[row("none", None)]])
    content = data_of(page(make_payload(StoredOutput(rejected))))
    assert content["totals"]["rejected"] == 1
    assert [item[0] for item in content["rejected"]] == ["none"]


def test_columns_of_any_type_can_group(tmp_path: Path) -> None:
    rows = [sum_row(number, level=number % 2, tags=["a", str(number)]) for number in range(3)]
    stored = StoredOutput(make_output(tmp_path / "out", [rows]))
    facts = make_payload(stored, by=["level", "tags"]).summary["facts"]
    groups = [[facts["words"][word] for word in words] for words in facts["groups"]]
    assert groups[1] == ["1", "['a', '1']"]


def test_a_damaged_unit_is_named(stored: StoredOutput) -> None:
    unit = stored.units()[0]
    stored.output.store.put(f"enhanced/{unit}.parquet", b"junk")
    with pytest.raises((InputFault, JobError), match=unit):
        make_payload(stored)
    assert main(["report", stored.output.store.given_url]) == 1


def test_missing_annotations_cost_only_what_they_tell(stored: StoredOutput) -> None:
    for unit in stored.units():
        stored.output.store.delete(f"annotations/{unit}.parquet")
    content = data_of(page(make_payload(stored)))
    assert set(content["facts"]["approaches"]) == {-1}
    assert content["totals"]["enhanced"] == 7


def test_a_report_that_cannot_be_made_is_said_in_one_line(stored: StoredOutput) -> None:
    assert write_report(stored.output).startswith("report: ")
    unit = stored.units()[0]
    stored.output.store.put(f"enhanced/{unit}.parquet", b"junk")
    line = write_report(stored.output)
    assert line.startswith("report: not written (")
    assert "\n" not in line
    assert f"dlcot report {stored.output.display_url}" in line


def test_libraries_come_with_their_licences_and_stay_small(tmp_path: Path) -> None:
    vendor = Path(__file__).parents[2] / "dlcot_ray" / "report" / "assets" / "vendor"
    libraries = {path.name.partition(".")[0] for path in vendor.iterdir()}
    assert {path.name.partition(".")[0] for path in vendor.glob("*.LICENSE")} == libraries
    assert len(page(make_payload(StoredOutput(make_output(tmp_path / "none", []))))) < 900_000
