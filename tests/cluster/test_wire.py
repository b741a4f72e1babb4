"""Units between the phases of the graph: whole, in order, and tiny ones bundled."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.cluster.wire import bundle, bundled, pack_unit, table_of, unbundle, unit_of
from dlcot_ray.plan.tasks import UnitTask


def packed(number: int, rows: int) -> pa.Table:
    task = UnitTask(f"u{number}", "file", "shard", 0, rows)
    return pack_unit(task, "", {"table": pa.table({"n": list(range(rows))}), "annotations": None}, "{}")


@settings(deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=30), st.integers(1, 20), st.integers(1, 4_000))
def test_every_unit_comes_back_and_bundles_keep_their_bounds(rows: list[int], most: int, size: int) -> None:
    units = [(count, packed(number, count)) for number, count in enumerate(rows)]
    bundles = [unbundle(one) for one in bundled(iter(units), most, size)]
    back = [
        (unit_of(one, index), table_of(one, index, "table")) for one in bundles for index in range(len(one))
    ]
    assert [task.name for (task, _), _ in back] == [f"u{number}" for number in range(len(rows))]
    assert [table.num_rows for _, table in back if table is not None] == rows
    assert all(table_of(one, index, "annotations") is None for one in bundles for index in range(len(one)))
    at = 0
    for number, one in enumerate(bundles):
        inside, at = rows[at : at + len(one)], at + len(one)
        assert len(one) == 1 or sum(inside) <= most
        if number:
            # The bundle before was closed because the next unit did not fit.
            before = bundles[number - 1]
            held = sum(rows[at - len(one) - len(before) : at - len(one)])
            assert held + inside[0] > most or before.nbytes + units[at - len(one)][1].nbytes > size


def test_ordinary_units_travel_alone() -> None:
    assert [
        len(unbundle(one)) for one in bundled([(256, packed(0, 256)), (256, packed(1, 256))], 256, 1 << 26)
    ] == [
        1,
        1,
    ]
    assert len(unbundle(bundle([packed(0, 1), packed(1, 2)]))) == 2
