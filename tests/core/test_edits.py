"""Edit scripts account for every segment, and replay exactly."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.core.edits import (
    Edit,
    EditOp,
    EditScriptError,
    apply_script,
    check_script,
    drop_script,
    keep_all,
    merge_script,
    replace_segments,
)


@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.booleans()), min_size=1, max_size=20))
def test_a_merged_script_replays_like_single_decisions(segments: list[tuple[str, bool]]) -> None:
    offsets = [0]
    for text, _ in segments:
        offsets.append(offsets[-1] + len(text))
    source = "".join(text for text, _ in segments)
    script = merge_script(
        Edit(EditOp.KEEP if kept else EditOp.DROP, i, i + 1, "", "" if kept else "redundant")
        for i, (_, kept) in enumerate(segments)
    )
    check_script(script, len(segments))
    assert apply_script(source, offsets, script) == "".join(text for text, kept in segments if kept)
    assert all(a.op is not b.op for a, b in itertools.pairwise(script))


def test_replacements_and_insertions_are_placed() -> None:
    script = (
        Edit(EditOp.KEEP, 0, 1),
        Edit(EditOp.REPLACE, 1, 2, "B"),
        Edit(EditOp.INSERT, 2, 2, "+"),
        Edit(EditOp.KEEP, 2, 3),
    )
    check_script(script, 3)
    assert apply_script("abc", (0, 1, 2, 3), script) == "aB+c"


@pytest.mark.parametrize(
    "script",
    [
        (Edit(EditOp.KEEP, 0, 1),),
        (Edit(EditOp.KEEP, 1, 2),),
        (Edit(EditOp.KEEP, 0, 1), Edit(EditOp.KEEP, 0, 2)),
        (Edit(EditOp.KEEP, 0, 2, "text"),),
        (Edit(EditOp.INSERT, 0, 0), Edit(EditOp.KEEP, 0, 2)),
        (Edit(EditOp.DROP, 0, 0), Edit(EditOp.KEEP, 0, 2)),
    ],
)
def test_scripts_that_lose_or_repeat_segments_are_refused(script: tuple[Edit, ...]) -> None:
    with pytest.raises(EditScriptError):
        check_script(script, 2)


def test_keep_all_changes_nothing() -> None:
    assert apply_script("ab", (0, 1, 2), keep_all(2)) == "ab"
    assert keep_all(0) == ()


@given(st.lists(st.sampled_from([None, "a", "b"]), max_size=12))
def test_a_drop_script_is_the_merged_script_of_its_segments(decisions: list[str | None]) -> None:
    drops = {segment: reason for segment, reason in enumerate(decisions) if reason is not None}
    merged = merge_script(
        Edit(EditOp.DROP if reason else EditOp.KEEP, segment, segment + 1, "", reason or "")
        for segment, reason in enumerate(decisions)
    )
    assert drop_script(drops, len(decisions)) == merged


def test_kept_segments_are_replaced_and_emptied_ones_dropped() -> None:
    script = drop_script({1: "gone"}, 5)
    made = replace_segments(script, {0: "A", 1: "ignored", 3: " "}, {0: "x", 1: "y", 3: "z"})
    assert made == (
        Edit(EditOp.REPLACE, 0, 1, "A", "x"),
        Edit(EditOp.DROP, 1, 2, "", "gone"),
        Edit(EditOp.KEEP, 2, 3),
        Edit(EditOp.DROP, 3, 4, "", "z"),
        Edit(EditOp.KEEP, 4, 5),
    )
    check_script(made, 5)
