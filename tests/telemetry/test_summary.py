"""What the summary of a run shows about its judges."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from dlcot_ray.inputs.files.listing import Skipped
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.manifest import skipped_as_dict
from dlcot_ray.telemetry.summary import print_summary, skipped_lines


def summary_of(stats: UnitStats, judge: str, **run: Any) -> str:
    totals = {**json.loads(stats.to_json()), "files": 1, "unfinished": 0}
    manifest = {
        "totals": totals,
        "settings": {"judge": judge},
        "run": run,
        "unusable_inputs": [],
        "failed_units": [],
    }
    out = io.StringIO()
    print_summary(manifest, "out", "next", Console(file=out, width=100))
    return " ".join(out.getvalue().split())


@pytest.mark.parametrize(
    ("by_judge", "lines"),
    [
        ((("rules/2", 30), ("vllm/1", 10)), ["judged by rules/2 30 75.0%", "judged by vllm/1 10 25.0%"]),
        ((("rules/2", 40),), ["judged by rules/2 40 100.0%"]),
    ],
)
def test_a_cascade_shows_the_rows_of_each_judge(
    by_judge: tuple[tuple[str, int], ...], lines: list[str]
) -> None:
    text = summary_of(UnitStats(rows=40, unchanged=40, by_judge=by_judge), "cascade/1 below 0.6: ...")
    for line in lines:
        assert line in text
    assert "judged by" not in summary_of(UnitStats(rows=40, unchanged=40, by_judge=by_judge[:1]), "rules/2")


def test_the_engines_busy_share_is_shown() -> None:
    stats = UnitStats(rows=1, unchanged=1, prefill=100, cached=300, decode=9)
    text = summary_of(stats, "vllm/1", engine_seconds=1234.5, engine_busy_share=0.9321)
    assert "judge tokens 100 300 cached, 9 decoded" in text
    assert "engine busy 93.2% of 1,234 s, this run" in text
    assert "engine busy" not in summary_of(stats, "vllm/1")


def test_a_gate_that_stopped_cuts_names_traces() -> None:
    stats = UnitStats(
        rows=9,
        enhanced=9,
        by_gate=(("no_dangling_reference", 2),),
        by_gate_passed=(("no_dangling_reference", 7),),
        gate_examples=(("no_dangling_reference", "seven-doors", "segment 3: '[as before]'"),),
    )
    text = summary_of(stats, "rules/2")
    assert "no_dangling_reference 2 of 9 seven-doors: segment 3: '[as before]'" in text


def test_what_is_not_read_is_named() -> None:
    skipped = tuple(Skipped(f"/in/{name}.txt", "no format has its suffix") for name in "abcd")
    figures = skipped_as_dict((*skipped, Skipped("/in/_SUCCESS", "its name begins with _")))
    assert figures["count"] == 5
    assert figures["files"][4] == {"file": "/in/_SUCCESS", "reason": "its name begins with _"}
    assert list(skipped_lines(figures)) == [
        "not read, no format has its suffix: /in/a.txt, /in/b.txt, /in/c.txt and 1 more",
        "not read, its name begins with _: /in/_SUCCESS",
    ]
    assert list(skipped_lines({})) == []
