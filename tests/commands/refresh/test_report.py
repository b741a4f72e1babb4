"""The report of a snapshot against the previous one, and its bounds, on facts with an obvious answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pyarrow as pa

from dlcot_ray.commands.refresh.changes import Change
from dlcot_ray.commands.refresh.report import SnapshotReport, bounds_of, compare
from dlcot_ray.commands.refresh.report_text import report_text
from dlcot_ray.config.settings import RefreshBounds
from dlcot_ray.outputs.facts import fact_schema

SCHEMA = fact_schema(["source", "teacher"])


def fact(trace_id: str | None, **changes: Any) -> dict[str, Any]:
    usual = {
        "trace_id": trace_id, "row": 0, "content": "c", "fingerprint": "f", "annotation": 0, "status": "enhanced",
        "reason": "", "tokens_before": 100, "tokens_after": 70, "labels": "correct unknown", "snapshot": "one",
        "judged": False, "by_source": "math", "by_teacher": "r1",
    }  # fmt: skip
    return usual | changes


def no_trace(trace_id: str | None, cause: str) -> dict[str, Any]:
    return fact(
        trace_id, status="rejected", reason=cause, content="", fingerprint="", labels="", tokens_before=0,
        tokens_after=0,
    )  # fmt: skip


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    table = pl.DataFrame(pa.Table.from_pylist(list(rows), SCHEMA))
    return table.with_columns(unit=pl.lit(0, pl.UInt32))


ONE = frame(
    fact("stays"),
    fact("edited"),
    fact("gone", by_teacher="qwen"),
    fact("flips"),
    fact("relabelled"),
    fact("failed", fingerprint="", reason="judge_failed", labels=""),
    no_trace("bad", "empty_reasoning"),
)
TWO = frame(
    fact("stays"),
    fact("edited", content="d", fingerprint="g", snapshot="two", judged=True),
    fact("new", snapshot="two", judged=True, by_source=None, by_teacher="qwen"),
    fact("flips", labels="incorrect unknown"),
    fact("relabelled", labels="correct correct", tokens_after=90),
    fact("failed", fingerprint="", reason="judge_failed", labels="", snapshot="two", judged=True),
    no_trace("bad", "empty_reasoning"),
    fact("stays", status="rejected", reason="duplicate_id", tokens_before=0, tokens_after=0),
    no_trace(None, "null_id"),
)


def two_snapshots() -> SnapshotReport:
    return compare("two", TWO, "one", ONE, ["source", "teacher"])


def test_the_changes_in_all() -> None:
    assert two_snapshots().total == Change(
        rows=9, rows_before=7, rejected=3, rejected_before=1, added=1, removed=1, changed=1, judged=3,
        judge_failed=1, tokens_in=600, tokens_out=440, tokens_in_before=600, tokens_out_before=420,
        comparable=3, flipped=1, relabelled=2,
    )  # fmt: skip


def test_the_changes_by_source_and_teacher() -> None:
    groups = two_snapshots().groups
    assert list(groups) == ["source", "teacher"]
    assert list(groups["source"]) == ["(none)", "math"]
    assert groups["source"]["(none)"] == Change(rows=1, added=1, judged=1, tokens_in=100, tokens_out=70)
    qwen, r1 = groups["teacher"]["qwen"], groups["teacher"]["r1"]
    assert (qwen.added, qwen.removed, qwen.rows, qwen.rows_before) == (1, 1, 1, 1)
    assert (r1.changed, r1.flipped, r1.relabelled, r1.rejected) == (1, 1, 2, 3)


def test_rows_of_copied_units_do_not_count_as_judged() -> None:
    stale = frame(fact("stays", judged=True), fact("other", judged=True, snapshot="two"))
    assert compare("two", stale, "one", ONE, []).total.judged == 1


def test_the_first_snapshot_is_all_new_and_has_no_bounds_of_changes() -> None:
    first = compare("one", ONE, None, None, ["source"])
    assert (first.total.added, first.total.removed, first.total.rows_before) == (7, 0, 0)
    bounds = bounds_of(first, RefreshBounds(), 0.2)
    assert [(bound.name, bound.exceeded) for bound in bounds] == [
        ("max_rejected_share", False),
        ("bounds.max_unusable_inputs", False),
    ]


def test_each_bound_limits_its_own_value_and_null_switches_it_off() -> None:
    off = RefreshBounds(None, None, None, None, None)
    report = replace(two_snapshots(), unusable=1)
    assert [bound.name for bound in bounds_of(report, off, 1.0)] == ["max_rejected_share"]
    values: dict[str, Any] = {
        "max_rejected_share_change": 3 / 9 - 1 / 7,
        "max_cut_change": abs((600 - 440) / 600 - (600 - 420) / 600),
        "max_label_flips": 1 / 3,
        "max_removed_share": 1 / 7,
        "max_unusable_inputs": 1,
    }
    for name, value in values.items():
        for limit, exceeded in ((value * 0.99, True), (value * 1.01, False)):
            (_, bound) = bounds_of(report, replace(off, **{name: limit}), 1.0)
            assert (bound.name, bound.exceeded) == (f"bounds.{name}", exceeded)
    assert bounds_of(report, off, 0.3)[0].exceeded


def test_a_column_that_no_file_has_makes_one_group() -> None:
    report = compare("two", TWO.drop("by_source"), "one", ONE, ["source"])
    assert report.groups["source"]["(none)"].rows == 9


def test_a_report_is_the_same_after_json() -> None:
    report = two_snapshots()
    assert SnapshotReport.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_a_report_as_markdown() -> None:
    strange = TWO.with_columns(by_source=pl.lit("a|b\nc"))
    report = compare("two", strange, "one", ONE, ["source", "teacher"])
    text = report_text(report, bounds_of(report, RefreshBounds(), 0.05))
    assert "# Snapshot two" in text
    assert "compared with one" in text
    assert "| `max_rejected_share` | 0.05 | 0.333333 | **exceeded** |" in text
    assert "## By teacher" in text
    assert "| a\\|b c | 9 |" in text
    widths = {line.replace("\\|", "").count("|") for line in text.splitlines() if line.startswith("| a")}
    assert widths == {12}
