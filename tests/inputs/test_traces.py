from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlcot_ray.core.trace import Trace
from dlcot_ray.errors import InputFault, RowFault
from dlcot_ray.inputs.columns import resolve_columns
from dlcot_ray.inputs.items import Passed
from dlcot_ray.inputs.presets import load_preset
from dlcot_ray.inputs.traces import traces_of

BAD = b"caf\xe9"


def read(table: pa.Table, preset: str = "auto", first_row: int = 0) -> list[Trace | RowFault]:
    columns = resolve_columns(load_preset(preset), table.schema, "in/x.parquet")
    items = traces_of(table, columns, file="in/x.parquet", first_row=first_row, shard_name="x")
    return [item.found for item in items if not isinstance(item.found, Passed)]


def causes(rows: list[Trace | RowFault]) -> list[str]:
    return [str(row.cause) if isinstance(row, RowFault) else "" for row in rows]


def chat(
    *turns: tuple[str, str | None], role: str = "role", content: str = "content"
) -> list[dict[str, Any]]:
    return [{role: who, content: text} for who, text in turns]


def text_array(values: list[str | None], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):
        return pa.array(values, kind.value_type).dictionary_encode()
    return pa.array([value.encode() if value is not None else None for value in values], pa.binary()).cast(
        kind
    )


LAYOUTS: dict[str, tuple[Any, ...]] = {
    "plain": (
        {"id": "a", "problem": "p", "reasoning": " r\n", "answer": "4"},
        Trace("a", "p", " r\n", "4", None),
    ),
    "messages": (
        {"id": 7, "messages": chat(("system", "s"), ("user", "p"), ("assistant", "<think>r</think>v"))},
        Trace("7", "p", "r", None, "v"),
    ),
    "completion": (
        {"prompt": "p", "completion": "<think>\nr\n</think>\nv", "answer": "4"},
        Trace("x#0", "p", "\nr\n", "4", "\nv"),
    ),
    "openr1_math": (
        {
            "problem": "p", "solution": "long", "answer": "4", "problem_type": "Algebra",
            "question_type": "math-word-problem", "source": "olympiads", "uuid": "u-1",
            "is_reasoning_complete": [True, True],
            "generations": ["<think>r</think>v", "<think>other</think>w"],
            "correctness_math_verify": [True, False], "correctness_llama": None,
            "finish_reasons": None, "correctness_count": 1,
            "messages": chat(("user", "p"), ("assistant", "<think>r</think>v")),
        },
        Trace("u-1/0", "p", "r", "4", "v"),
        Trace("u-1/1", "p", "other", "4", "w"),
    ),
    "openthoughts": (
        {
            "system": "You think.",
            "conversations": chat(
                ("user", "p"),
                (
                    "assistant",
                    "<|begin_of_thought|>\n\nr\n\n<|end_of_thought|>\n\n"
                    "<|begin_of_solution|>\n\nv\n\n<|end_of_solution|>",
                ),
                role="from", content="value",
            ),
        },
        Trace("x#0", "p", "\n\nr\n\n", None, "\n\nv\n\n"),
    ),
    "s1k": (
        {
            "solution": "4", "question": "p", "cot_type": "math", "source_type": "aime", "metadata": "{}",
            "cot": None, "thinking_trajectories": ["r"], "attempt": "v",
        },
        Trace("x#0", "p", "r", "4", "v"),
    ),
    "limo": ({"question": "p", "solution": "r", "answer": "4"}, Trace("x#0", "p", "r", "4", None)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("automatic", [True, False])
def test_public_layouts_become_traces(name: str, automatic: bool) -> None:
    row, *traces = LAYOUTS[name]
    table = pa.Table.from_pylist([row])
    assert read(table, "auto" if automatic else name) == traces
    if automatic:
        assert resolve_columns(load_preset("auto"), table.schema, "f").preset == name


def test_the_other_configurations_of_openthoughts_stratos_and_s1k() -> None:
    metadata = {
        "problem": "p", "deepseek_reasoning": "r", "deepseek_solution": "v", "ground_truth_solution": "4",
        "domain": "math", "source": "s", "test_cases": None, "starter_code": None,
    }  # fmt: skip
    assert read(pa.Table.from_pylist([metadata])) == [Trace("x#0", "p", "r", "4", "v")]
    row, trace = LAYOUTS["openthoughts"]
    assert read(pa.Table.from_pylist([row]), "bespoke_stratos") == [trace]
    newer = {
        "solution": "4", "question": "p", "deepseek_thinking_trajectory": "r", "deepseek_attempt": "v",
        "gemini_thinking_trajectory": "s", "gemini_attempt": "w", "metadata": "{}",
    }  # fmt: skip
    assert read(pa.Table.from_pylist([newer])) == [
        Trace("x#0/0", "p", "r", "4", "v"),
        Trace("x#0/1", "p", "s", "4", "w"),
    ]


def test_the_answer_column_is_the_ground_truth_unless_a_clearer_name_exists() -> None:
    both = {"problem": "p", "reasoning": "r", "ground_truth": "4", "answer": "It is 4."}
    assert read(pa.Table.from_pylist([both])) == [Trace("x#0", "p", "r", "4", "It is 4.")]


@pytest.mark.parametrize(
    "kind",
    [
        pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view(),
        pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int32(), pa.large_string()),
    ],
    ids=str,
)  # fmt: skip
def test_every_text_type_reads_the_same(kind: pa.DataType) -> None:
    texts: list[str | None] = ["Zäh\u2028 \U0001d465", None, "b"]
    table = pa.table({"problem": ["p"] * 3, "reasoning": text_array(texts, kind)})
    rows = read(table, first_row=5)
    assert rows[0] == Trace("x#5", "p", "Zäh\u2028 \U0001d465")
    assert causes(rows) == ["", "null_reasoning", ""]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary()], ids=str
)
@pytest.mark.parametrize("column", ["id", "problem", "reasoning", "ground_truth", "answer_text"])
def test_invalid_utf8_rejects_one_row(kind: pa.DataType, column: str) -> None:
    data = {
        name: pa.array(["1", "2", "3"])
        for name in ("id", "problem", "reasoning", "ground_truth", "answer_text")
    }
    broken = pa.array([b"1", BAD, b"3"], pa.binary())
    binary = pa.binary_view() if pa.types.is_string_view(kind) else pa.binary()
    if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
        binary = pa.large_binary()
    broken = broken.cast(binary)
    data[column] = broken if kind == binary else pa.Array.from_buffers(kind, 3, broken.buffers())
    rows = read(pa.table(data))
    assert causes(rows) == ["", "invalid_utf8", ""]
    fault = rows[1]
    assert isinstance(fault, RowFault)
    assert fault.trace_id == (None if column == "id" else "2")
    assert str(fault).startswith(
        f"in/x.parquet, row 1: column {column}: byte 3 (0xe9) is not UTF-8; re-encode"
    )


def test_invalid_utf8_inside_messages_rejects_one_row() -> None:
    contents = pa.array([b"p", b"<think>r</think>", b"p", BAD], pa.binary())
    struct = pa.StructArray.from_arrays(
        [
            pa.array(["user", "assistant"] * 2),
            pa.Array.from_buffers(pa.string(), 4, contents.buffers()),
        ],
        ["role", "content"],
    )
    table = pa.table({"messages": pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), struct)})
    assert causes(read(table)) == ["", "invalid_utf8"]


def test_each_kind_of_bad_row_has_its_fault_and_the_others_are_read() -> None:
    table = pa.table(
        {
            "id": ["a", None, " ", "d", "e", "f"],
            "problem": ["p", "p", "p", "p", "p", None],
            "reasoning": ["r", "r", "r", None, " \n\t", "r"],
        }
    )
    rows = read(table)
    assert causes(rows) == ["", "", "", "null_reasoning", "empty_reasoning", ""]
    assert [row.trace_id for row in rows[:3]] == ["a", "x#1", "x#2"]
    assert rows[5] == Trace("f", "", "r")


def test_conversations_without_exactly_one_thinking_block_are_rejected() -> None:
    conversations = [
        chat(("user", "p"), ("assistant", "<think>r</think>v")),
        chat(("user", "p"), ("assistant", "<think>cut off")),
        chat(("user", "p"), ("assistant", "prefilled</think>v")),
        chat(("user", "p"), ("assistant", "no thoughts")),
        chat(("user", "p"), ("assistant", "<think>a</think>b<think>c</think>d")),
        chat(("user", "p"), ("assistant", "<think> \n</think>v")),
        chat(("user", "p")),
        chat(("user", "p"), ("assistant", None)),
        [],
        None,
        chat(("assistant", "<think>hi</think>"), ("user", "q"), ("assistant", "<think>r"), ("user", "ta")),
    ]  # fmt: skip
    rows = read(pa.table({"messages": conversations}))
    assert causes(rows) == [
        "", "", "", "no_thinking", "several_thinking", "", "no_assistant",
        "null_reasoning", "null_messages", "null_messages", "",
    ]  # fmt: skip
    assert rows[1] == Trace("x#1", "p", "cut off", None, None)
    assert rows[2] == Trace("x#2", "p", "prefilled", None, "v")
    assert rows[5] == Trace("x#5", "p", " \n", None, "v")
    assert rows[10] == Trace("x#10", "q", "r", None, None)


def test_thinking_in_a_separate_field() -> None:
    turn = [
        {"role": "user", "content": "p", "thinking": None},
        {"role": "assistant", "content": "v", "thinking": "r"},
    ]
    assert read(pa.table({"messages": [turn]})) == [Trace("x#0", "p", "r", None, "v")]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([42, None]), ["42", None]),
        (pa.array([42.0, float("nan")]), ["42", None]),
        (pa.array([0.5, -1e300]), ["0.5", "-1e+300"]),
        (pa.array([True, None]), ["True", None]),
        (pa.nulls(2), [None, None]),
        (pa.array(["", "x"]), [None, "x"]),
    ],
)
def test_ground_truths_may_be_numbers(values: pa.Array, texts: list[str | None]) -> None:
    rows = read(pa.table({"problem": ["p", "p"], "reasoning": ["r", "r"], "ground_truth": values}))
    assert [row.ground_truth for row in rows if isinstance(row, Trace)] == texts


def test_paths_into_structs_and_lists(tmp_path: Path) -> None:
    preset = tmp_path / "mine.yaml"
    preset.write_text("problem: [meta.q]\nreasoning: [runs.1]\nground_truth: [meta.a, 'odd.name']\n")
    table = pa.table(
        {
            "meta": [{"q": "p"}, None, {"q": "s"}],
            "runs": [["no", "r"], ["no", "r"], ["only"]],
            "odd.name": ["4", "5", "6"],
        }
    )
    rows = read(table, str(preset))
    assert rows[:2] == [Trace("x#0", "p", "r", "4"), Trace("x#1", "", "r", "5")]
    assert causes(rows)[2] == "null_reasoning"


def test_a_slice_of_a_chunked_table_keeps_rows_and_numbers_together() -> None:
    part = pa.table({"problem": ["p", "q"], "reasoning": ["a", "b"]})
    table = pa.concat_tables([part, part]).slice(1, 2)
    assert table.column("reasoning").num_chunks == 2
    assert read(table, first_row=11) == [Trace("x#11", "q", "b"), Trace("x#12", "p", "a")]


def test_missing_columns_name_the_file_and_what_it_has() -> None:
    schema = pa.schema({"title": pa.string(), "body": pa.list_(pa.int8())})
    with pytest.raises(
        InputFault, match=r"^in/a: its columns fit no dataset preset .*title \(string\)"
    ) as caught:
        resolve_columns(load_preset("auto"), schema, "in/a")
    assert "set dataset=" in caught.value.remedy
    with pytest.raises(InputFault, match="no reasoning column for dataset preset plain"):
        resolve_columns(load_preset("plain"), schema, "in/a")
    with pytest.raises(InputFault, match="no problem column for dataset preset plain"):
        resolve_columns(load_preset("plain"), pa.schema({"reasoning": pa.string()}), "in/a")


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("reasoning", pa.int64()),
        ("reasoning", pa.list_(pa.string())),
        ("problem", pa.float64()),
        ("id", pa.list_(pa.int64())),
        ("ground_truth", pa.list_(pa.list_(pa.string()))),
    ],
)
def test_wrong_column_types_are_named(column: str, kind: pa.DataType) -> None:
    schema = pa.schema({"id": pa.string(), "problem": pa.string(), "reasoning": pa.string(), column: kind})
    fields = {field.name: field for field in schema}
    schema = pa.schema([*(field for name, field in fields.items() if name != column), pa.field(column, kind)])
    for preset in ("plain", "auto"):
        with pytest.raises(InputFault, match=rf"column {column} \(.*\) is .*expected text"):
            resolve_columns(load_preset(preset), schema, "in/a")


def test_wrong_message_types_and_doubled_columns_are_named() -> None:
    with pytest.raises(InputFault, match=r"column messages \(messages\) is int8, expected a list of structs"):
        resolve_columns(load_preset("messages"), pa.schema({"messages": pa.int8()}), "f")
    doubled = pa.schema([pa.field("problem", pa.string())] * 2)
    with pytest.raises(InputFault, match="several columns called problem"):
        resolve_columns(load_preset("plain"), doubled, "f")


def test_all_real_traces_are_read_as_they_are(shared_data: Path) -> None:
    files = sorted((shared_data / "traces").glob("*.parquet"))
    assert files
    for path in files:
        table = pq.read_table(path)
        rows = read(table)
        assert [row.trace_id for row in rows] == table["id"].to_pylist()
        texts = table["reasoning"].to_pylist()
        refused = [row for row in rows if isinstance(row, RowFault)]
        assert {row.cause for row in refused} <= {"markup"}
        assert len(refused) <= 1
        for row, text in zip(rows, texts, strict=True):
            assert isinstance(row, RowFault) or row.reasoning == text
