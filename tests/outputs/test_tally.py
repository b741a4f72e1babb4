"""Counting an output: the LIST decides, journal and footers say the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcot_ray.errors import JobError
from dlcot_ray.outputs.counts import UnitStats, add_up, examples
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.results import UnitOutput, UnitResult
from dlcot_ray.outputs.tally import Journal, Tally, count, survey
from dlcot_ray.plan.plan import Plan
from dlcot_ray.storage.store import Store
from tests.support.plans import plan_of

NOTHING = pa.table({"n": pa.array([], pa.int64())})
PLAN = plan_of([[(10, 10)], [(3, 10), (8, 10)]])
"""Units of 3, 3, 4 rows; and of 3, 4, 4."""


def write(output: Output, plan: Plan, units: Sequence[int], journal: Journal | None = None) -> None:
    """Put units whose counts depend on their place, and note them."""
    named = [(unit, file) for file in plan.files for unit in file.units()]
    for number in units:
        unit, file = named[number]
        rows = unit.stop - unit.start
        stats = UnitStats(
            rows=rows, enhanced=rows - 1, rejected=1, by_cause=(("empty", 1),), tokens_before=number
        )
        rejected = pa.table({"n": list(range(number + 1))})
        size = output.put_unit(
            unit.name, UnitOutput(NOTHING, NOTHING, rejected, stats), store_annotations=False
        )
        if journal is not None:
            journal.add(UnitResult(unit.name, file.shard.file, unit.start, unit.stop, stats, size=size))


def counted(plan: Plan, output: Output) -> Tally:
    sizes, _ = survey(plan, output)
    return count(plan, output, sizes)


def same(one: Tally, other: Tally) -> bool:
    names = ("units", "enhanced", "unchanged", "rejected")
    return one.stats == other.stats and all(
        (getattr(one, name) == getattr(other, name)).all() for name in names
    )


@pytest.fixture
def output(tmp_path: Path) -> Output:
    return Output(Store(str(tmp_path / "out")))


def test_units_in_the_journal_are_not_opened(output: Output) -> None:
    journal = Journal(output)
    write(output, PLAN, range(6), journal)
    journal.flush()
    tally = counted(PLAN, output)
    assert tally.footers_read == 0
    assert (tally.units.tolist(), tally.rows.tolist()) == ([3, 3], [10, 11])
    assert (tally.enhanced.tolist(), tally.rejected.tolist()) == ([7, 8], [3, 3])
    assert tally.stats == UnitStats(
        rows=21, enhanced=15, rejected=6, by_cause=(("empty", 6),), tokens_before=15
    )
    for info in output.store.list("_counts"):
        output.store.delete(info.relative)
    without = counted(PLAN, output)
    assert without.footers_read == 6
    assert same(tally, without)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=4), st.sets(st.integers(0, 5)), st.data())
def test_counts_agree_with_the_list_for_any_journal(
    runs: list[list[int]],
    deleted: set[int],
    data: st.DataObject,
) -> None:
    output = Output(Store(f"memory://{uuid4().hex}"))
    names = [unit.name for file in PLAN.files for unit in file.units()]
    for run in runs:
        journal = Journal(output)
        write(output, PLAN, run, journal)
        journal.flush()
    there = {number for run in runs for number in run} - deleted
    for number in deleted:
        output.store.delete(f"enhanced/{names[number]}.parquet")
    anew = data.draw(st.sets(st.integers(0, 5)))
    write(output, PLAN, sorted(anew))
    there |= anew
    tally = counted(PLAN, output)
    assert tally.units.tolist() == [len(there & {0, 1, 2}), len(there & {3, 4, 5})]
    assert tally.stats.tokens_before == sum(there)
    assert tally.stats.rows == tally.rows.sum() == sum(PLAN.unit_rows[sorted(there)])


def test_damaged_and_foreign_entries_are_ignored(output: Output) -> None:
    journal = Journal(output)
    write(output, PLAN, range(6), journal)
    journal.flush()
    (entry,) = (info.relative for info in output.store.list("_counts"))
    output.store.put(entry, output.store.read_bytes(entry)[:-20])
    output.store.put("_counts/notes.txt", b"hello")
    tally = counted(PLAN, output)
    assert (tally.footers_read, tally.stats.rows) == (6, 21)


def test_the_footer_of_an_object_with_another_size_is_read(output: Output) -> None:
    journal = Journal(output)
    write(output, PLAN, range(6), journal)
    journal.flush()
    name = next(unit.name for file in PLAN.files for unit in file.units())
    output.store.put(f"enhanced/{name}.parquet", b"something else")
    with pytest.raises(JobError, match="delete that object"):
        counted(PLAN, output)


def test_a_unit_with_a_wrong_number_of_rows_is_refused(output: Output) -> None:
    name = next(unit.name for file in PLAN.files for unit in file.units())
    output.put_unit(
        name, UnitOutput(NOTHING, NOTHING, NOTHING, UnitStats(rows=9, enhanced=9)), store_annotations=False
    )
    with pytest.raises(JobError, match="does not hold the rows"):
        counted(PLAN, output)


def test_entries_are_written_when_full_and_when_due(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dlcot_ray.outputs.tally._ENTRY_UNITS", 4)
    now = [0.0]
    journal = Journal(output, clock=lambda: now[0])
    write(output, PLAN, range(5), journal)
    assert len(output.store.list("_counts")) == 1
    now[0] = 31.0
    write(output, PLAN, [5], journal)
    assert len(output.store.list("_counts")) == 2
    journal.flush()
    assert len(output.store.list("_counts")) == 2
    assert counted(PLAN, output).footers_read == 0


def test_folders_are_counted_in_the_same_pass(output: Output) -> None:
    write(output, PLAN, range(3))
    sizes, folders = survey(PLAN, output)
    listed = output.store.list("enhanced")
    assert folders["enhanced"] == {"objects": 3, "bytes": sum(info.size for info in listed)}
    assert folders["rejected"]["objects"] == 3
    assert folders["preferences"] == {"objects": 0, "bytes": 0}
    assert sizes.tolist() == [*(info.size for info in listed), 0, 0, 0]
    assert isinstance(sizes, np.ndarray)


SHOWN = st.lists(st.tuples(st.sampled_from("xy"), st.sampled_from("abcde"), st.just("why"))).map(examples)


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            UnitStats,
            rows=st.integers(0, 9),
            by_cause=st.just((("a", 2), ("b", 1))),
            gate_examples=SHOWN,
        )
    )
)
def test_adding_up_many_counts_equals_adding_one_by_one(many: list[UnitStats]) -> None:
    assert add_up(many) == sum(many, start=UnitStats())
    assert add_up(many) == add_up(many[::-1])


def test_of_each_gate_the_first_traces_are_shown_with_one_short_line() -> None:
    found = examples(
        [
            ("b", "t9", "x"),
            *(("a", f"t{n}", "one\n\ntwo") for n in (4, 3, 2, 1, 1)),
            ("b", "t8", "long " * 60),
        ]
    )
    assert [(gate, name) for gate, name, _ in found] == [
        ("a", "t1"), ("a", "t2"), ("a", "t3"), ("b", "t8"), ("b", "t9"),
    ]  # fmt: skip
    assert found[0][2] == "one two"
    assert len(found[3][2]) == 120
    stats = UnitStats(rows=1, gate_examples=found)
    assert UnitStats.from_json(stats.to_json()) == stats
    assert json.loads(stats.to_json())["gate_examples"]["b"][1] == ["t9", "x"]
    with pytest.raises(ValueError, match="not the JSON of unit stats"):
        UnitStats.from_json('{"gate_examples": []}')
