"""The actions of `dlcot refresh`: make a snapshot, publish or roll back, remove old snapshots, list.

Every action that changes the root holds the lease. Readers see a change only through one compare-and-swap of
the pointer, at the very end, on the version that was read at the very beginning.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.refresh.build import Built, build_snapshot, read_report
from dlcot_ray.commands.refresh.identity import choose_name, find_same, identify, now_s
from dlcot_ray.commands.refresh.report import SnapshotReport, bounds_of
from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE, summary_lines
from dlcot_ray.commands.refresh.retention import described, removable, remove
from dlcot_ray.commands.refresh.root import (
    POINTER_FILE,
    Catalogue,
    Pointer,
    Publication,
    Root,
    Snapshot,
    State,
)
from dlcot_ray.config.settings import RefreshConfig
from dlcot_ray.errors import JobError
from dlcot_ray.outputs.owning.lease import Lease
from dlcot_ray.report.writing import write_report
from dlcot_ray.storage.urls import absolute
from dlcot_ray.telemetry.cleaned_console import terminal
from dlcot_ray.telemetry.summary import print_summary
from dlcot_ray.telemetry.tracking import check_tracker
from dlcot_ray.terminal import note, tell

_HOUR_S = 3600.0


def run_refresh(config: RefreshConfig) -> Exit:
    """Run `dlcot refresh`.

    Raises:
        Busy: another refresh is at work.
        JobError: it cannot start or go on; readers keep the published snapshot.
    """
    if config.action == "refresh":
        check_tracker(config.tracker)
    root = Root(absolute(config.output or ""), config.storage.output)
    if config.action == "list":
        return _list(config, root)
    root.store.check_writable()
    with Lease(root.store, config.action, config.lease_s) as lease:
        if config.action == "publish":
            return _publish_by_hand(config, root, lease)
        status = _refresh(config, root, lease) if config.action == "refresh" else Exit.OK
        _remove_old(config, root, lease)
        return status


def _refresh(config: RefreshConfig, root: Root, lease: Lease) -> Exit:
    pointer, version = root.pointer()
    catalogue = root.catalogue()
    new, shards = identify(config, root, now_s())
    same = find_same(catalogue, pointer, new)
    if same is not None and same.state is State.FINISHED and not same.unusable:
        if pointer is not None and pointer.snapshot == same.name:
            tell(f"nothing changed since {same.name}: nothing judged, nothing published")
            return Exit.OK
        if pointer is not None and same.name in pointer.withdrawn:
            return _held(root, same, ["it was withdrawn"])
        built = Built(same, catalogue, read_report(root, same))
    else:
        snapshot = same or replace(new, name=choose_name(catalogue, pointer, config.name, new.started))
        if same is not None:
            tell(f"resuming {snapshot.name}")
        built = build_snapshot(config, root, lease, catalogue, pointer, snapshot, shards)
    return _finish(config, root, lease, pointer, version, built)


def _finish(
    config: RefreshConfig,
    root: Root,
    lease: Lease,
    pointer: Pointer | None,
    version: str | None,
    built: Built,
) -> Exit:
    """Print the summary and the report, then publish the snapshot unless a bound is exceeded."""
    if built.manifest is not None:
        folder = root.output(built.snapshot).display_url
        print_summary(built.manifest, folder, _next_step(built), terminal(highlight=False))
    if built.report is None:
        return Exit.WITH_FAULTS
    if built.manifest is not None and config.report:
        tell(write_report(root.output(built.snapshot)))
    for line in summary_lines(built.report, built.copied):
        tell(line)
    exceeded = _exceeded(config, built.report)
    if exceeded and not config.publish_anyway:
        return _held(root, built.snapshot, exceeded)
    lease.check()
    _switch(root, pointer, version, built.snapshot.name)
    for line in exceeded:
        tell(f"published although {line}")
    return Exit.OK


def _publish_by_hand(config: RefreshConfig, root: Root, lease: Lease) -> Exit:
    pointer, version = root.pointer()
    catalogue = root.catalogue()
    snapshot = catalogue.get(config.snapshot)
    if snapshot is None or snapshot.state is not State.FINISHED:
        finished = [item.name for item in catalogue.snapshots if item.state is State.FINISHED]
        raise JobError(
            f"{root.store.display_url} has no finished snapshot {config.snapshot!r}",
            f"finished snapshots: {', '.join(finished) or 'none'}",
        )
    if pointer is not None and pointer.snapshot == snapshot.name:
        tell(f"{snapshot.name} is published already")
        return Exit.OK
    lease.check()
    _switch(root, pointer, version, snapshot.name, back=_is_older(catalogue, snapshot, pointer))
    return Exit.OK


def _is_older(catalogue: Catalogue, snapshot: Snapshot, pointer: Pointer | None) -> bool:
    """Whether a snapshot is older than the published one, so that publishing it is a roll-back."""
    current = catalogue.get(pointer.snapshot) if pointer is not None else None
    return current is not None and snapshot.started < current.started


def _switch(
    root: Root, pointer: Pointer | None, version: str | None, name: str, *, back: bool = False
) -> None:
    now = now_s()
    moved = Pointer((Publication(name, now),)) if pointer is None else pointer.moved_to(name, now, back=back)
    root.publish(moved, version)
    tell(f"published {name}: {root.store.url(POINTER_FILE)} names it")
    if back and pointer is not None:
        tell(f"withdrew {pointer.snapshot}: it is published again only with action=publish")


def _held(root: Root, snapshot: Snapshot, reasons: list[str]) -> Exit:
    for reason in reasons:
        note(f"{snapshot.name} is held back: {reason}")
    report = root.output(snapshot).store.url(REPORT_TEXT_FILE)
    note(
        f"readers keep the published snapshot. The report is {report}. To publish this snapshot: "
        f"dlcot refresh output={root.store.display_url} action=publish snapshot={snapshot.name}"
    )
    return Exit.HELD


def _exceeded(config: RefreshConfig, report: SnapshotReport) -> list[str]:
    return [
        f"{bound.name} is {bound.limit:g}, and this snapshot has {bound.value:g}"
        for bound in bounds_of(report, config.bounds, config.max_rejected_share)
        if bound.exceeded
    ]


def _remove_old(config: RefreshConfig, root: Root, lease: Lease) -> None:
    """List (``gc=plan``) or remove (``gc=run``) the snapshots that no rule keeps."""
    if config.gc == "none":
        return
    pointer, _ = root.pointer()
    catalogue = root.catalogue()
    found = removable(catalogue, pointer, keep=config.keep, grace_s=config.grace_h * _HOUR_S, now=now_s())
    lines = described(root, found)
    for removal, line in zip(found, lines, strict=True):
        if config.gc == "plan":
            tell(f"gc=run would remove {line}")
            continue
        lease.check()
        catalogue = remove(root, catalogue, removal)
        tell(f"removed {line}")


def _list(config: RefreshConfig, root: Root) -> Exit:
    pointer, _ = root.pointer()
    for snapshot in root.catalogue().snapshots:
        started = datetime.fromtimestamp(snapshot.started, UTC).isoformat()
        words = [snapshot.name, snapshot.state.value, started]
        if pointer is not None and snapshot.name == pointer.snapshot:
            words.append("latest")
        if pointer is not None and snapshot.name in pointer.withdrawn:
            words.append("withdrawn")
        if snapshot.state is State.FINISHED:
            total = read_report(root, snapshot).total
            words.append(f"{total.rows:,} rows, {total.judged:,} judged, {total.cut:.1%} cut")
        tell("  ".join(words))
    if pointer is None:
        tell(f"nothing is published at {root.store.display_url}")
    return Exit.OK


def _next_step(built: Built) -> str:
    if built.report is None:
        return "next: fix what failed and run the same command again; readers keep the published snapshot"
    return f"next: read {REPORT_TEXT_FILE} there"
