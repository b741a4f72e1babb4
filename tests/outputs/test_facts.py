"""The facts of a unit: one row per input row, also of a rejected one."""

from __future__ import annotations

import asyncio
from typing import Any

import pyarrow as pa

from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.items import traces_in
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.fingerprint import fingerprint, fingerprints_of
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.facts import FactSpec, fact_schema
from dlcot_ray.work.refreshing import Recalled, refresh_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support.snapshots import trace

LONG = trace(1)["reasoning"]
JUDGE = RulesJudge()


def facts_of(table: pa.Table, *known: str, **options: Any) -> list[dict[str, Any]]:
    """The facts of a unit that starts at row 100; the judge knows the traces of these ids already."""
    columns = resolve_columns(load_preset("plain"), table.schema, "in/x.parquet")
    unit = UnitInput.parse(
        table, columns, file="in/x.parquet", shard_name="x", first_row=100, duplicate_rows={103}
    )
    remembered = [found for found in traces_in(unit.items) if found is not None and found.trace_id in known]
    recalled = Recalled(
        fingerprints_of(traces_in(unit.items), JUDGE.identity),
        {fingerprint(trace, JUDGE.identity): JUDGE.annotate(trace) for trace in remembered},
    )
    unit_options = UnitOptions(parse_policy("keep_first", options), estimate_tokens, max_trace_chars=1000)
    spec = FactSpec("new", ("source", "missing"))
    made = asyncio.run(refresh_unit(unit, JUDGE, unit_options, recalled, spec))
    facts = made.facts
    assert facts is not None
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


def test_every_row_has_facts() -> None:
    rows = table(
        id=["known", None, "new", "new", "blank", "long"],
        reasoning=[LONG, None, LONG + "!", LONG, " ", LONG * 9],
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
    assert (nameless["status"], nameless["reason"]) == ("rejected", "null_reasoning")
    assert nameless["trace_id"] == "x#101"
    assert (repeat["reason"], repeat["annotation"], repeat["fingerprint"]) == ("duplicate_id", -1, "")
    assert (blank["reason"], blank["content"], blank["tokens_before"]) == ("empty_reasoning", "", 0)
    assert (long["status"], long["reason"], long["fingerprint"]) == ("unchanged", "too_long", "")
    assert not long["judged"]
    assert [known["by_source"], nameless["by_source"], new["by_source"]] == ["1", "2", None]
    assert known["by_missing"] is None


def test_rows_that_the_policy_rejects_have_an_annotation() -> None:
    wrong = LONG.replace("24", "25")
    rejected, kept = facts_of(table(id=["wrong", "right"], reasoning=[wrong, LONG]), unsolved="reject")
    assert (rejected["status"], rejected["reason"], rejected["annotation"]) == ("rejected", "unsolved", 0)
    assert rejected["fingerprint"]
    assert rejected["judged"]
    assert (kept["status"], kept["annotation"]) == ("enhanced", 1)


def test_content_depends_on_the_trace_and_not_on_its_id() -> None:
    one, other = facts_of(table(id=["a", "b"]))
    assert one["content"] == other["content"]
