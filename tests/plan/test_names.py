"""The name of a work unit is parsed into the parts that it was written from, one at a time and in bulk."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcot_ray.plan.names import UnitName, parse_unit_name, parse_unit_names, unit_name

SHARDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ROWS = st.integers(0, 10**18 - 1)


@given(st.lists(st.tuples(SHARDS, ROWS, ROWS), max_size=5))
def test_written_names_are_parsed(units: list[tuple[str, int, int]]) -> None:
    names = [unit_name(*unit) for unit in units]
    assert [parse_unit_name(name) for name in names] == [UnitName(*unit) for unit in units]
    assert [str(UnitName(*unit)) for unit in units] == names
    assert parse_unit_names(names).rows() == units


@pytest.mark.parametrize("name", ["", "a", "a.r1-2", ".r000000000-000000001", "a.r000000000-000000001\n"])
def test_other_text_is_not_a_unit_name(name: str) -> None:
    assert parse_unit_name(name) is None
    assert parse_unit_names([name]).rows() == [(None, None, None)]
