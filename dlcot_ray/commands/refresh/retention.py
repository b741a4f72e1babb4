"""Which snapshots go, and their removal: shown first (``gc=plan``), done when asked for (``gc=run``).

A snapshot stays as long as it is among the newest `keep` finished ones, is what readers take, was taken by
readers within the grace period (a training run may still be reading it), or was begun within it. What was
broken off goes after the grace period as well. Removal is repeatable: the catalogue says "removing" before
the first object goes, and forgets the night after the last. Only objects that dlcot wrote are removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dlcot_ray.commands.refresh.known import RECALL
from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE
from dlcot_ray.commands.refresh.root import Catalogue, Night, Pointer, Root, State
from dlcot_ray.outputs.layout import Output

REPORT_FILE = "report.json"


@dataclass(frozen=True, slots=True)
class Removal:
    """A snapshot that nothing refers to any more."""

    night: Night
    why: str


def removable(
    catalogue: Catalogue, pointer: Pointer | None, *, keep: int, grace_s: float, now: float
) -> list[Removal]:
    """What may go.

    Args:
        keep: how many finished snapshots stay whatever their age.
        grace_s: seconds for which a snapshot stays after it was begun, and after readers last took it.
        now: seconds since 1970.
    """
    finished = [night for night in catalogue.nights if night.state is State.FINISHED]
    newest = {night.name for night in finished[max(len(finished) - keep, 0) :]}
    return [
        Removal(night, why)
        for night in catalogue.nights
        if (why := _why(night, pointer, newest, now - grace_s))
    ]


def _why(night: Night, pointer: Pointer | None, newest: set[str], cutoff: float) -> str:
    if pointer is not None and pointer.snapshot == night.name:
        return ""
    if night.state is State.REMOVING:
        return "its removal was broken off"
    last_read = pointer.last_read(night.name) if pointer is not None else 0.0
    if night.name in newest or max(night.started, last_read) > cutoff:
        return ""
    return "was broken off" if night.state is State.STAGING else "is older than those to keep"


def remove(root: Root, catalogue: Catalogue, removal: Removal) -> Catalogue:
    """Remove a snapshot; returns the catalogue without it.

    Raises:
        Overtaken: another refresh changed the catalogue; nothing more is removed.
        JobError: the store refuses.
    """
    night = removal.night
    catalogue = root.record(catalogue.having(replace(night, state=State.REMOVING)))
    output = root.output(night)
    for name in (REPORT_FILE, REPORT_TEXT_FILE):
        output.store.delete(name)
    drop_index(output)
    output.store.remove_temporary()
    output.clear()
    return root.record(catalogue.without(night.name))


def drop_index(output: Output) -> None:
    """Remove the index of known annotations that a night was made with."""
    for info in output.store.list(RECALL):
        output.store.delete(info.relative)


def size_of(root: Root, night: Night) -> tuple[int, int]:
    """Objects and bytes of a snapshot."""
    found = root.output(night).store.list()
    return len(found), sum(info.size for info in found)


def described(root: Root, removals: list[Removal]) -> Iterator[str]:
    """One line per snapshot that would go."""
    for removal in removals:
        objects, size = size_of(root, removal.night)
        yield f"{removal.night.folder} {removal.why}: {objects:,} objects, {size / 1e6:,.1f} MB"
