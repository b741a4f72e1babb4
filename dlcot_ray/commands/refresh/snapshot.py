"""One night: from inputs and settings to a finished snapshot with its report. Publishing is not done here.

What a night has to do is decided by identity alone: the settings' fingerprint and the inputs as they are
listed. The same identity means the same content, so it is nothing to do, or the same unfinished snapshot to
go on with; any other starts a snapshot of its own. A broken-off night of another identity is not lost:
its annotations are found by the new one.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dlcot_ray.commands.enhance import prepare_enhance, resolve_enhance
from dlcot_ray.commands.refresh.carry import Carrier
from dlcot_ray.commands.refresh.known import index_known, load_known, sources
from dlcot_ray.commands.refresh.lease import Lease
from dlcot_ray.commands.refresh.report import SnapshotReport, bounds_of, compare
from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE, report_text
from dlcot_ray.commands.refresh.retention import REPORT_FILE, drop_index
from dlcot_ray.commands.refresh.root import SNAPSHOTS, Catalogue, Night, Pointer, Root, State
from dlcot_ray.commands.run import complete
from dlcot_ray.config.settings import EnhanceConfig, RefreshConfig
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.shards import Shard, find_shards
from dlcot_ray.outputs.facts import FactSpec
from dlcot_ray.outputs.layout import JobRecord
from dlcot_ray.outputs.manifest import write_card


@dataclass(frozen=True, slots=True)
class Made:
    """What came of a night.

    Attributes:
        night: its entry of the catalogue.
        catalogue: as stored now.
        report: None where the night could not be finished.
        manifest: of the snapshot, where this run made it.
        carried: units carried over by this run.
    """

    night: Night
    catalogue: Catalogue
    report: SnapshotReport | None
    manifest: dict[str, Any] | None = None
    carried: int = 0


def enhance_config(config: RefreshConfig, output: str) -> EnhanceConfig:
    """The job that makes one snapshot."""
    names = [name for name in EnhanceConfig.__dataclass_fields__ if name != "output"]
    return EnhanceConfig(output=output, **{name: getattr(config, name) for name in names})


def identify(config: RefreshConfig, root: Root, now: float) -> tuple[Night, list[Shard]]:
    """What tonight would be, as yet without a name, and its input files.

    Raises:
        JobError: settings or inputs cannot be used.
    """
    resolved = resolve_enhance(enhance_config(config, root.store.url(SNAPSHOTS)))
    settings = JobRecord("enhance", resolved.settings, {}).fingerprint
    shards = find_shards(resolved.config.input, config.storage.input)
    listed = sorted((shard.file, shard.name, shard.size, shard.version) for shard in shards)
    content = json.dumps([settings, listed, config.report_by])
    identity = hashlib.sha256(content.encode()).hexdigest()[:16]
    judge = str(resolved.settings["judge"])
    return Night("", identity, settings, judge, tuple(config.report_by), now), shards


def find_same(catalogue: Catalogue, pointer: Pointer | None, tonight: Night) -> Night | None:
    """The snapshot of tonight's identity that is to be gone on with or published, if there is one.

    One that readers took earlier (and nobody went back from) does not count: time has gone on since, and
    tonight gets a snapshot of its own.
    """
    for night in reversed(catalogue.nights):
        if night.identity != tonight.identity or night.state is State.REMOVING:
            continue
        shown_before = pointer is not None and pointer.last_read(night.name) > 0
        current = pointer is not None and pointer.snapshot == night.name
        if current or not shown_before or (pointer is not None and night.name in pointer.withdrawn):
            return night
    return None


def choose_name(catalogue: Catalogue, pointer: Pointer | None, wanted: str | None, now: float) -> str:
    """The name of a new snapshot: as wanted or today's date (UTC), with a number if that is taken.

    A name that the pointer remembers stays taken after its snapshot was removed.
    """
    base = wanted or datetime.fromtimestamp(now, UTC).date().isoformat()
    name, number = base, 1
    while catalogue.get(name) is not None or (pointer is not None and pointer.knows(name)):
        number += 1
        name = f"{base}.{number}"
    return name


def make_night(
    config: RefreshConfig,
    root: Root,
    lease: Lease,
    catalogue: Catalogue,
    pointer: Pointer | None,
    night: Night,
    shards: Sequence[Shard],
) -> Made:
    """Make (or go on with) a snapshot up to its report.

    Raises:
        JobError: it cannot go on; what is finished of it is kept.
    """
    night = replace(night, state=State.STAGING)
    catalogue = root.record(catalogue.having(night))
    output = root.output(night)
    job = prepare_enhance(enhance_config(config, output.store.given_url))
    _check_listing(shards, job.plan.shards)
    last = catalogue.get(pointer.snapshot) if pointer is not None else None
    known = [load_known(root, item) for item in sources(catalogue, pointer, night)]
    before = next((item for item in known if item.night == last), None)
    if last is not None and before is None:
        before = load_known(root, last)
    lease.check()
    carrier = None
    if before is not None:
        record = root.output(before.night).record()
        inputs = record.inputs if record is not None else ()
        carrier = Carrier(root, before, inputs, night, job.plan.shards, config.retries)
    recall = index_known(root, night, known, config.storage.output)
    spec = replace(job.spec, recall=recall, facts=FactSpec(night.name, night.by))
    manifest, _ = complete(replace(job, spec=spec, carry=carrier))
    lease.check()
    carried = carrier.units if carrier is not None else 0
    if not manifest["complete"]:
        return Made(night, catalogue, None, manifest, carried)
    drop_index(output)
    unusable = len(manifest["unusable_inputs"])
    report = compare(
        night.name,
        load_known(root, night).facts,
        before.night.name if before is not None else None,
        before.facts if before is not None else None,
        night.by,
        unusable,
    )
    text = report_text(report, bounds_of(report, config.bounds, config.max_rejected_share))
    output.store.put(REPORT_FILE, _json(report.as_dict()))
    output.store.put(REPORT_TEXT_FILE, text.encode())
    write_card(output, manifest, text)
    night = replace(night, state=State.FINISHED, unusable=unusable)
    return Made(night, root.record(catalogue.having(night)), report, manifest, carried)


def _check_listing(listed: Sequence[Shard], planned: Sequence[Shard]) -> None:
    """Refuse inputs that changed between the night's identification and its plan."""
    known = {(shard.file, shard.size, shard.version) for shard in listed}
    for shard in planned:
        if (shard.file, shard.size, shard.version) not in known:
            raise JobError(f"{shard.file} changed while the night was planned", "run it again")


def read_report(root: Root, night: Night) -> SnapshotReport:
    """The report of a finished snapshot.

    Raises:
        JobError: it is missing or damaged.
    """
    store = root.output(night).store
    try:
        return SnapshotReport.from_dict(json.loads(store.read_bytes(REPORT_FILE)))
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{store.url(REPORT_FILE)} is damaged", "publish another snapshot") from error


def now_s() -> float:
    """Seconds since 1970; one place, so that tests can have nights that are days apart."""
    return time.time()


def _json(content: Any) -> bytes:
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()
