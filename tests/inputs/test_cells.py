from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.inputs.cells import BadCell, Cell, describe, find_path, read_texts


def read(column: pa.Array, path: str = "c") -> list[Cell]:
    table = pa.table({"c": column})
    found = find_path(table.schema, path)
    assert found is not None
    return read_texts(table, found[0])


@given(st.lists(st.none() | st.binary(max_size=8)))
def test_every_cell_is_its_text_or_a_fault_and_never_an_exception(values: list[bytes | None]) -> None:
    binary = pa.array(values, pa.binary())
    for column in (binary, pa.Array.from_buffers(pa.string(), len(values), binary.buffers())):
        cells = read(column)
        assert len(cells) == len(values)
        for value, cell in zip(values, cells, strict=True):
            if isinstance(cell, BadCell):
                assert value is not None
                assert value.decode("utf-8", "replace") != value.decode("utf-8", "ignore")
            else:
                assert (None if cell is None else cell.encode()) == value


def test_invalid_text_in_a_dictionary_rejects_the_rows_that_use_it() -> None:
    words = pa.array([b"ok", b"\xff"])
    words = pa.Array.from_buffers(pa.string(), 2, words.buffers())
    cells = read(pa.DictionaryArray.from_arrays(pa.array([0, 1, 0]), words))
    assert cells == ["ok", BadCell("byte 0 (0xff) is not UTF-8"), "ok"]


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.string()), pa.large_list(pa.large_string()), pa.list_(pa.string(), 2)], ids=str
)
def test_list_indices_reach_into_every_list_type(kind: pa.DataType) -> None:
    assert read(pa.array([["a", "b"], None, ["c", None]], kind), "c.1") == ["b", None, None]


def test_paths_go_through_lists_of_structs_of_lists() -> None:
    column = pa.array([[{"x": ["q", "r"]}], [], [None]])
    assert read(column, "c.0.x.1") == ["r", None, None]


@pytest.mark.parametrize("path", ["d", "c.y", "c.0", "c.x.y", "d.x"])
def test_paths_without_a_column_are_none(path: str) -> None:
    assert find_path(pa.schema({"c": pa.struct({"x": pa.string()})}), path) is None


def test_uuids_are_read_in_their_usual_notation() -> None:
    text = "12345678-1234-5678-1234-567812345678"
    assert read(pa.array([UUID(text).bytes, None], pa.uuid())) == [text, None]


def test_extension_types_are_read_as_their_storage_type() -> None:
    assert read(pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None]))) == [
        '{"a": 1}',
        None,
    ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([12, 0, -3]),
        pa.array([12.0, -0.0, -3.0]),
        pa.array([Decimal("12"), Decimal("0"), Decimal("-3")], pa.decimal128(38, 18)),
        pa.array([Decimal("12"), Decimal("0"), Decimal("-3")], pa.decimal256(50, 2)),
        pa.array([Decimal("12.0"), Decimal("-0.0"), Decimal("-3.0")], pa.decimal64(9, 1)),
    ],
    ids=lambda column: str(column.type),
)
def test_whole_numbers_have_one_text_in_every_type(column: pa.Array) -> None:
    assert read(column) == ["12", "0", "-3"]


@pytest.mark.parametrize("places", [1, 7, 18])
def test_a_decimal_has_the_same_text_in_every_scale(places: int) -> None:
    values = [Decimal("1.5"), Decimal(10**15), None]
    assert read(pa.array(values, pa.decimal128(38, places))) == ["1.5", "1000000000000000", None]
    assert read(pa.array([Decimal("0.0000001")], pa.decimal128(38, 18))) == ["0.0000001"]


def test_a_message_names_a_bounded_number_of_columns() -> None:
    schema = pa.schema([(f"c{number}", pa.string()) for number in range(1_000)])
    assert describe(schema).endswith("c39 (string) and 960 more")
    assert describe(pa.schema([])) == "no columns"
