from __future__ import annotations

import io
from itertools import accumulate
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.core.annotation import (
    Annotation,
    Approach,
    ErrorKind,
    ErrorSpan,
    JudgeStep,
    Label,
    ReferenceKind,
    Section,
    SectionKind,
    Source,
    StepStatus,
    Tokens,
    Verification,
    VerificationKind,
)
from dlcot_ray.core.edits import Edit, EditOp, apply_script
from dlcot_ray.core.enhancement import Enhancement, GateResult, Status
from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import RowFault
from dlcot_ray.outputs.codec import codec_of
from dlcot_ray.outputs.columns import carried_names, carried_table
from dlcot_ray.outputs.schemas import (
    ANNOTATION_SCHEMA,
    ENHANCED_FIELDS,
    EnhancedRow,
    annotations_from_table,
    annotations_to_table,
    chat_messages,
    enhanced_schema,
    enhanced_table,
    rejected_schema,
    rejected_table,
    replay,
)
from dlcot_ray.storage.tables import read_parquet, read_parquet_metadata, to_parquet

number = st.integers(0, 2**31 - 1)
share = st.floats(0, 1)
spans = st.builds(
    ErrorSpan, st.sampled_from(ErrorKind), number, number, number, number, st.sampled_from(Source),
    st.booleans(), st.text(),
)  # fmt: skip
approaches = st.builds(
    Approach, number, number, st.sampled_from(Label), st.sampled_from(Source), st.none() | st.text(),
    st.none() | number, number, st.lists(spans, max_size=3).map(tuple), number, share,
)  # fmt: skip
annotation_records = st.builds(
    Annotation,
    st.text(),
    st.text(),
    st.text(),
    st.lists(number, max_size=9).map(tuple),
    st.lists(st.builds(Section, st.sampled_from(SectionKind), number, number), max_size=3).map(tuple),
    st.lists(approaches, max_size=3).map(tuple),
    st.lists(
        st.builds(
            Verification, number, number, st.sampled_from(VerificationKind), st.none() | number, number
        ),
        max_size=3,
    ).map(tuple),
    st.none() | st.text(),
    st.sampled_from(ReferenceKind),
    st.none() | number,
    st.lists(st.tuples(number, number), max_size=3).map(tuple),
    st.booleans(),
    st.lists(
        st.builds(StepStatus, st.sampled_from(JudgeStep), st.sampled_from(Source), share, st.text()),
        max_size=3,
    ).map(tuple),
    st.builds(Tokens, number, number, number),
)


def on_disk(table: pa.Table) -> pa.Table:
    return read_parquet(to_parquet(table))


@settings(deadline=None)
@given(st.lists(annotation_records, max_size=4))
def test_annotations_round_trip(records: list[Annotation]) -> None:
    table = annotations_to_table(records)
    assert table.schema == ANNOTATION_SCHEMA
    table.validate(full=True)
    assert annotations_from_table(table) == records
    assert annotations_from_table(on_disk(table)) == records
    if len(records) > 1:
        assert annotations_from_table(pa.concat_tables([table.slice(1), table.slice(0, 1)])) == [
            *records[1:],
            records[0],
        ]


def test_enums_round_trip() -> None:
    record = Annotation(
        "t", "f", "rules/1", (0, 5), (Section(SectionKind.VERIFY, 0, 1),), (), (), None,
        ReferenceKind.NONE, None, (), False, (),
    )  # fmt: skip
    (found,) = annotations_from_table(annotations_to_table([record]))
    assert found.sections[0].kind is SectionKind.VERIFY
    assert found.reference_kind is ReferenceKind.NONE


def test_the_annotation_schema_is_the_published_one() -> None:
    span = "start: int32 not null, stop: int32 not null"
    error = (
        f"kind: string not null, {span}, char_start: int32 not null, char_stop: int32 not null, "
        "source: string not null, corrected: bool not null, message: string not null"
    )
    approach = (
        f"{span}, label: string not null, label_source: string not null, answer: string, answer_segment: int32, "
        f"cluster: int32 not null, errors: list<item: struct<{error}> not null> not null, "
        "completed_segments: int32 not null, confidence: double not null"
    )
    tokens = "struct<prefill: int32 not null, cached: int32 not null, decode: int32 not null>"
    step = (
        "step: string not null, source: string not null, confidence: double not null, note: string not null, "
        f"tokens: {tokens} not null, questions: int32 not null, reasked: int32 not null"
    )
    verification = f"{span}, kind: string not null, approach: int32, cluster: int32 not null"
    score = (
        "tokens: int32 not null, surprisal: double not null, first: double not null, ranks: int32 not null, "
        "entropy: double"
    )
    published = {
        "trace_id": "string",
        "fingerprint": "string",
        "judge": "string",
        "segment_offsets": "list<item: int32 not null>",
        "sections": f"list<item: struct<kind: string not null, {span}> not null>",
        "approaches": f"list<item: struct<{approach}> not null>",
        "verifications": f"list<item: struct<{verification}> not null>",
        "reference": "string",
        "reference_kind": "string",
        "first_correct_segment": "int32",
        "loops": f"list<item: struct<{span}> not null>",
        "truncated": "bool",
        "steps": f"list<item: struct<{step}> not null>",
        "tokens": tokens,
        "replies": "list<item: struct<step: string not null, text: string not null> not null>",
        "scores": f"list<item: struct<{score}> not null>",
        "scored_by": "string",
        "needless": "list<item: double not null>",
    }
    assert {field.name: _spelt(field.type) for field in ANNOTATION_SCHEMA} == published
    assert [field.name for field in ANNOTATION_SCHEMA if field.nullable] == [
        "reference",
        "first_correct_segment",
    ]


def _spelt(kind: pa.DataType) -> str:
    """Arrow's own spelling, which it cuts short for long types."""

    def field(part: pa.Field) -> str:
        return f"{part.name}: {_spelt(part.type)}{'' if part.nullable else ' not null'}"

    if pa.types.is_struct(kind):
        return f"struct<{', '.join(field(part) for part in kind)}>"
    if pa.types.is_list(kind):
        return f"list<{field(kind.value_field)}>"
    return str(kind)


@pytest.mark.parametrize("hint", [bytes, Tokens | None, tuple[int, ...] | None, dict[str, int]])
def test_types_without_an_arrow_type_are_refused(hint: Any) -> None:
    with pytest.raises(TypeError):
        codec_of(hint)


PARTS = ("So 𝑥=2.\n\n", "Wait, 𝑥=3.\n\n", "Again 𝑥=2.\n\n", "Done.")
REASONING = "".join(PARTS)
OFFSETS = tuple(accumulate(map(len, PARTS), initial=0))


def enhancement(*script: Edit) -> Enhancement:
    return Enhancement(
        Status.ENHANCED, "", script, apply_script(REASONING, OFFSETS, script),
        (GateResult("answer_preserved", True), GateResult("cut_ratio", False, "80 %")), "keep_first",
    )  # fmt: skip


CUT = enhancement(
    Edit(EditOp.KEEP, 0, 1),
    Edit(EditOp.DROP, 1, 2, reason="wrong"),
    Edit(EditOp.INSERT, 2, 2, "Let me check.\n\n", "bridge"),
    Edit(EditOp.REPLACE, 2, 3, "It is 2.\n\n", "repair"),
    Edit(EditOp.KEEP, 3, 4),
)


def enhanced_row(index: int, trace: Trace) -> EnhancedRow:
    return EnhancedRow(
        index, index, 0, trace, CUT, OFFSETS, 12, 8, "rules/1", "abc", chat_messages(trace, CUT.reasoning)
    )


def test_edits_replay_without_this_package() -> None:
    stored = on_disk(enhanced_table(pa.table({"id": ["a"]}), [enhanced_row(0, Trace("a", "p", REASONING))]))
    (row,) = stored.to_pylist()
    assert replay(REASONING, row["edits"]) == row["enhanced_reasoning"] == CUT.reasoning
    by_hand = "".join(
        REASONING[e["start"] : e["stop"]] if e["op"] == "keep" else e["text"] for e in row["edits"]
    )
    assert by_hand == CUT.reasoning
    assert [(edit["op"], edit["segment_start"], edit["segment_stop"]) for edit in row["edits"]] == [
        ("keep", 0, 1), ("drop", 1, 2), ("insert", 2, 2), ("replace", 2, 3), ("keep", 3, 4),
    ]  # fmt: skip


def test_enhanced_rows_have_all_columns_and_those_of_the_input() -> None:
    table = pa.table({"id": [1, 2, 3], "extra": [[b"\xff"], None, []], "policy": ["x", "y", "z"]})
    result = enhanced_table(table, [enhanced_row(2, Trace("3", "p?", REASONING, None, "\n\n It is 2.\n"))])
    assert result.schema == enhanced_schema(table.schema)
    result.validate(full=True)
    (row,) = result.to_pylist()
    assert (row["id"], row["extra"], row["source_policy"], row["policy"]) == (3, [], "z", "keep_first")
    assert row["messages"] == [
        {"role": "user", "content": "p?"},
        {"role": "assistant", "content": f"<think>\n{CUT.reasoning}\n</think>\n\nIt is 2."},
    ]
    assert (row["tokens_before"], row["tokens_after"], row["judge"], row["fingerprint"]) == (
        12,
        8,
        "rules/1",
        "abc",
    )
    assert (row["status"], row["status_reason"]) == ("enhanced", "")
    assert row["gates"][1] == {"name": "cut_ratio", "passed": False, "detail": "80 %"}


def test_a_trace_without_a_response_ends_with_its_thinking() -> None:
    assert chat_messages(Trace("a", "", "r"), "\n r \n")[1]["content"] == "<think>\nr\n</think>"


def test_rejected_rows_have_a_cause_and_the_input_columns() -> None:
    table = pa.table({"message": ["m0", "m1"], "n": [0, 1]})
    fault = RowFault("in/x.parquet", 11, None, "map", "null_id", "column id (the id) is null")
    result = rejected_table(table, [fault], first_row=10)
    assert result.schema == rejected_schema(table.schema)
    (row,) = result.to_pylist()
    assert row == {
        "source_message": "m1", "n": 1, "trace_id": None, "input_file": "in/x.parquet", "input_row": 11, "input_part": 0,
        "stage": "map", "cause": "null_id", "message": "column id (the id) is null",
        "remedy": "give every row an id, or use a preset without an id column", "raw_reply": None,
    }  # fmt: skip


COLUMNS = {
    "plain": pa.array(["a", "b"]),
    "large": pa.array(["a", "b"], pa.large_string()),
    "view": pa.array(["a", "b"], pa.string_view()),
    "coded": pa.array(["a", "a"]).dictionary_encode(),
    "nested": pa.array([{"x": [1]}, None]),
    "nothing": pa.nulls(2),
    "messages": pa.array([[{"role": "user", "content": "x"}]] * 2),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_carried_columns_of_any_type_are_unchanged(name: str) -> None:
    table = pa.table({name: COLUMNS[name]})
    kept = enhanced_table(table, [enhanced_row(1, Trace("a", "p", REASONING))])
    lost = rejected_table(table, [RowFault("f", 0, None, "map", "null_id", "m")], first_row=0)
    final = f"source_{name}" if name == "messages" else name
    assert kept.column(final).to_pylist() == [COLUMNS[name][1].as_py()]
    assert lost.column(name).to_pylist() == [COLUMNS[name][0].as_py()]
    assert on_disk(kept).column(final).to_pylist() == kept.column(final).to_pylist()


def test_units_without_rows_have_the_same_schema() -> None:
    table = pa.table(COLUMNS)
    none = enhanced_table(table, [])
    some = enhanced_table(table, [enhanced_row(0, Trace("a", "p", REASONING))])
    assert none.num_rows == 0
    assert on_disk(none).schema == on_disk(some).schema
    fault = RowFault("f", 0, None, "map", "null_id", "m")
    assert on_disk(rejected_table(table, [], 0)).schema == on_disk(rejected_table(table, [fault], 0)).schema
    assert on_disk(annotations_to_table([])).schema == ANNOTATION_SCHEMA


@given(
    st.lists(
        st.sampled_from(["a", "policy", "source_policy", "source_source_policy", "source_a"]), unique=True
    )
)
def test_carried_columns_are_renamed_only_on_a_collision(names: list[str]) -> None:
    ours = ["policy", "status"]
    result = carried_names(names, ours)
    assert len({*result, *ours}) == len(names) + len(ours)
    for name, final in zip(names, result, strict=True):
        assert final.removesuffix(name).replace("source_", "") == ""
        assert final == name or name in ours


@pytest.mark.parametrize(
    "names",
    [["policy"], ["source_policy"], ["source_policy", "policy"], ["policy", "judge", "source_source_policy"]],
)
def test_carried_columns_get_their_own_names_back(names: list[str]) -> None:
    table = pa.table({name: ["x"] for name in names})
    stored = enhanced_table(table, [enhanced_row(0, Trace("a", "p", REASONING))])
    read = read_parquet(to_parquet(stored))
    assert carried_table(read.replace_schema_metadata(None), ENHANCED_FIELDS).equals(table)


def test_the_metadata_of_the_input_schema_is_dropped() -> None:
    field = pa.field("id", pa.string(), metadata={"PARQUET:field_id": "1"})
    schema = enhanced_schema(pa.schema([field], metadata={"huggingface": "{}", "pandas": "{}"}))
    assert schema.metadata is None
    assert schema.field("id").metadata is None


def test_the_same_table_gives_the_same_bytes_with_readable_metadata() -> None:
    table = enhanced_table(pa.table({"id": ["a"]}), [enhanced_row(0, Trace("a", "p", REASONING))])
    one = to_parquet(table, {"b": "2", "a": "ä"})
    other = to_parquet(pa.concat_tables([table.slice(0, 0), table]), {"a": "ä", "b": "2"})
    assert one == other
    assert read_parquet_metadata(one) == {"a": "ä", "b": "2"}
    assert read_parquet_metadata(io.BytesIO(one)) == {"a": "ä", "b": "2"}
    with pytest.raises(pa.ArrowInvalid):
        read_parquet_metadata(b"not Parquet")


def test_other_readers_can_read_it() -> None:
    table = enhanced_table(pa.table({"id": ["a"]}), [enhanced_row(0, Trace("a", "p", REASONING))])
    frame = pl.read_parquet(io.BytesIO(to_parquet(table)))
    assert frame["messages"][0][1]["content"].startswith("<think>\nSo ")
    assert frame["edits"].list.len().to_list() == [5]
