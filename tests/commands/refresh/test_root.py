"""The pointer, the catalogue, and what may be removed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dlcot_ray.commands.refresh.retention import Removal, removable, remove
from dlcot_ray.commands.refresh.root import Catalogue, Night, Overtaken, Pointer, Publication, Root, State
from dlcot_ray.commands.refresh.snapshot import choose_name, find_same
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.layout import JobRecord

DAY = 86_400.0


def night(name: str, started: float = 0.0, state: State = State.FINISHED, identity: str = "") -> Night:
    return Night(name, identity or name, "settings", "rules/2", ("source",), started, state)


def pointer(*names: str, withdrawn: tuple[str, ...] = ()) -> Pointer:
    """Published one a day, the latest first."""
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
    written = root.record(Catalogue((night("a"), night("b", 3.5, State.STAGING))))
    assert root.catalogue() == written
    assert root.catalogue().version == written.version


def test_a_switch_on_an_old_version_changes_nothing(root: Root) -> None:
    root.publish(pointer("a"), None)
    _, old = root.pointer()
    root.publish(pointer("b", "a"), old)
    with pytest.raises(Overtaken, match="this one stops"):
        root.publish(pointer("c", "a"), old)
    with pytest.raises(Overtaken):
        root.publish(pointer("c"), None)
    found, _ = root.pointer()
    assert found is not None
    assert found.snapshot == "b"


def test_a_catalogue_on_an_old_version_is_refused(root: Root) -> None:
    first = root.record(Catalogue((night("a"),)))
    root.record(first.having(night("b")))
    with pytest.raises(Overtaken):
        root.record(first.having(night("c")))
    assert [item.name for item in root.catalogue().nights] == ["a", "b"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"format": 1}', b'{"format": 1, "nights": [{}]}', b"[1]"])
def test_damage_is_one_clear_line(root: Root, content: bytes) -> None:
    for name, read in (("latest.json", root.pointer), ("nights.json", root.catalogue)):
        root.store.put(name, content)
        with pytest.raises(JobError, match=name):
            read()


def test_another_format_is_named(root: Root) -> None:
    root.store.put("latest.json", b'{"format": 99}')
    with pytest.raises(JobError, match="format 99"):
        root.pointer()


def test_going_back_withdraws_until_somebody_publishes_again() -> None:
    moved = pointer("b", "a").to("a", 9 * DAY, back=True)
    assert (moved.snapshot, moved.withdrawn) == ("a", ("b",))
    again = moved.to("b", 10 * DAY)
    assert (again.snapshot, again.withdrawn) == ("b", ())


def test_until_when_readers_may_have_taken_a_snapshot() -> None:
    found = pointer("c", "b", "a")
    assert found.last_read("c") == float("inf")
    assert found.last_read("b") == 3 * DAY
    assert found.last_read("a") == 2 * DAY
    assert found.last_read("never") == 0.0


def test_names_are_dates_with_a_number_where_taken() -> None:
    catalogue = Catalogue((night("2026-11-23"), night("2026-11-23.2")))
    assert choose_name(catalogue, None, None, 1795392000.0) == "2026-11-23.3"
    assert choose_name(catalogue, None, "x", 0.0) == "x"
    assert choose_name(Catalogue(), None, None, 1795392000.0) == "2026-11-23"
    # Published or withdrawn once, removed since.
    assert choose_name(Catalogue(), pointer("x", withdrawn=("x.2",)), "x", 0.0) == "x.3"


def test_which_snapshot_is_tonight_s() -> None:
    tonight = night("", identity="same")
    old, new = night("old", identity="same"), night("new", identity="other")
    both = Catalogue((old, new))
    # Shown before and superseded: the data went back to what it was, which is news to readers.
    assert find_same(both, pointer("new", "old"), tonight) is None
    assert find_same(both, pointer("old"), tonight) == old
    # Held back, or broken off between report and publication.
    assert find_same(both, pointer("new"), tonight) == old
    # Somebody went back from it: not by itself again.
    assert find_same(both, pointer("new", "old", withdrawn=("old",)), tonight) == old
    going = Catalogue((replace(old, state=State.REMOVING),))
    assert find_same(going, None, tonight) is None


def removed(
    catalogue: Catalogue, latest: Pointer | None, *, keep: int, grace: float, now: float
) -> list[str]:
    found = removable(catalogue, latest, keep=keep, grace_s=grace * DAY, now=now * DAY)
    return [removal.night.name for removal in found]


def test_what_may_go_and_what_stays() -> None:
    nights = [night(str(day), day * DAY) for day in range(1, 8)]
    catalogue = Catalogue((*nights, night("broken", 2.5 * DAY, State.STAGING)))
    latest = Pointer(tuple(Publication(str(day), day * DAY + 1) for day in range(7, 0, -1)))
    assert removed(catalogue, latest, keep=3, grace=0, now=8) == ["1", "2", "3", "4", "broken"]
    # Night 4 was what readers took until night 5 came.
    assert removed(catalogue, latest, keep=3, grace=3.5, now=8) == ["1", "2", "3", "broken"]
    assert removed(catalogue, latest, keep=3, grace=30, now=8) == []
    # What readers take stays, however old.
    assert removed(catalogue, pointer("1"), keep=1, grace=0, now=9) == ["2", "3", "4", "5", "6", "broken"]


def test_a_removal_that_was_broken_off_is_done_again_and_spares_what_is_not_ours(root: Root) -> None:
    catalogue = root.record(Catalogue((night("a"), night("b"))))
    output = root.output(night("a"))
    output.write_record(JobRecord("enhance", {}, {}))
    for name in (
        "enhanced/x.r000000000-000000005.parquet",
        "_facts/x.r000000000-000000005.parquet",
        "_recall/1a/00000.parquet",
        "README.md",
        "manifest.json",
        "report.json",
        "report.md",
        "notes-of-a-person.txt",
    ):
        output.store.put(name, b"x")
    root.output(night("b")).store.put("enhanced/x.r000000000-000000005.parquet", b"y")
    root.record(catalogue.having(night("a", state=State.REMOVING)))
    catalogue = root.catalogue()
    (removal,) = removable(catalogue, pointer("b"), keep=5, grace_s=1e9, now=1.0)
    assert removal == Removal(night("a", state=State.REMOVING), "its removal was broken off")
    after = remove(root, catalogue, removal)
    assert [item.name for item in after.nights] == ["b"]
    assert root.catalogue() == after
    assert [info.relative for info in output.store.list()] == ["notes-of-a-person.txt"]
    assert len(root.output(night("b")).store.list()) == 1
