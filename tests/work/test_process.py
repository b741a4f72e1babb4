from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    Label,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    Tokens,
)
from dlcot_ray.core.policies.base import Policy
from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.segments import split_segments
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.protocol import Judge, JudgeError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import (
    ANNOTATION_SCHEMA,
    annotations_from_table,
    enhanced_schema,
    rejected_schema,
    replay,
)
from dlcot_ray.work.process import derive_unit, enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions

POLICY = parse_policy("keep_one_per_cluster")
LONG = "First 2+2=4, so the answer is 4.\n\nAlternatively 4=2*2, so the answer is 4.\n\nThe answer is 4."


class ParagraphJudge:
    """Takes every paragraph for a correct approach of one and the same method."""

    identity = "paragraphs/1"

    async def judge(self, trace: Trace) -> Annotation:
        offsets = split_segments(trace.reasoning)
        count = len(offsets) - 1
        return Annotation(
            trace.trace_id, f"fp-{trace.trace_id}", self.identity, offsets,
            (Section(SectionKind.SOLUTION_EXPLORE, 0, count),),
            tuple(Approach(n, n + 1, Label.CORRECT, Source.RULES, "4", n, 0) for n in range(count)),
            (), "4", ReferenceKind.GROUND_TRUTH, 0, (), False, (), Tokens(10, 4, 2),
        )  # fmt: skip

    def start(self) -> None:
        pass

    def close(self) -> None:
        pass


class PausingJudge(ParagraphJudge):
    """Finishes in the reverse of the order in which traces arrive, and counts how many it holds."""

    def __init__(self) -> None:
        self.held = self.most = 0

    async def judge(self, trace: Trace) -> Annotation:
        self.held += 1
        self.most = max(self.most, self.held)
        await asyncio.sleep(0.02 - 0.001 * int(trace.trace_id))
        self.held -= 1
        return await super().judge(trace)


class FailingJudge(ParagraphJudge):
    """Raises what it was given for the trace called `bad`."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def judge(self, trace: Trace) -> Annotation:
        if trace.trace_id == "bad":
            raise self.error
        return await super().judge(trace)


def rows(*ids: str | None, reasoning: str | None = LONG) -> pa.Table:
    count = len(ids)
    return pa.table(
        {
            "id": pa.array(ids, pa.string()),
            "problem": pa.array(["What is 2+2?"] * count),
            "reasoning": pa.array([reasoning] * count, pa.large_string()),
            "ground_truth": ["4"] * count,
        }
    )


def unit(table: pa.Table, **rejected: Any) -> UnitInput:
    columns = resolve_columns(load_preset("plain"), table.schema, "in/x.parquet")
    place: dict[str, Any] = {"file": "in/x.parquet", "shard_name": "x", "first_row": 100}
    return UnitInput.parse(table, columns, **place, **rejected)


def run(
    table: pa.Table, judge: Judge | None = None, duplicate_rows: Collection[int] = (), **options: Any
) -> UnitOutput:
    settings = UnitOptions(**{"policy": POLICY, "count_tokens": estimate_tokens, **options})
    rows = unit(table, duplicate_rows=duplicate_rows)
    return asyncio.run(enhance_unit(rows, judge or ParagraphJudge(), settings))


def derived(table: pa.Table, annotations: pa.Table, policy: Policy = POLICY, **rejected: Any) -> UnitOutput:
    settings = UnitOptions(policy, estimate_tokens)
    return asyncio.run(derive_unit(unit(table, **rejected), annotations, settings))


def ids(table: pa.Table) -> list[str]:
    found: list[str] = table.column("trace_id").to_pylist()
    return found


def test_rows_are_enhanced_in_order_and_replay_from_their_source() -> None:
    table = rows("a", "b", "c")
    output = run(table)
    assert ids(output.enhanced) == ids(output.annotations) == ["a", "b", "c"]
    assert output.annotations.schema == ANNOTATION_SCHEMA
    assert output.enhanced.schema == enhanced_schema(table.schema)
    for row in output.enhanced.to_pylist():
        assert row["status"] == "enhanced"
        assert row["reasoning"] == LONG
        assert len(row["enhanced_reasoning"]) < len(LONG)
        assert replay(LONG, row["edits"]) == row["enhanced_reasoning"]
        assert row["tokens_before"] == estimate_tokens(LONG)
        assert row["tokens_after"] == estimate_tokens(row["enhanced_reasoning"])
        assert row["fingerprint"] == f"fp-{row['trace_id']}"
    assert (output.stats.rows, output.stats.enhanced) == (3, 3)
    assert (output.stats.prefill, output.stats.cached, output.stats.decode) == (30, 12, 6)
    assert output.stats.by_label == (("correct", 9),)
    assert output.stats.tokens_before == 3 * estimate_tokens(LONG)


def test_slow_answers_come_back_in_input_order_and_no_more_are_held_than_allowed() -> None:
    judge = PausingJudge()
    names = [str(number) for number in range(12)]
    output = run(rows(*names), judge, in_flight=5)
    assert ids(output.enhanced) == names
    assert judge.most == 5


def test_bad_and_duplicate_rows_are_rejected_with_their_row_number() -> None:
    bad = [rows("d", reasoning=None), rows("e", reasoning=" ")]
    table = pa.concat_tables([rows("a", None, "b", "c"), *bad])
    output = run(table, duplicate_rows=frozenset({103}))
    assert ids(output.enhanced) == ["a", "x#101", "b"]
    rejected = output.rejected.to_pylist()
    assert [(row["input_row"], row["trace_id"], row["stage"], row["cause"]) for row in rejected] == [
        (103, "c", "plan", "duplicate_id"),
        (104, "d", "map", "null_reasoning"),
        (105, "e", "map", "empty_reasoning"),
    ]
    assert [row["id"] for row in rejected] == ["c", "d", "e"]
    assert {row["input_file"] for row in rejected} == {"in/x.parquet"}
    stats = output.stats
    assert (stats.rows, stats.enhanced, stats.unchanged, stats.rejected) == (6, 3, 0, 3)
    assert stats.by_cause == (
        ("duplicate_id", 1), ("empty_reasoning", 1), ("null_reasoning", 1),
    )  # fmt: skip


def test_poison_rows_are_rejected_and_never_reach_the_judge() -> None:
    rows_given = unit(rows("a", "bad", "c"), poison_rows={"bad": "its judge crashed 3 times"})
    judge = FailingJudge(JobError("engine died", "start it again"))
    output = asyncio.run(enhance_unit(rows_given, judge, UnitOptions(POLICY, estimate_tokens)))
    assert ids(output.enhanced) == ids(output.annotations) == ["a", "c"]
    (row,) = output.rejected.to_pylist()
    assert (row["trace_id"], row["input_row"]) == ("bad", 101)
    assert (row["stage"], row["cause"], row["message"]) == (
        "judge",
        "poison_row",
        "its judge crashed 3 times",
    )


@pytest.mark.parametrize(
    "error",
    [JudgeError("no answer", raw_reply="{"), ValueError("bad\nindex"), RecursionError(), TimeoutError()],
)
def test_a_trace_that_cannot_be_judged_goes_through_unchanged_and_flagged(error: Exception) -> None:
    output = run(rows("a", "bad", "c"), FailingJudge(error))
    row = output.enhanced.to_pylist()[1]
    assert (row["trace_id"], row["status"], row["status_reason"]) == ("bad", "unchanged", "judge_failed")
    assert row["enhanced_reasoning"] == LONG == replay(LONG, row["edits"])
    assert row["tokens_before"] == row["tokens_after"]
    assert row["gates"][0]["name"] == "judge"
    assert type(error).__name__ in row["gates"][0]["detail"]
    assert row["fingerprint"] == ""
    assert ids(output.annotations) == ["a", "bad", "c"]
    assert (output.stats.enhanced, output.stats.unchanged) == (2, 1)
    assert output.stats.by_reason == (("judge_failed", 1),)


def test_a_judge_that_cannot_go_on_stops_the_unit_with_its_own_error() -> None:
    with pytest.raises(JobError, match="engine died"):
        run(rows("a", "bad", "c"), FailingJudge(JobError("engine died", "start it again")))


class EditingJudge(ParagraphJudge):
    """Changes its annotation of the trace called `bad`."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes

    async def judge(self, trace: Trace) -> Annotation:
        found = await super().judge(trace)
        return replace(found, **self.changes) if trace.trace_id == "bad" else found


@pytest.mark.parametrize(
    "changes", [{"segment_offsets": (0, 1)}, {"segment_offsets": ()}, {"trace_id": "other"}]
)
def test_an_annotation_that_does_not_fit_its_trace_is_not_used(changes: dict[str, Any]) -> None:
    output = run(rows("a", "bad"), EditingJudge(**changes))
    bad = output.enhanced.to_pylist()[1]
    assert (bad["trace_id"], bad["status"], bad["status_reason"]) == ("bad", "unchanged", "judge_failed")
    assert bad["enhanced_reasoning"] == LONG == replay(LONG, bad["edits"])


def test_a_policy_that_fails_costs_its_row_only() -> None:
    def stumble(annotation: Annotation) -> dict[int, str]:
        return {1: "again"} if annotation.trace_id == "a" else {0: str(1 / 0)}

    output = run(rows("a", "bad"), policy=Policy("stumble", (stumble,)))
    assert [row["status"] for row in output.enhanced.to_pylist()] == ["enhanced", "unchanged"]
    bad = output.enhanced.to_pylist()[1]
    assert (bad["status_reason"], bad["policy"]) == ("policy_failed", "stumble")
    assert bad["gates"] == [
        {"name": "policy", "passed": False, "detail": "ZeroDivisionError: division by zero"}
    ]
    assert bad["enhanced_reasoning"] == LONG == replay(LONG, bad["edits"])


def test_a_trace_above_the_ceiling_is_not_judged_and_not_cut() -> None:
    table = pa.concat_tables([rows("a"), rows("long", reasoning=LONG * 50)])
    output = run(table, max_trace_chars=len(LONG))
    row = output.enhanced.to_pylist()[1]
    assert (row["status"], row["status_reason"]) == ("unchanged", "too_long")
    assert row["enhanced_reasoning"] == LONG * 50
    assert output.stats.by_reason == (("too_long", 1),)


def test_a_unit_without_good_rows_and_one_without_rows_have_the_usual_schemas() -> None:
    for table in (rows("a", reasoning=None), rows()):
        output = run(table)
        assert output.enhanced.num_rows == output.annotations.num_rows == 0
        assert output.enhanced.schema == enhanced_schema(table.schema)
        assert output.rejected.schema == rejected_schema(table.schema)
        assert output.rejected.num_rows == table.num_rows


def test_derive_needs_no_judge_and_gives_what_judging_again_would() -> None:
    table = pa.concat_tables([rows("a", None, "c"), rows("long", reasoning=LONG * 50), rows("dup")])
    options: dict[str, Any] = {"max_trace_chars": 500, "duplicate_rows": frozenset({104})}
    whole = run(table, **options)
    keep_first = parse_policy("keep_first")
    again = derived(table, whole.annotations, keep_first, duplicate_rows=frozenset({104}))
    fresh = run(table, **options, policy=keep_first)
    assert again.enhanced.equals(fresh.enhanced)
    assert again.rejected.equals(fresh.rejected)
    assert again.annotations.equals(whole.annotations)
    assert again.stats == fresh.stats


def test_derive_flags_traces_whose_annotation_is_missing_or_stale() -> None:
    table = rows("a", "b", "c")
    annotations = run(rows("a", "b")).annotations
    changed = table.set_column(2, "reasoning", pa.array([LONG, "Other text.", LONG], pa.large_string()))
    output = derived(changed, annotations)
    assert [(row["status"], row["status_reason"]) for row in output.enhanced.to_pylist()] == [
        ("enhanced", ""),
        ("unchanged", "stale_annotation"),
        ("unchanged", "not_annotated"),
    ]
    assert [row["enhanced_reasoning"] for row in output.enhanced.to_pylist()[1:]] == ["Other text.", LONG]


def test_stats_add_up_and_come_back_from_json() -> None:
    one = run(pa.concat_tables([rows("a"), rows("n", reasoning=None)])).stats
    other = run(rows("bad", "b"), FailingJudge(ValueError())).stats
    total = one + other
    assert (total.rows, total.enhanced, total.unchanged, total.rejected) == (4, 2, 1, 1)
    assert total.by_cause == (("null_reasoning", 1),)
    assert total.by_reason == (("judge_failed", 1),)
    assert total.by_label == (("correct", 6),)
    assert UnitStats.from_json(total.to_json()) == total
    assert one + UnitStats() == one
    assert sum([one, other], start=UnitStats()) == total
    for text in ("{", "[]", '{"rows": 1, "other": 2}'):
        with pytest.raises(ValueError, match=r".+"):
            UnitStats.from_json(text)


def test_real_traces_go_through_the_rules_judge_and_nothing_is_lost(shared_data: Path) -> None:
    from dlcot_ray.judging.rules.judge import RulesJudge

    for path in sorted((shared_data / "traces").glob("*.parquet")):
        table = pq.read_table(path).slice(0, 4)
        output = run(table, RulesJudge())
        assert output.stats.rows == table.num_rows == output.enhanced.num_rows
        assert output.stats.rejected == 0
        assert ids(output.enhanced) == table.column("id").to_pylist()
        for row in output.enhanced.to_pylist():
            assert replay(row["reasoning"], row["edits"]) == row["enhanced_reasoning"]
        stored = annotations_from_table(output.annotations)
        assert [record.segment_offsets for record in stored] == [
            split_segments(text) for text in table.column("reasoning").to_pylist()
        ]
        assert "judge_failed" not in dict(output.stats.by_reason)
        assert "policy_failed" not in dict(output.stats.by_reason)
