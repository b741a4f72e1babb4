"""JSON lines and lists: every range reads like the whole, every value survives, a bad line costs one row."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers import rows as rows_module
from dlcot_ray.inputs.readers.json_lines import JsonReader
from dlcot_ray.inputs.readers.protocol import BAD_LINES, FileMetadata
from dlcot_ray.inputs.readers.registry import open_source

ROWS = [
    {"id": f"r{number}", "reasoning": f"Let me add {number}.\n\nThat is {number}. √", "n": number}
    for number in range(40)
]


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def reader(data: bytes, known: FileMetadata | None = None) -> JsonReader:
    return JsonReader(io.BytesIO(data), "traces.jsonl", known)


def read(data: bytes, known: FileMetadata | None = None, groups: range | None = None) -> list[dict[str, Any]]:
    batches = list(reader(data, known).batches(groups, max_rows=7))
    return [row for batch in batches for row in batch.to_pylist()]


def values(data: bytes) -> list[dict[str, Any]]:
    return [{key: cell for key, cell in row.items() if key != BAD_LINES} for row in read(data)]


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def as_list(rows: list[Any]) -> bytes:
    return json.dumps(rows, indent=2, ensure_ascii=False).encode()


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "GROUP_ROWS", 3)
    monkeypatch.setattr(rows_module, "GROUP_BYTES", 1)


@pytest.mark.parametrize("layout", [lambda rows: lines(*rows), as_list])
def test_every_range_of_row_groups_reads_its_rows(
    layout: Callable[[list[Any]], bytes], small_groups: None
) -> None:
    data = layout(ROWS)
    found = reader(data).metadata()
    assert found.group_rows == (3,) * 13 + (1,)
    assert sum(found.group_bytes) <= len(data)
    assert values(data) == ROWS
    for first in range(14):
        for stop in range(first + 1, 15):
            wanted = ROWS[3 * first : 3 * stop]
            for got in (
                read(data, found, range(first, stop)),
                read(data, found.part(first, stop)),
                read(data, found.part(first, stop), range(stop - first)),
            ):
                assert [row["id"] for row in got] == [row["id"] for row in wanted]
                assert [row["n"] for row in got] == [row["n"] for row in wanted]


@pytest.mark.parametrize("pack", [gzip.compress, zstd, bz2.compress])
@pytest.mark.parametrize("layout", [lambda rows: lines(*rows), as_list])
def test_compressed_files_are_one_row_group(
    pack: Callable[[bytes], bytes], layout: Callable[[list[Any]], bytes], small_groups: None
) -> None:
    data = pack(layout(ROWS))
    found = reader(data).metadata()
    assert (found.rows, found.group_rows) == (40, (40,))
    assert values(data) == ROWS
    assert len(read(data, found.part(0, 1))) == 40


def test_several_compressed_members_are_one_file() -> None:
    assert values(gzip.compress(lines(*ROWS[:5])) + gzip.compress(lines(*ROWS[5:]))) == ROWS
    assert values(zstd(lines(*ROWS[:5])) + zstd(lines(*ROWS[5:]))) == ROWS


@pytest.mark.parametrize("pack", [gzip.compress, zstd, bz2.compress])
def test_a_compressed_file_that_is_cut_short_is_an_error(pack: Callable[[bytes], bytes]) -> None:
    whole = pack(lines(*({"text": f"{number} {number**40}"} for number in range(400))))
    with pytest.raises((OSError, pa.ArrowException)):
        reader(whole[: len(whole) // 2]).metadata()


def test_the_content_tells_the_compression_and_the_layout_not_the_name() -> None:
    for data in (gzip.compress(lines(*ROWS)), lines(*ROWS), as_list(ROWS)):
        for name in ("a.jsonl", "b.JSON", "c.ndjson.gz"):
            batches = open_source(io.BytesIO(data), name, name).batches()
            assert sum(batch.num_rows for batch in batches) == 40


def test_values_of_several_kinds_become_text_without_loss() -> None:
    data = (
        b'{"answer": "7/2", "n": 1, "same": null, "part": {"a": 1}}\n'
        b'{"answer": 3.50, "n": 2.5, "same": null, "part": {"b": [1, "x"]}}\n'
        b'{"answer": 12345678901234567890123, "n": 3, "same": null}\n'
        b'{"answer": {"value": [1, 2.0]}, "n": null, "same": null}\n'
        b'{"answer": true}\n'
        b'{"answer": null}\n'
    )
    table = pa.Table.from_batches(list(reader(data).batches())).drop_columns([BAD_LINES])
    assert table.schema.field("n").type == pa.float64()
    assert table.schema.field("same").type == pa.string()
    assert table["answer"].to_pylist() == [
        "7/2", "3.5", "12345678901234567890123", '{"value": [1, 2.0]}', "true", None,
    ]  # fmt: skip
    assert table["n"].to_pylist() == [1.0, 2.5, 3.0, None, None, None]
    assert table["part"].to_pylist()[:2] == [{"a": 1, "b": None}, {"a": None, "b": [*("1", "x")]}]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (["9223372036854775808", "1"], ["9223372036854775808", "1"]),
        (["0.1000000000000000055511151231257827", "2"], ["0.1000000000000000055511151231257827", "2"]),
        (["9007199254740993", "0.5"], ["9007199254740993", "0.5"]),
        (["1e400"], ["1e400"]),
        (["9" * 5000], ["9" * 5000]),
    ],
)
def test_numbers_keep_their_digits(cells: list[str], texts: list[str]) -> None:
    data = "".join(f'{{"n": {cell}}}\n' for cell in cells).encode()
    assert [row["n"] for row in read(data)] == texts


def test_numbers_that_64_bits_hold_stay_numbers() -> None:
    assert [row["n"] for row in read(b'{"n": 9223372036854775807}\n{"n": -9223372036854775808}')] == [
        2**63 - 1,
        -(2**63),
    ]
    assert [row["n"] for row in read(b'{"n": 0.10}\n{"n": 1e5}\n{"n": -0.0}')] == [0.1, 1e5, -0.0]
    (cell,) = (row["n"] for row in read(b'{"n": NaN}'))
    assert cell != cell


def test_keys_of_a_tool_call_are_not_invented() -> None:
    def call(name: str, **arguments: object) -> dict[str, Any]:
        function = {"name": name, "arguments": arguments}
        return {
            "messages": [{"role": "assistant", "tool_calls": [{"type": "function", "function": function}]}]
        }

    rows = [call("add", a=1, b=2), call("sqrt", x=2.0), call("sqrt", x=2.0, digits=3)]
    rows.append({"messages": [{"role": "user", "content": "What is 1 + 2?"}]})
    (batch,) = reader(lines(*rows)).batches()
    got = batch["messages"].to_pylist()
    inner = [row[0]["tool_calls"][0]["function"]["arguments"] for row in got[:3]]
    assert [json.loads(text) for text in inner] == [{"a": 1, "b": 2}, {"x": 2.0}, {"x": 2.0, "digits": 3}]
    assert got[3] == [{"role": "user", "tool_calls": None, "content": "What is 1 + 2?"}]


def test_irregular_tools_become_text_as_a_whole() -> None:
    first = {"tools": [{"function": {"name": "add", "parameters": {"a": {"type": "integer"}}}}]}
    second = {"tools": [{"function": {"name": "sqrt", "parameters": {"x": {"type": "number"}}}}]}
    got = [json.loads(row["tools"]) for row in read(lines(first, second))]
    assert got == [first["tools"], second["tools"]]
    assert read(lines(first, first))[0]["tools"] == first["tools"]


def test_objects_without_keys_and_lists_without_entries() -> None:
    (row,) = values(b'{"meta": {}, "tags": [], "none": null, "deep": [[], [1]]}')
    assert row == {"meta": "{}", "tags": [], "none": None, "deep": [[], [1]]}
    assert pa.types.is_string(reader(b'{"a": null}').metadata().arrow_schema.field("a").type)


def test_dictionaries_are_not_taken_for_structs() -> None:
    wide = {"scores": {f"k{number}": number for number in range(100)}}
    (row,) = values(lines(wide))
    assert json.loads(row["scores"]) == wide["scores"]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b'{"id": "x",', "Expecting property name"),
        (b'{"id": "x"} {"id": "y"}', "Extra data"),
        (b'["a"]', "a list, not a JSON object"),
        (b'"text"', "a text, not a JSON object"),
        (b"17", "a number, not a JSON object"),
        (b'{"id": "\xff"}', "byte 8 (0xff) is not UTF-8"),
        (b'{"id": "a", "id": "b"}', "the key 'id' occurs twice, with different values"),
        (b'{"id": "\\ud800"}', "half of a surrogate pair"),
        (b'{"id": ' + b"[" * 300 + b"]" * 300 + b"}", "nested more than 100 deep"),
        (b'{"id": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested more than 100 deep"),
    ],
)
def test_a_bad_line_is_one_row_with_its_number_reason_and_text(bad: bytes, reason: str) -> None:
    data = b'{"id": "one"}\n\n' + bad + b'\r\n{"id": "two"}\n'
    first, broken, last = read(data)
    assert (first["id"], last["id"]) == ("one", "two")
    assert broken["id"] is None
    mark = broken[BAD_LINES]
    assert mark["line"] == 3
    assert reason in mark["reason"]
    assert mark["text"] == bad.decode(errors="backslashreplace")


def test_an_equal_value_may_repeat_its_key() -> None:
    assert values(b'{"id": "a", "id": "a"}') == [{"id": "a"}]


def test_byte_order_mark_line_ends_blank_lines_and_no_final_newline() -> None:
    data = b'\xef\xbb\xbf{"a": 1}\r\n\r\n   \n\t{"a": 2}  \n{"a": "x\xe2\x80\xa8y"}'
    assert values(data) == [{"a": "1"}, {"a": "2"}, {"a": "x\u2028y"}]
    assert values(b'\xef\xbb\xbf [ {"a": 1} ,\r\n{"a": 2}]\n\n') == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"not json\nat all\n", "no line is a JSON object; line 1: Expecting value"),
        (b"[1, 2]", "no entry is a JSON object; line 1: it is a number"),
        (b'[{"a": 1}', "no whole JSON list .a comma or the end of the list is missing, line 1"),
        (b'[{"a": 1}\n{"a": 2}]', "a comma or the end of the list is missing, line 2"),
        (b'[{"a": 1},\n{"a": }, {"a": 3}]', "no whole JSON list .Expecting value, line 2"),
        (b'[{"a": 1}]\n[{"a": 2}]', "something follows the list, line 2"),
        ("id: ä".encode("utf-16"), "it is UTF-16, not UTF-8"),
        (b'{"dlcot.bad_line": 1}', "it has a key 'dlcot.bad_line'"),
    ],
)
def test_a_file_that_is_no_json_is_one_fault(data: bytes, message: str) -> None:
    with pytest.raises(InputFault, match=message):
        reader(data).metadata()


def test_a_list_larger_than_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlcot_ray.inputs.readers.text_sources._CHUNK", 5)
    rows = [
        {"text": 'ab\\"[{,\n' * number, "n": [number, 1234567], "o": {"x": -1.5e3}} for number in range(9)
    ]
    assert values(as_list(rows)) == rows
    assert values(lines(*rows)) == rows


KEYS = st.sampled_from(["id", "reasoning", "answer", "meta"])
CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.dictionaries(KEYS, CELLS, min_size=1), min_size=1, max_size=6))
def test_no_value_is_lost(rows: list[dict[str, Any]]) -> None:
    try:
        data = lines(*rows)
    except UnicodeEncodeError:
        return
    got = values(data)
    assert got == values(as_list(rows))
    assert len(got) == len(rows)
    for row, found in zip(rows, got, strict=True):
        for key, cell in row.items():
            assert _holds(found[key], cell), (found[key], cell)


def _holds(found: Any, cell: Any) -> bool:
    """Whether a cell can be had from what was read: itself, its JSON text, or with keys of null added."""
    if isinstance(found, str) and not isinstance(cell, str):
        return bool(json.loads(found) == cell)
    if isinstance(cell, dict) and isinstance(found, dict):
        return all(_holds(found[key], cell.get(key)) for key in found) and not cell.keys() - found.keys()
    if isinstance(cell, list) and isinstance(found, list):
        return len(cell) == len(found) and all(map(_holds, found, cell))
    return bool(found == cell)
