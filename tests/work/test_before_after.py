"""The table of changed traces as plain text: what a viewer shows, and what it leaves out."""

from __future__ import annotations

from pathlib import Path

from datasets import load_dataset

from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.outputs.layout import BEFORE_AFTER_FILE, Output
from dlcot_ray.storage.store import Store
from dlcot_ray.work.before_after import MOST_ROWS, MOST_UNITS, sample_of, write_before_after
from tests.outputs.test_outputs import made, written

UNIT = "a.r000000000-000000009"


def test_the_changed_traces_are_shown_with_what_was_dropped(tmp_path: Path) -> None:
    output = made("keep_first")
    root = written(output, tmp_path / "out")
    count = write_before_after(Output(Store(str(root))), load_preset("plain"), [UNIT])
    assert count == output.stats.enhanced > 0
    data = load_dataset("parquet", data_files=str(root / BEFORE_AFTER_FILE), split="train")
    rows = {row["trace_id"]: row for row in output.enhanced.to_pylist()}
    for shown in data:
        row = rows[shown["trace_id"]]
        assert (shown["before"], shown["after"]) == (row["reasoning"], row["enhanced_reasoning"])
        assert (shown["problem"], shown["response"]) == (row["problem"], row["response"])
        assert shown["solved"] == row["solved"]
        for part in shown["dropped"].split("\n[...]\n"):
            assert part
            assert part in row["reasoning"]


def test_a_unit_that_cannot_be_read_is_left_out_and_nothing_leaves_no_table(tmp_path: Path) -> None:
    root = written(made("keep_first"), tmp_path / "out")
    store = Output(Store(str(root)))
    (root / "enhanced" / "b.r000000000-000000009.parquet").write_bytes(b"broken")
    assert write_before_after(store, load_preset("plain"), ["b.r000000000-000000009", UNIT]) > 0
    assert write_before_after(store, load_preset("plain"), ["b.r000000000-000000009"]) == 0
    assert not (root / BEFORE_AFTER_FILE).exists()


def test_the_sample_is_bounded_and_spread() -> None:
    for count in (0, 1, MOST_UNITS, MOST_UNITS + 1, 7_000):
        units = list(range(count))
        chosen = sample_of(units)
        assert len(chosen) <= MOST_UNITS <= MOST_ROWS
        assert list(chosen[:1]) == units[:1]
    assert sample_of(range(7_000))[-1] > 6_500
