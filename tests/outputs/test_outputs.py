"""What trainers load: chat messages and preference pairs, read with `datasets` and put through a chat template."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from dlcot_ray.core.policies.registry import parse_policy
from dlcot_ray.core.tokens import estimate_tokens
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.judging.rules.judge import RulesJudge
from dlcot_ray.outputs.audit.counts import count_findings
from dlcot_ray.outputs.audit.masked import masked_findings
from dlcot_ray.outputs.audit.stored import StoredUnit
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.results import UnitOutput
from dlcot_ray.outputs.schemas import annotations_from_table
from dlcot_ray.storage.store import Store
from dlcot_ray.work.process import enhance_unit
from dlcot_ray.work.unit_input import UnitInput, UnitOptions
from tests.support import REPO
from tests.support.records import write_record

EXAMPLES = REPO / "examples" / "shards"
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A tokenizer of one token that knows a chat template; nothing is downloaded."""
    bare = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    return PreTrainedTokenizerFast(tokenizer_object=bare, unk_token="[UNK]", chat_template=TEMPLATE)


def made(policy: str, **options: object) -> UnitOutput:
    table = pa.concat_tables(pq.read_table(path) for path in sorted(EXAMPLES.glob("*.parquet")))
    columns = resolve_columns(load_preset("plain"), table.schema, "in/a.parquet")
    unit = UnitInput.parse(table, columns, file="in/a.parquet", shard_name="a", first_row=0)
    judge = RulesJudge()
    try:
        return asyncio.run(
            enhance_unit(unit, judge, UnitOptions(parse_policy(policy, options), estimate_tokens))
        )
    finally:
        judge.close()


def written(output: UnitOutput, root: Path) -> Path:
    store = Output(Store(str(root)))
    write_record(store, JobRecord("enhance", {}, {}))
    store.put_unit("a.r000000000-000000009", output)
    return root


def loaded(root: Path, folder: str, cache: Path) -> Any:
    files = str(root / folder / "**" / "*.parquet")
    return load_dataset("parquet", data_files=files, split="train", cache_dir=str(cache))


def test_messages_load_and_take_a_chat_template(tmp_path: Path, tokenizer: Any) -> None:
    output = made("keep_first")
    data = loaded(written(output, tmp_path / "out"), "enhanced", tmp_path / "cache")
    assert data.num_rows == output.enhanced.num_rows > 0
    assert any(row["messages"] for row in data)
    for row in data:
        if row["messages"] is None:
            # A trace without a visible reply is no chat to train on.
            assert row["response"] is None
            continue
        text = tokenizer.apply_chat_template(row["messages"], tokenize=False)
        assert text.startswith(f"<|user|>\n{row['problem']}<|end|>\n<|assistant|>\n<think>\n")
        assert row["enhanced_reasoning"].strip() in text
        assert text.rstrip().endswith("<|end|>")


def test_preference_pairs_load_and_take_a_chat_template(tmp_path: Path, tokenizer: Any) -> None:
    output = made("keep_first+preference_pairs")
    data = loaded(written(output, tmp_path / "out"), "preferences", tmp_path / "cache")
    rows = {row["trace_id"]: row for row in output.enhanced.to_pylist()}
    changed = {key for key, row in rows.items() if row["status"] == "enhanced" and row["messages"]}
    assert {row["trace_id"] for row in data} == changed
    assert output.stats.pairs == data.num_rows > 0
    for pair in data:
        row = rows[pair["trace_id"]]
        chosen, rejected = (
            tokenizer.apply_chat_template(pair["prompt"] + pair[side], tokenize=False)
            for side in ("chosen", "rejected")
        )
        prompt = tokenizer.apply_chat_template(pair["prompt"], tokenize=False, add_generation_prompt=True)
        assert chosen.startswith(prompt)
        assert rejected.startswith(prompt)
        assert row["enhanced_reasoning"].strip() in chosen
        assert row["reasoning"].strip() in rejected
        assert pair["tokens_chosen"] < pair["tokens_rejected"]


def test_preference_pairs_are_off_by_default(tmp_path: Path) -> None:
    root = written(made("keep_first"), tmp_path / "out")
    assert not (root / "preferences").exists()


def test_unsolved_traces_are_kept_flagged_or_rejected_by_choice() -> None:
    kept, flagged, rejected = (made("clean_local", unsolved=mode) for mode in ("keep", "flag", "reject"))
    total = kept.enhanced.num_rows
    assert flagged.enhanced.num_rows == total
    reasons = dict(flagged.stats.by_reason)
    count = reasons["unsolved"]
    assert count == flagged.stats.unsolved == kept.stats.unsolved == rejected.stats.unsolved > 0
    for row in flagged.enhanced.to_pylist():
        if row["status_reason"] == "unsolved":
            assert (row["status"], row["enhanced_reasoning"]) == ("unchanged", row["reasoning"])
    assert rejected.enhanced.num_rows == total - count
    assert rejected.stats.rows == total
    assert dict(rejected.stats.by_cause) == {"unsolved": count}
    (first, *_) = rejected.rejected.to_pylist()
    assert (first["stage"], first["cause"]) == ("policy", "unsolved")
    assert rejected.annotations.num_rows == total


def test_every_gate_is_counted_and_the_counts_round_trip() -> None:
    stats = made("keep_first").stats
    passed = dict(stats.by_gate_passed)
    assert set(passed) == {
        "span_accounting", "answer_preserved", "correct_approach_left", "cut_bounds", "no_dangling_reference",
        "results_kept", "nothing_cut_through", "checks_supported", "cases_complete", "ending_kept",
        "outcome_kept", "reply_supported",
    }  # fmt: skip
    assert max(passed.values()) <= stats.enhanced + sum(dict(stats.by_gate).values())
    assert type(stats).from_json(stats.to_json()) == stats


def test_every_gate_that_stops_a_cut_names_traces_with_what_it_found() -> None:
    unit = made("keep_first", min_keep=0.95)
    stopped = dict(unit.stats.by_gate)
    rows = {row["trace_id"]: row["gates"] for row in unit.enhanced.to_pylist()}
    assert stopped
    assert {gate for gate, _, _ in unit.stats.gate_examples} == set(stopped)
    for gate, name, detail in unit.stats.gate_examples:
        (found,) = (item for item in rows[name] if item["name"] == gate and not item["passed"])
        assert detail == " ".join(found["detail"].split())


def test_an_audit_finds_examples_that_the_rows_do_not_bear_out() -> None:
    output = made("keep_first", min_keep=0.95)
    rows, annotations = output.enhanced.to_pylist(), annotations_from_table(output.annotations)

    def findings(stats: UnitStats) -> list[str]:
        unit = StoredUnit(
            "a.r0-9", "in/a.parquet", 0, len(rows), stats, output.enhanced, None, output.annotations, None
        )
        return [found.message for found in count_findings(unit, rows, annotations)]

    assert not findings(output.stats)
    gate, _, detail = output.stats.gate_examples[0]
    false = replace(output.stats, gate_examples=((gate, "nobody", detail),))
    (found,) = findings(false)
    assert found.startswith("its footer counts gate_examples")


def test_masked_conversations_load_and_hold_the_whole_trace(tmp_path: Path, tokenizer: Any) -> None:
    output = made("keep_first+loss_spans")
    data = loaded(written(output, tmp_path / "out"), "masked", tmp_path / "cache")
    rows = {row["trace_id"]: row for row in output.enhanced.to_pylist() if row["messages"]}
    assert [row["trace_id"] for row in data] == list(rows)
    shorter = 0
    for mask in data:
        row = rows[mask["trace_id"]]
        text = tokenizer.apply_chat_template(mask["messages"], tokenize=False)
        assert row["reasoning"].strip() in text
        reply = mask["messages"][-1]["content"]
        learnt = "".join(reply[span["start"] : span["stop"]] for span in mask["loss_spans"])
        assert {span["turn"] for span in mask["loss_spans"]} == {1}
        assert "".join(learnt.split()) == "".join(row["messages"][-1]["content"].split())
        shorter += learnt != reply
    assert shorter == output.stats.enhanced - sum(
        row["status"] == "enhanced" and not row["messages"] for row in output.enhanced.to_pylist()
    )


def test_an_audit_sees_wrong_and_missing_spans() -> None:
    output = made("keep_first+loss_spans")
    rows, masked = output.enhanced.to_pylist(), output.masked.to_pylist()
    assert list(masked_findings(rows, masked)) == []
    assert [number for number, _ in masked_findings(rows, masked[1:])] == [None]
    at = next(i for i, mask in enumerate(masked) if len(mask["loss_spans"]) > 1)
    spans = masked[at]["loss_spans"]
    for wrong in (spans[:-1], spans[::-1], [{**spans[0], "stop": 10**6}], [{**spans[0], "field": "text"}]):
        damaged = [*masked[:at], {**masked[at], "loss_spans": wrong}, *masked[at + 1 :]]
        assert [number for number, _ in masked_findings(rows, damaged)] == [at]
