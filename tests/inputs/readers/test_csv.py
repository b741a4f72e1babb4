"""CSV: quoted line breaks, cells as text, and one row for a bad record, whichever range is read."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.errors import InputFault
from dlcot_ray.inputs.readers import rows as rows_module
from dlcot_ray.inputs.readers.csv_rows import CsvReader
from dlcot_ray.inputs.readers.protocol import BAD_LINES, FileMetadata


def reader(data: bytes, known: FileMetadata | None = None) -> CsvReader:
    return CsvReader(io.BytesIO(data), "traces.csv", known)


def read(data: bytes, known: FileMetadata | None = None, groups: range | None = None) -> list[dict[str, Any]]:
    return [row for batch in reader(data, known).batches(groups, max_rows=2) for row in batch.to_pylist()]


def cells(data: bytes, known: FileMetadata | None = None, groups: range | None = None) -> list[list[str]]:
    rows = read(data, known, groups)
    return [[cell for name, cell in row.items() if name != BAD_LINES] for row in rows]


def test_cells_are_text_and_keep_their_line_breaks() -> None:
    data = b'\xef\xbb\xbfid,reasoning,answer\r\n007,"So\r\n\r\nthe sum, \'""210""\',\nis 210.",1e3\r\n\r\n8,,NULL'
    assert read(data) == [
        {
            "id": "007",
            "reasoning": "So\r\n\r\nthe sum, '\"210\"',\nis 210.",
            "answer": "1e3",
            BAD_LINES: None,
        },
        {"id": "8", "reasoning": "", "answer": "NULL", BAD_LINES: None},
    ]
    (batch,) = reader(data).batches(columns=["answer", "id"])
    assert batch.to_pydict() == {"answer": ["1e3", "NULL"], "id": ["007", "8"]}
    assert cells(gzip.compress(data)) == cells(data)


@pytest.mark.parametrize("mark", ";\t")
def test_the_header_tells_the_delimiter(mark: str) -> None:
    assert read(f'a{mark}"b, c"{mark}d\n1{mark}2,5{mark}3\n'.encode())[0]["b, c"] == "2,5"
    assert cells(b"only\n1\n") == [["1"]]


def test_a_record_with_other_cells_is_one_bad_row() -> None:
    data = b'a,b\n1,2\n"3\n3",4,5\n6\n7,\xff\n8,9\n'
    rows = read(data)
    assert [(row["a"], row["b"]) for row in rows] == [
        ("1", "2"), (None, None), (None, None), (None, None), ("8", "9"),
    ]  # fmt: skip
    marks = [row[BAD_LINES] for row in rows]
    assert marks[1] == {
        "line": 3,
        "reason": "it has 3 cells, the header has 2",
        "text": '"3\n3",4,5\n',
    }
    assert marks[2]["line"] == 5
    assert (marks[3]["line"], marks[3]["reason"]) == (6, "byte 2 (0xff) is not UTF-8")


def test_an_open_quote_is_a_fault_of_the_file() -> None:
    with pytest.raises(InputFault, match=r"the record in line 3 cannot be read .unexpected end of data"):
        reader(b'a,b\n1,2\n3,"4\n5,6\n').metadata()
    with pytest.raises(InputFault, match=r"the record in line 2 cannot be read"):
        reader(b'a,b\n1,"2"x\n').metadata()


def test_a_long_cell_is_read() -> None:
    assert len(cells(b"a\n" + b"x" * 1_000_000 + b"\n")[0][0]) == 1_000_000


def test_a_header_alone_has_no_rows() -> None:
    assert reader(b"a,b\n").metadata().rows == 0
    assert reader(b"").metadata().rows == 0


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=12))
def test_every_range_reads_what_was_written(table: list[list[str]]) -> None:
    sink = io.StringIO(newline="")
    csv.writer(sink).writerows([["a", "b"], *table])
    data = sink.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "GROUP_ROWS", 2)
        patch.setattr(rows_module, "GROUP_BYTES", 1)
        known = reader(data).metadata()
    assert cells(data) == table
    for number in range(len(known.group_rows)):
        wanted = table[2 * number : 2 * number + 2]
        assert cells(data, known, range(number, number + 1)) == wanted
        assert cells(data, known.part(number, number + 1)) == wanted
