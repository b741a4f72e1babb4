"""From plan and LIST to tasks: no row is lost or doubled, whatever the files, the skew, and what is done."""

from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.plan.completed import complete_units
from dlcot_ray.plan.duplicate_ids import Duplicates
from dlcot_ray.plan.pending import Pending
from dlcot_ray.plan.plan import Plan
from dlcot_ray.plan.tasks import ReadTask
from tests.support.plans import plan_of

GROUPS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 4_000)), min_size=1, max_size=6)
FILES = st.lists(GROUPS.filter(lambda groups: any(rows for rows, _ in groups)), min_size=1, max_size=6)
LIMITS = st.tuples(st.integers(1, 20), st.integers(1, 3_000))


def rows_of(tasks: Sequence[ReadTask]) -> list[tuple[str, int]]:
    """Every (file, row) that the tasks would do."""
    return [
        (unit.shard_name, row)
        for task in tasks
        for unit in task.units
        for row in range(unit.start, unit.stop)
    ]


def names_of(plan: Plan) -> list[str]:
    return [unit.name for file in plan.files for unit in file.units()]


@settings(deadline=None)
@given(FILES, LIMITS, st.data())
def test_complete_and_pending_units_cover_every_row_once(
    files: list[list[tuple[int, int]]], limits: tuple[int, int], data: st.DataObject
) -> None:
    plan = plan_of(files, *limits)
    everything = [
        (f"f{number}", row) for number, groups in enumerate(files) for row in range(sum(n for n, _ in groups))
    ]
    names = names_of(plan)
    assert len(set(names)) == len(names) == plan.unit_count
    done = data.draw(st.lists(st.sampled_from(names), unique=True))
    foreign = ["f0.r000000000-000000000", "f0.r000000001-999999999", "other.r000000000-000000004", "f0", ""]
    listed = data.draw(st.permutations([*done, *foreign]))
    sizes = complete_units(plan, ((name, 7) for name in listed))
    assert {name for name, size in zip(names, sizes, strict=True) if size} == set(done)
    pending = Pending(plan, sizes > 0)
    left = rows_of(pending)
    complete = set(done)
    finished = [
        (file.shard.name, row)
        for file in plan.files
        for unit in file.units()
        if unit.name in complete
        for row in range(unit.start, unit.stop)
    ]
    assert sorted([*left, *finished]) == everything
    place = {row: number for number, row in enumerate(everything)}
    assert left == sorted(left, key=lambda row: place[row])
    assert (pending.units, pending.rows) == (plan.unit_count - len(done), len(left))
    assert rows_of([pickle.loads(pickle.dumps(task)) for task in pending]) == left
    later, failed = (data.draw(st.sets(st.sampled_from(names))) for _ in range(2))
    gone = np.array([name in later | failed for name in names])
    remaining = pending.remaining(((name, 7) for name in later), failed)
    assert rows_of(remaining) == rows_of(Pending(plan, (sizes > 0) | gone))


@settings(deadline=None)
@given(FILES, LIMITS)
def test_a_task_reads_the_row_groups_of_its_units(
    files: list[list[tuple[int, int]]], limits: tuple[int, int]
) -> None:
    plan = plan_of(files, *limits)
    for task in Pending(plan, np.zeros(plan.unit_count, np.bool_)):
        groups = files[int(task.relative.removeprefix("f").removesuffix(".parquet"))]
        before = sum(rows for rows, _ in groups[: task.first_group])
        within = sum(rows for rows, _ in groups[task.first_group : task.stop_group])
        assert task.first_row == before == task.units[0].start
        assert task.units[-1].stop == before + within


def test_each_tiny_file_is_its_own_task() -> None:
    plan = plan_of([[(1, 10)]] * 5)
    assert names_of(plan) == [f"f{number}.r000000000-000000001" for number in range(5)]
    assert len(Pending(plan, np.zeros(5, np.bool_))) == 5


def test_unavailable_units_are_listed_and_make_no_task() -> None:
    plan = plan_of([[(8, 10)], [(8, 10)]])
    done = np.array([True, False, False, False])
    available = np.array([True, False, True, False])
    pending = Pending(plan, done, available)
    assert [unit.name for unit in pending.missing()] == ["f0.r000000004-000000008", "f1.r000000004-000000008"]
    assert [unit.name for task in pending for unit in task.units] == ["f1.r000000000-000000004"]


def test_a_unit_carries_only_its_own_repeated_ids() -> None:
    plan = plan_of([[(8, 10)], [(12, 10)]])
    rows, firsts = np.array([3, 8, 15, 16, 19]), np.array([0, 1, 2, 3, 8])
    duplicates = Duplicates(
        tuple(one.file for one in plan.shards), plan.file_rows, rows, firsts, np.zeros(5, np.int8)
    )
    pending = Pending(plan, np.zeros(plan.unit_count, np.bool_), duplicates=duplicates)
    found = {unit.name: dict(unit.duplicates) for task in pending for unit in task.units}
    f0, f1 = (one.file for one in plan.shards)
    assert found == {
        "f0.r000000000-000000004": {3: f"{f0}, row 0"},
        "f0.r000000004-000000008": {},
        "f1.r000000000-000000004": {0: f"{f0}, row 1"},
        "f1.r000000004-000000008": {7: f"{f0}, row 2"},
        "f1.r000000008-000000012": {8: f"{f0}, row 3", 11: f"{f1}, row 0"},
    }
    for task in pending:
        assert [task.units[index] for index in range(len(task.units))] == list(task.units)


def test_many_units_take_a_few_bytes_each() -> None:
    plan = plan_of([[(100_000, 100_000)]] * 4, rows_per_unit=1)
    (task, *_) = Pending(plan, np.zeros(plan.unit_count, np.bool_))
    assert plan.cuts.nbytes == 8 * (plan.unit_count + 1)
    assert len(pickle.dumps(task)) < 17 * 100_000
