"""Which snapshots are removed, and their removal: listed with ``gc=plan``, carried out with ``gc=run``.

A finished snapshot stays if one of these holds:

- it is among the newest `keep` finished ones;
- readers take it now, or took it within the grace period (a training run may still be reading it);
- it was started within the grace period.

An interrupted snapshot is removed after the grace period, too. A removal can be repeated: the catalogue marks
the snapshot as "removing" before the first object is removed, and drops it after the last one. Only objects
that dlcot wrote are removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE
from dlcot_ray.commands.refresh.reuse import RECALL
from dlcot_ray.commands.refresh.root import Catalogue, Pointer, Root, Snapshot, State
from dlcot_ray.outputs.layout import Output
from dlcot_ray.outputs.owning.lease import LEASE_FILE
from dlcot_ray.outputs.owning.marks import clear

REPORT_FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Removal:
    """A snapshot to remove, and the reason, which reads on from the snapshot's name."""

    snapshot: Snapshot
    reason: str


def removable(
    catalogue: Catalogue, pointer: Pointer | None, *, keep: int, grace_s: float, now: float
) -> list[Removal]:
    """The snapshots that no rule keeps.

    Args:
        keep: how many finished snapshots stay whatever their age.
        grace_s: seconds for which a snapshot stays after its start, and after readers last took it.
        now: seconds since 1970.
    """
    finished = [item for item in catalogue.snapshots if item.state is State.FINISHED]
    newest = {item.name for item in finished[max(len(finished) - keep, 0) :]}
    return [
        Removal(item, reason)
        for item in catalogue.snapshots
        if (reason := _reason(item, pointer, newest, now - grace_s))
    ]


def _reason(snapshot: Snapshot, pointer: Pointer | None, newest: set[str], cutoff: float) -> str:
    """Why a snapshot is removed, or "" if it stays; `cutoff` is the start of the grace period."""
    if pointer is not None and pointer.snapshot == snapshot.name:
        return ""
    if snapshot.state is State.REMOVING:
        return "has an interrupted removal"
    last_taken = pointer.current_until(snapshot.name) if pointer is not None else 0.0
    if snapshot.name in newest or max(snapshot.started, last_taken) > cutoff:
        return ""
    return "was interrupted" if snapshot.state is State.STAGING else "is older than those to keep"


def remove(root: Root, catalogue: Catalogue, removal: Removal) -> Catalogue:
    """Remove a snapshot; returns the catalogue without it.

    Raises:
        ChangedMeanwhile: another refresh changed the catalogue; nothing more is removed.
        JobError: the store refuses.
    """
    snapshot = removal.snapshot
    catalogue = root.record(catalogue.including(replace(snapshot, state=State.REMOVING)))
    output = root.output(snapshot)
    for name in (REPORT_FILE, REPORT_TEXT_FILE):
        output.store.delete(name)
    drop_index(output)
    output.store.remove_temporary()
    clear(output)
    output.store.delete(LEASE_FILE)
    return root.record(catalogue.without(snapshot.name))


def drop_index(output: Output) -> None:
    """Remove the index of reusable annotations from the folder of a snapshot."""
    for info in output.store.list(RECALL):
        output.store.delete(info.relative)


def size_of(root: Root, snapshot: Snapshot) -> tuple[int, int]:
    """Number of objects of a snapshot, and their bytes."""
    found = root.output(snapshot).store.list()
    return len(found), sum(info.size for info in found)


def described(root: Root, removals: list[Removal]) -> Iterator[str]:
    """One line per snapshot to remove: its folder, the reason, its size."""
    for removal in removals:
        objects, size = size_of(root, removal.snapshot)
        yield f"{removal.snapshot.folder} {removal.reason}: {objects:,} objects, {size / 1e6:,.1f} MB"
