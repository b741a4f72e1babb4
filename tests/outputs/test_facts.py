"""The facts of a unit: one row per input row, whatever became of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa

from dlcot_ray.core.policies import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.core.trace import Trace
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import resolve_columns, traces_of
from dlcot_ray.judging.fingerprint import fingerprint
from dlcot_ray.judging.recalling import RecallingJudge
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.facts import FactSpec, fact_schema, facts_table
from dlcot_ray.work.process import Limits, enhance_unit
from tests.support.snapshots import trace

LONG = trace(1)["reasoning"]
JUDGE = RulesJudge()


def facts_of(table: pa.Table, *known: str, **options: Any) -> list[dict[str, Any]]:
    """The facts of a unit that starts at row 100; the judge knows the traces of these ids already."""
    columns = resolve_columns(load_preset("plain"), table.schema, "in/x.parquet")
    place: dict[str, Any] = {"file": "in/x.parquet", "first_row": 100, "shard_name": "x"}
    rows = traces_of(table, columns, **place)
    remembered = [row for row in rows if isinstance(row, Trace) and row.trace_id in known]
    judge = RecallingJudge(JUDGE, {fingerprint(t, JUDGE.identity): JUDGE.annotate(t) for t in remembered})
    made = asyncio.run(
        enhance_unit(
            table, columns=columns, judge=judge, policy=parse_policy("keep_first", options),
            limits=Limits(max_trace_chars=1000), count_tokens=estimate_tokens, duplicate_rows={103}, **place,
        )
    )  # fmt: skip
    facts = facts_table(
        table, rows, first_row=100, annotations=made.annotations, enhanced=made.enhanced, rejected=made.rejected,
        judge_identity=judge.identity, asked=judge.asked, spec=FactSpec("new", ("source", "missing")),
    )  # fmt: skip
    assert facts.schema == fact_schema(["source", "missing"])
    assert facts.num_rows == table.num_rows
    found: list[dict[str, Any]] = facts.to_pylist()
    marks = made.annotations.column("fingerprint").to_pylist()
    for fact in found:
        # Facts point into the unit's annotations.
        assert fact["annotation"] == -1 or marks[fact["annotation"]] == fact["fingerprint"]
    return found


def table(**columns: list[Any]) -> pa.Table:
    count = len(columns["id"])
    usual = {
        "problem": [trace(1)["problem"]] * count,
        "reasoning": [LONG] * count,
        "ground_truth": [trace(1)["answer"]] * count,
        "source": [1] * count,
    }
    return pa.table(usual | columns)


def test_every_row_is_told_of() -> None:
    rows = table(
        id=["known", None, "new", "new", "blank", "long"],
        reasoning=[LONG, LONG, LONG + "!", LONG, " ", LONG * 9],
        source=[1, 2, None, 1, 1, 1],
    )
    known, nameless, new, repeat, blank, long = facts_of(rows, "known")
    assert [fact["row"] for fact in (known, nameless, new, repeat, blank, long)] == list(range(100, 106))
    assert (known["status"], known["judged"], known["snapshot"]) == ("enhanced", False, "new")
    assert known["labels"].split() == ["correct"] * len(known["labels"].split())
    assert known["tokens_before"] > known["tokens_after"] > 0
    assert (new["judged"], new["annotation"]) == (True, 1)
    assert new["content"] != known["content"]
    assert new["fingerprint"] != known["fingerprint"] != known["content"]
    assert (nameless["trace_id"], nameless["status"], nameless["reason"]) == (None, "rejected", "null_id")
    assert (repeat["reason"], repeat["annotation"], repeat["fingerprint"]) == ("duplicate_id", -1, "")
    assert (blank["reason"], blank["content"], blank["tokens_before"]) == ("empty_reasoning", "", 0)
    assert (long["status"], long["reason"], long["fingerprint"]) == ("unchanged", "too_long", "")
    assert not long["judged"]
    assert [known["by_source"], nameless["by_source"], new["by_source"]] == ["1", "2", None]
    assert known["by_missing"] is None


def test_what_the_policy_rejects_was_judged_and_is_remembered() -> None:
    wrong = LONG.replace("24", "25")
    rejected, kept = facts_of(table(id=["wrong", "right"], reasoning=[wrong, LONG]), unsolved="reject")
    assert (rejected["status"], rejected["reason"], rejected["annotation"]) == ("rejected", "unsolved", 0)
    assert rejected["fingerprint"]
    assert rejected["judged"]
    assert (kept["status"], kept["annotation"]) == ("enhanced", 1)


def test_content_is_that_of_the_trace_and_not_its_id() -> None:
    one, other = facts_of(table(id=["a", "b"]))
    assert one["content"] == other["content"]
