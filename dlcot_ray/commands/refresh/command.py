"""The actions of `dlcot refresh`: make a night, publish or go back to a snapshot, remove, list.

Whatever changes the root does so under the lease; what readers see changes in one conditional put at the
very end, on the version of the pointer that was read at the very beginning.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from dlcot_ray.commands.exits import Exit
from dlcot_ray.commands.refresh.lease import Busy, Lease
from dlcot_ray.commands.refresh.report import SnapshotReport, bounds_of
from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE, summary_lines
from dlcot_ray.commands.refresh.retention import described, removable, remove
from dlcot_ray.commands.refresh.root import POINTER_FILE, Catalogue, Night, Pointer, Publication, Root, State
from dlcot_ray.commands.refresh.snapshot import (
    Made,
    choose_name,
    find_same,
    identify,
    make_night,
    now_s,
    read_report,
)
from dlcot_ray.config.settings import RefreshConfig
from dlcot_ray.errors import JobError
from dlcot_ray.storage.store import absolute
from dlcot_ray.telemetry.summary import print_summary

_HOUR_S = 3600.0


def run_refresh(config: RefreshConfig) -> Exit:
    """Run `dlcot refresh`.

    Raises:
        JobError: it cannot start or go on; readers keep what they have.
    """
    root = Root(absolute(config.output or ""), config.storage.output)
    if config.action == "list":
        return _list(config, root)
    root.store.check_writable()
    try:
        with Lease(root.store, config.action, config.lease_s) as lease:
            if config.action == "publish":
                return _publish_by_hand(config, root, lease)
            status = _refresh(config, root, lease) if config.action == "refresh" else Exit.OK
            _collect(config, root, lease)
            return status
    except Busy as busy:
        print(f"dlcot: {busy}", file=sys.stderr)
        return Exit.BUSY


def _refresh(config: RefreshConfig, root: Root, lease: Lease) -> Exit:
    pointer, version = root.pointer()
    catalogue = root.catalogue()
    tonight, shards = identify(config, root, now_s())
    same = find_same(catalogue, pointer, tonight)
    if same is not None and same.state is State.FINISHED and not same.unusable:
        if pointer is not None and pointer.snapshot == same.name:
            _say(f"nothing changed since {same.name}: nothing judged, nothing published")
            return Exit.OK
        if pointer is not None and same.name in pointer.withdrawn:
            return _held(root, same, ["somebody went back from it"])
        made = Made(same, catalogue, read_report(root, same))
    else:
        night = same or replace(tonight, name=choose_name(catalogue, pointer, config.name, tonight.started))
        if same is not None:
            _say(f"going on with {night.name}")
        made = make_night(config, root, lease, catalogue, pointer, night, shards)
    if made.manifest is not None:
        folder = root.output(made.night).display_url
        print_summary(made.manifest, folder, _next_step(made), Console(highlight=False))
    if made.report is None:
        return Exit.WITH_FAULTS
    for line in summary_lines(made.report, made.carried):
        _say(line)
    broken = _broken(config, made.report)
    if broken and not config.publish_anyway:
        return _held(root, made.night, broken)
    lease.check()
    _switch(root, pointer, version, made.night.name)
    for line in broken:
        _say(f"published although {line}")
    return Exit.OK


def _publish_by_hand(config: RefreshConfig, root: Root, lease: Lease) -> Exit:
    pointer, version = root.pointer()
    catalogue = root.catalogue()
    night = catalogue.get(config.snapshot)
    if night is None or night.state is not State.FINISHED:
        finished = ", ".join(n.name for n in catalogue.nights if n.state is State.FINISHED) or "none"
        raise JobError(
            f"{root.store.display_url} has no finished snapshot {config.snapshot!r}", f"there are: {finished}"
        )
    if pointer is not None and pointer.snapshot == night.name:
        _say(f"{night.name} is what readers take already")
        return Exit.OK
    lease.check()
    _switch(root, pointer, version, night.name, back=_is_older(catalogue, night, pointer))
    return Exit.OK


def _is_older(catalogue: Catalogue, night: Night, pointer: Pointer | None) -> bool:
    current = catalogue.get(pointer.snapshot) if pointer is not None else None
    return current is not None and night.started < current.started


def _switch(
    root: Root, pointer: Pointer | None, version: str | None, name: str, *, back: bool = False
) -> None:
    now = now_s()
    moved = Pointer((Publication(name, now),)) if pointer is None else pointer.to(name, now, back=back)
    root.publish(moved, version)
    _say(f"published {name}: {root.store.url(POINTER_FILE)} names it")
    if back and pointer is not None:
        _say(f"withdrew {pointer.snapshot}: it is not published again unless by hand")


def _held(root: Root, night: Night, reasons: list[str]) -> Exit:
    for reason in reasons:
        print(f"dlcot: {night.name} is held back: {reason}", file=sys.stderr)
    print(
        f"dlcot: readers keep what they have; see {root.output(night).store.url(REPORT_TEXT_FILE)}, and "
        f"publish it by hand with: dlcot refresh output={root.store.display_url} action=publish "
        f"snapshot={night.name}",
        file=sys.stderr,
    )
    return Exit.HELD


def _broken(config: RefreshConfig, report: SnapshotReport) -> list[str]:
    return [
        f"{bound.name} is {bound.limit:g}, and this night comes to {bound.value:g}"
        for bound in bounds_of(report, config.bounds, config.max_rejected_share)
        if bound.broken
    ]


def _collect(config: RefreshConfig, root: Root, lease: Lease) -> None:
    """Show or remove what nothing refers to any more."""
    if config.gc == "none":
        return
    pointer, _ = root.pointer()
    catalogue = root.catalogue()
    found = removable(catalogue, pointer, keep=config.keep, grace_s=config.grace_h * _HOUR_S, now=now_s())
    lines = described(root, found)
    for removal, line in zip(found, lines, strict=True):
        if config.gc == "plan":
            _say(f"gc=run would remove {line}")
            continue
        lease.check()
        catalogue = remove(root, catalogue, removal)
        _say(f"removed {line}")


def _list(config: RefreshConfig, root: Root) -> Exit:
    pointer, _ = root.pointer()
    for night in root.catalogue().nights:
        words = [night.name, night.state.value, datetime.fromtimestamp(night.started, UTC).isoformat()]
        if pointer is not None and night.name == pointer.snapshot:
            words.append("latest")
        if pointer is not None and night.name in pointer.withdrawn:
            words.append("withdrawn")
        if night.state is State.FINISHED:
            total = read_report(root, night).total
            words.append(f"{total.rows:,} rows, {total.judged:,} judged, {total.cut:.1%} cut")
        _say("  ".join(words))
    if pointer is None:
        _say(f"nothing is published at {root.store.display_url}")
    return Exit.OK


def _next_step(made: Made) -> str:
    if made.report is None:
        return "next: see to what failed and run the same command again; readers keep what they have"
    return f"next: read {REPORT_TEXT_FILE} there"


def _say(text: str) -> None:
    print(text, flush=True)
