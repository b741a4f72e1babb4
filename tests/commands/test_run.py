"""Whole jobs on one Ray session: determinism, resuming, changed inputs, faults, derived outputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.cli import main
from dlcot_ray.core.policies.registry import DEFAULT_POLICY
from tests.support.records import units_of
from tests.support.sums import sum_thought
from tests.support.words import later_wins

pytestmark = pytest.mark.usefixtures("ray_session")

SMALL = ("rows_per_unit=5", "retries=0", "workers=1")


def trace(number: int) -> dict[str, Any]:
    """A short trace with two approaches to one sum, a check and a conclusion."""
    a, b = 17 + number, 5 + number % 7
    total = a + b
    return {
        "id": f"sum-{number}",
        "problem": f"What is {a} + {b}?",
        "reasoning": sum_thought(a, b, total),
        "answer": str(total),
        "note": number,
    }


def write(path: Path, numbers: range, rows_per_group: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([trace(number) for number in numbers])
    pq.write_table(table, path, row_group_size=rows_per_group, compression="snappy", use_dictionary=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    write(tmp_path / "in" / "a.parquet", range(12), rows_per_group=4)
    write(tmp_path / "in" / "deep" / "b.parquet", range(12, 30))
    return tmp_path / "in"


def enhance(source: Path, output: Path, *words: str) -> int:
    return main(["enhance", *later_wins(f"input={source}", f"output={output}", *SMALL, *words)])


def manifest(output: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((output / "manifest.json").read_text())
    return content


def lasting(output: Path) -> dict[str, Any]:
    """The manifest without what is about one run or one place."""
    content = manifest(output)
    return {key: value for key, value in content.items() if key not in ("run", "config")}


def ids(output: Path, folder: str = "enhanced") -> list[str]:
    return sorted(
        name for path in (output / folder).rglob("*.parquet") for name in pl.read_parquet(path)["trace_id"]
    )


def test_any_number_of_workers_gives_the_same_bytes(source: Path, tmp_path: Path) -> None:
    assert enhance(source, tmp_path / "one", "workers=1") == 0
    # More workers than the machine has room for: those that do not fit must not stop the others.
    assert enhance(source, tmp_path / "many", "workers=3", "in_flight=4") == 0
    assert units_of(tmp_path / "one") == units_of(tmp_path / "many")
    assert lasting(tmp_path / "one") == lasting(tmp_path / "many")
    assert (tmp_path / "one/README.md").read_bytes() == (tmp_path / "many/README.md").read_bytes()
    assert ids(tmp_path / "one") == sorted(f"sum-{number}" for number in range(30))


def test_tiny_files_are_committed_one_by_one_and_a_large_one_among_them_is_cut(tmp_path: Path) -> None:
    for number in range(23):
        write(tmp_path / "in" / f"tiny-{number:02}.parquet", range(number, number + 1))
    write(tmp_path / "in" / "tiny-07-large.parquet", range(100, 113))
    assert enhance(tmp_path / "in", tmp_path / "out") == 0
    units = sorted(path.stem for path in (tmp_path / "out" / "enhanced").iterdir())
    large = [f"tiny-07-large.r00000{cut}" for cut in ("0000-000000004", "0004-000000008", "0008-000000013")]
    assert units == sorted([*(f"tiny-{number:02}.r000000000-000000001" for number in range(23)), *large])
    assert ids(tmp_path / "out") == sorted(f"sum-{number}" for number in [*range(23), *range(100, 113)])
    assert manifest(tmp_path / "out")["run"]["footers_read"] == 0


def test_the_manifest_has_the_sums_of_the_units(source: Path, tmp_path: Path) -> None:
    assert enhance(source, tmp_path / "out") == 0
    told = manifest(tmp_path / "out")
    totals = told["totals"]
    assert totals["rows"] == totals["enhanced"] + totals["unchanged"] + totals["rejected"] == 30
    assert [item["name"] for item in told["inputs"]] == ["a", "deep/b"]
    for item in told["inputs"]:
        assert item["rows"] == item["enhanced"] + item["unchanged"] + item["rejected"]
    assert told["complete"]
    assert told["settings"]["judge"].startswith("learned/")
    assert told["config"]["policy"] == DEFAULT_POLICY
    assert {"python", "ray", "pyarrow"} <= told["versions"].keys()
    assert told["outputs"]["enhanced"]["objects"] == sum(item["units"] for item in told["inputs"])
    assert {key: told["settings"][key] for key in ("rows_per_unit", "policy")} == {
        "rows_per_unit": 5,
        "policy": DEFAULT_POLICY,
    }


def test_only_missing_units_are_done_again(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert enhance(source, output) == 0
    whole, told = units_of(output), lasting(output)
    # What a kill leaves: a unit without its last object, a half-written file, no manifest.
    (output / "enhanced/deep").joinpath("b.r000000000-000000004.parquet").unlink()
    (output / "enhanced/.a.parquet.1-1-aa.dlcot-tmp").write_bytes(b"half")
    (output / "manifest.json").unlink()
    times = {path: path.stat().st_mtime_ns for path in output.rglob("enhanced/**/*.parquet")}
    assert enhance(source, output) == 0
    assert units_of(output) == whole
    assert lasting(output) == told
    assert manifest(output)["run"]["units"] == 1
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert not list(output.rglob("*.dlcot-tmp"))
    capsys.readouterr()
    assert enhance(source, output) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_new_inputs_are_added_and_checked_for_duplicate_ids(source: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert enhance(source, output) == 0
    before = units_of(output)
    # Sorts before the others, and repeats ids of theirs: what is written already must stay the first.
    write(source / "0-new.parquet", range(28, 34))
    assert enhance(source, output, "max_rejected_share=0.5") == 0
    assert before.items() <= units_of(output).items()
    assert ids(output) == sorted(f"sum-{number}" for number in range(34))
    (rejected,) = (pl.read_parquet(path) for path in (output / "rejected").rglob("*.parquet"))
    assert rejected["cause"].to_list() == ["duplicate_id"] * 2
    assert "deep/b.parquet, row 16" in rejected["message"][0]
    assert rejected["input_row"].to_list() == [0, 1]


def test_changed_and_missing_inputs_are_refused(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out"
    assert enhance(source, output) == 0
    write(source / "a.parquet", range(50, 60))
    assert enhance(source, output) == 1
    assert "a.parquet has changed" in capsys.readouterr().err
    (source / "a.parquet").unlink()
    assert enhance(source, output) == 1
    assert "a.parquet is no longer among the inputs" in capsys.readouterr().err
    assert enhance(source, output, "overwrite=true") == 0
    assert ids(output) == sorted(f"sum-{number}" for number in range(12, 30))


def test_a_damaged_page_fails_its_unit_and_a_rerun_completes_it(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = source / "a.parquet"
    sound = path.read_bytes()
    stamp = path.stat()
    column = pq.ParquetFile(path).metadata.row_group(1).column(2)
    damaged = bytearray(sound)
    at = column.data_page_offset
    damaged[at : at + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    path.write_bytes(damaged)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    output = tmp_path / "out"
    assert enhance(source, output) == 3
    printed = capsys.readouterr().out
    assert "a.parquet, rows 4-7: cannot be read" in printed
    assert "run the same command again" in printed
    told = manifest(output)
    assert not told["complete"]
    assert [unit["rows"] for unit in told["failed_units"]] == [[4, 8]]
    assert told["totals"]["unfinished"] == 4
    # The store serves the sound object again, as after a passing fault of the disk.
    path.write_bytes(sound)
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert enhance(source, output) == 0
    assert manifest(output)["complete"]
    assert manifest(output)["run"]["units"] == 1
    assert ids(output) == sorted(f"sum-{number}" for number in range(30))


def test_unusable_files_do_not_stop_the_others(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (source / "broken.parquet").write_bytes(b"PAR1 nonsense PAR1")
    output = tmp_path / "out"
    assert enhance(source, output) == 3
    assert "broken.parquet" in capsys.readouterr().out
    assert manifest(output)["unusable_inputs"][0]["file"].endswith("broken.parquet")
    assert len(ids(output)) == 30
    # Repaired, it joins; removed, it is not missed.
    write(source / "broken.parquet", range(30, 33))
    assert enhance(source, output) == 0
    assert len(ids(output)) == 33


def test_a_job_without_a_usable_input_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.parquet").write_bytes(b"nonsense")
    assert enhance(tmp_path / "in", tmp_path / "out") == 1
    assert "a.parquet" in capsys.readouterr().err
    assert not (tmp_path / "out" / "_job.json").exists()


def test_too_many_rejected_rows_change_the_exit_status(tmp_path: Path) -> None:
    rows = [trace(number) | ({"reasoning": None} if number < 3 else {}) for number in range(10)]
    (tmp_path / "in").mkdir()
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in" / "a.parquet")
    assert enhance(tmp_path / "in", tmp_path / "out") == 3
    assert enhance(tmp_path / "in", tmp_path / "out", "max_rejected_share=0.3") == 0


def test_derive_gives_the_same_rows_as_judging_again(source: Path, tmp_path: Path) -> None:
    first, derived, direct = tmp_path / "first", tmp_path / "derived", tmp_path / "direct"
    assert enhance(source, first) == 0
    words = [
        "derive",
        f"annotations={first}",
        f"output={derived}",
        "policy=earliest_correct_prefix",
        "workers=1",
    ]
    assert main(words) == 0
    assert enhance(source, direct, "policy=earliest_correct_prefix") == 0
    enhanced = {name: data for name, data in units_of(direct).items() if name.startswith("enhanced/")}
    assert units_of(derived) == enhanced
    assert units_of(derived) != {n: d for n, d in units_of(first).items() if n.startswith("enhanced/")}
    assert manifest(derived)["settings"]["annotations"] == manifest(first)["fingerprint"]


def test_derive_needs_the_annotations_of_each_unit(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, derived = tmp_path / "first", tmp_path / "derived"
    assert enhance(source, first) == 0
    missing = first / "enhanced/a.r000000000-000000004.parquet"
    missing.unlink()
    words = ["derive", f"annotations={first}", f"output={derived}", "policy=keep_first", "workers=1"]
    assert main(words) == 3
    assert "a.parquet, rows 0-3: it has no annotations yet" in capsys.readouterr().out
    assert enhance(source, first) == 0
    assert main(words) == 0
    assert len(ids(derived)) == 30
    capsys.readouterr()
    assert main(words) == 0
    assert "nothing to do" in capsys.readouterr().out
    assert main(["derive", f"annotations={derived}", f"output={tmp_path / 'x'}"]) == 1
    assert f"annotations={first}" in capsys.readouterr().err
    write(source / "a.parquet", range(3))
    assert main(["derive", f"annotations={first}", f"output={tmp_path / 'y'}"]) == 1
    assert "a.parquet has changed" in capsys.readouterr().err
