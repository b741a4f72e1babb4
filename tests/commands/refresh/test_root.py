"""The pointer, the catalogue, names and identities of snapshots, and which snapshots are removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dlcot_ray.commands.refresh.identity import choose_name, find_same
from dlcot_ray.commands.refresh.retention import Removal, removable, remove
from dlcot_ray.commands.refresh.root import (
    Catalogue,
    ChangedMeanwhile,
    Pointer,
    Publication,
    Root,
    Snapshot,
    State,
)
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.job_record import JobRecord
from dlcot_ray.outputs.owning.marks import CARD_MARK
from tests.support.records import write_record

DAY = 86_400.0


def snapshot(name: str, started: float = 0.0, state: State = State.FINISHED, identity: str = "") -> Snapshot:
    return Snapshot(name, identity or name, "settings", "rules/2", ("source",), started, state)


def pointer(*names: str, withdrawn: tuple[str, ...] = ()) -> Pointer:
    """One publication a day, the latest first."""
    dates = range(len(names), 0, -1)
    return Pointer(tuple(Publication(n, d * DAY) for n, d in zip(names, dates, strict=True)), withdrawn)


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(str(tmp_path), {})


def test_what_is_written_is_read_again(root: Root) -> None:
    assert root.pointer() == (None, None)
    assert root.catalogue() == Catalogue()
    root.publish(pointer("b", "a", withdrawn=("c",)), None)
    found, version = root.pointer()
    assert found == pointer("b", "a", withdrawn=("c",))
    assert version is not None
    written = root.record(Catalogue((snapshot("a"), snapshot("b", 3.5, State.STAGING))))
    assert root.catalogue() == written
    assert root.catalogue().version == written.version


def test_publishing_on_an_old_version_changes_nothing(root: Root) -> None:
    root.publish(pointer("a"), None)
    _, old = root.pointer()
    root.publish(pointer("b", "a"), old)
    with pytest.raises(ChangedMeanwhile, match="this refresh stops"):
        root.publish(pointer("c", "a"), old)
    with pytest.raises(ChangedMeanwhile):
        root.publish(pointer("c"), None)
    found, _ = root.pointer()
    assert found is not None
    assert found.snapshot == "b"


def test_a_catalogue_on_an_old_version_is_refused(root: Root) -> None:
    first = root.record(Catalogue((snapshot("a"),)))
    root.record(first.including(snapshot("b")))
    with pytest.raises(ChangedMeanwhile):
        root.record(first.including(snapshot("c")))
    assert [item.name for item in root.catalogue().snapshots] == ["a", "b"]


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"format": 1}', b'{"format": 1, "snapshots": [{}]}', b"[1]"]
)
def test_a_damaged_object_is_named_in_one_line(root: Root, content: bytes) -> None:
    for name, read in (("latest.json", root.pointer), ("snapshots.json", root.catalogue)):
        root.store.put(name, content)
        with pytest.raises(JobError, match=name):
            read()


def test_another_format_is_named(root: Root) -> None:
    root.store.put("latest.json", b'{"format": 99}')
    with pytest.raises(JobError, match="format 99"):
        root.pointer()


def test_a_roll_back_withdraws_a_snapshot_until_it_is_published_again() -> None:
    moved = pointer("b", "a").moved_to("a", 9 * DAY, back=True)
    assert (moved.snapshot, moved.withdrawn) == ("a", ("b",))
    again = moved.moved_to("b", 10 * DAY)
    assert (again.snapshot, again.withdrawn) == ("b", ())


def test_when_a_snapshot_stopped_being_the_latest() -> None:
    found = pointer("c", "b", "a")
    assert found.current_until("c") == float("inf")
    assert found.current_until("b") == 3 * DAY
    assert found.current_until("a") == 2 * DAY
    assert found.current_until("never") == 0.0


def test_names_are_dates_with_a_number_where_taken() -> None:
    catalogue = Catalogue((snapshot("2026-11-23"), snapshot("2026-11-23.2")))
    assert choose_name(catalogue, None, None, 1795392000.0) == "2026-11-23.3"
    assert choose_name(catalogue, None, "x", 0.0) == "x"
    assert choose_name(Catalogue(), None, None, 1795392000.0) == "2026-11-23"
    # Published or withdrawn once, removed since.
    assert choose_name(Catalogue(), pointer("x", withdrawn=("x.2",)), "x", 0.0) == "x.3"


def test_which_snapshot_of_the_same_identity_counts() -> None:
    new_one = snapshot("", identity="same")
    old, new = snapshot("old", identity="same"), snapshot("new", identity="other")
    both = Catalogue((old, new))
    # Published before and superseded: the data changed back, which is a change for readers.
    assert find_same(both, pointer("new", "old"), new_one) is None
    assert find_same(both, pointer("old"), new_one) == old
    # Held back, or interrupted between report and publication.
    assert find_same(both, pointer("new"), new_one) == old
    # Withdrawn: found, so that it is not made again.
    assert find_same(both, pointer("new", "old", withdrawn=("old",)), new_one) == old
    going = Catalogue((replace(old, state=State.REMOVING),))
    assert find_same(going, None, new_one) is None


def removed(
    catalogue: Catalogue, latest: Pointer | None, *, keep: int, grace: float, now: float
) -> list[str]:
    found = removable(catalogue, latest, keep=keep, grace_s=grace * DAY, now=now * DAY)
    return [removal.snapshot.name for removal in found]


def test_which_snapshots_are_removable() -> None:
    daily = [snapshot(str(day), day * DAY) for day in range(1, 8)]
    catalogue = Catalogue((*daily, snapshot("broken", 2.5 * DAY, State.STAGING)))
    latest = Pointer(tuple(Publication(str(day), day * DAY + 1) for day in range(7, 0, -1)))
    assert removed(catalogue, latest, keep=3, grace=0, now=8) == ["1", "2", "3", "4", "broken"]
    # Readers took snapshot 4 until snapshot 5 was published.
    assert removed(catalogue, latest, keep=3, grace=3.5, now=8) == ["1", "2", "3", "broken"]
    assert removed(catalogue, latest, keep=3, grace=30, now=8) == []
    # The published snapshot stays, however old.
    assert removed(catalogue, pointer("1"), keep=1, grace=0, now=9) == ["2", "3", "4", "5", "6", "broken"]


def test_an_interrupted_removal_is_repeated_and_keeps_the_objects_of_others(root: Root) -> None:
    catalogue = root.record(Catalogue((snapshot("a"), snapshot("b"))))
    output = root.output(snapshot("a"))
    write_record(output, JobRecord("enhance", {}, {}))
    output.store.put("README.md", CARD_MARK.encode())
    output.store.put("manifest.json", b'{"format": 1, "command": "refresh", "fingerprint": "f"}')
    for name in (
        "enhanced/x.r000000000-000000005.parquet",
        "_facts/x.r000000000-000000005.parquet",
        "_recall/1a/00000.parquet",
        "report.json",
        "report.md",
        "notes-of-a-person.txt",
    ):
        output.store.put(name, b"x")
    root.output(snapshot("b")).store.put("enhanced/x.r000000000-000000005.parquet", b"y")
    root.record(catalogue.including(snapshot("a", state=State.REMOVING)))
    catalogue = root.catalogue()
    (removal,) = removable(catalogue, pointer("b"), keep=5, grace_s=1e9, now=1.0)
    assert removal == Removal(snapshot("a", state=State.REMOVING), "has an interrupted removal")
    after = remove(root, catalogue, removal)
    assert [item.name for item in after.snapshots] == ["b"]
    assert root.catalogue() == after
    assert [info.relative for info in output.store.list()] == ["notes-of-a-person.txt"]
    assert len(root.output(snapshot("b")).store.list()) == 1
