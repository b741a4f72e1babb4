"""One snapshot from its inputs to its report. Publishing it is left to `command.py`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dlcot_ray.commands.enhance import prepare_enhance
from dlcot_ray.commands.refresh.copy_units import UnitCopier
from dlcot_ray.commands.refresh.identity import enhance_config
from dlcot_ray.commands.refresh.report import SnapshotReport, bounds_of, compare
from dlcot_ray.commands.refresh.report_text import REPORT_TEXT_FILE, report_text
from dlcot_ray.commands.refresh.retention import REPORT_FILE, drop_index
from dlcot_ray.commands.refresh.reuse import SnapshotFacts, annotation_sources, index_annotations, load_facts
from dlcot_ray.commands.refresh.root import Catalogue, Pointer, Root, Snapshot, State
from dlcot_ray.commands.run import complete
from dlcot_ray.config.settings import RefreshConfig
from dlcot_ray.errors import JobError
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.outputs.facts import FactSpec
from dlcot_ray.outputs.manifest import write_card
from dlcot_ray.outputs.owning.lease import Lease


@dataclass(frozen=True, slots=True)
class Built:
    """The result of building a snapshot.

    Attributes:
        snapshot: its entry in the catalogue.
        catalogue: as stored now.
        report: None if the snapshot could not be finished.
        manifest: of the snapshot, if this run built it.
        copied: number of units that this run copied from the previous snapshot.
    """

    snapshot: Snapshot
    catalogue: Catalogue
    report: SnapshotReport | None
    manifest: dict[str, Any] | None = None
    copied: int = 0


def build_snapshot(
    config: RefreshConfig,
    root: Root,
    lease: Lease,
    catalogue: Catalogue,
    pointer: Pointer | None,
    snapshot: Snapshot,
    shards: Sequence[Shard],
) -> Built:
    """Build or resume a snapshot and write its report.

    Args:
        snapshot: with its name; its state is replaced.
        shards: the input files that its identity was computed from.

    Raises:
        JobError: it cannot go on; finished units are kept.
    """
    snapshot = replace(snapshot, state=State.STAGING)
    catalogue = root.record(catalogue.including(snapshot))
    output = root.output(snapshot)
    job = prepare_enhance(enhance_config(config, output.store.given_url))
    with job.claim:
        _check_listing(shards, job.plan.shards)
        known = [load_facts(root, item) for item in annotation_sources(catalogue, pointer, snapshot)]
        previous = _previous(root, catalogue, pointer, known)
        lease.check()
        copier = _copier(config, root, previous, snapshot, job.plan.shards)
        recall = index_annotations(root, snapshot, known, config.storage.output)
        spec = replace(job.spec, recall=recall, facts=FactSpec(snapshot.name, snapshot.by))
        manifest, _ = complete(replace(job, spec=spec, carry=copier))
    lease.check()
    copied = copier.units if copier is not None else 0
    if not manifest["complete"]:
        return Built(snapshot, catalogue, None, manifest, copied)
    drop_index(output)
    snapshot = replace(snapshot, state=State.FINISHED, unusable=len(manifest["unusable_inputs"]))
    report = _write_report(config, root, snapshot, previous, manifest)
    return Built(snapshot, root.record(catalogue.including(snapshot)), report, manifest, copied)


def _check_listing(listed: Sequence[Shard], planned: Sequence[Shard]) -> None:
    """Refuse inputs that changed between the listing and the plan."""
    known = {(shard.file, shard.size, shard.version) for shard in listed}
    for shard in planned:
        if (shard.file, shard.size, shard.version) not in known:
            raise JobError(f"{shard.file} changed while the snapshot was planned", "run it again")


def _previous(
    root: Root, catalogue: Catalogue, pointer: Pointer | None, known: Sequence[SnapshotFacts]
) -> SnapshotFacts | None:
    """The facts of the published snapshot; None if there is none."""
    latest = catalogue.get(pointer.snapshot) if pointer is not None else None
    if latest is None:
        return None
    loaded = next((item for item in known if item.snapshot == latest), None)
    return loaded or load_facts(root, latest)


def _copier(
    config: RefreshConfig,
    root: Root,
    previous: SnapshotFacts | None,
    snapshot: Snapshot,
    shards: Sequence[Shard],
) -> UnitCopier | None:
    if previous is None:
        return None
    record = root.output(previous.snapshot).record()
    inputs = record.inputs if record is not None else ()
    return UnitCopier(root, previous, inputs, snapshot, shards, config.retries)


def _write_report(
    config: RefreshConfig,
    root: Root,
    snapshot: Snapshot,
    previous: SnapshotFacts | None,
    manifest: dict[str, Any],
) -> SnapshotReport:
    output = root.output(snapshot)
    report = compare(
        snapshot.name,
        load_facts(root, snapshot).facts,
        previous.snapshot.name if previous is not None else None,
        previous.facts if previous is not None else None,
        snapshot.by,
        snapshot.unusable,
    )
    text = report_text(report, bounds_of(report, config.bounds, config.max_rejected_share))
    content = json.dumps(report.as_dict(), indent=2, ensure_ascii=False) + "\n"
    output.store.put(REPORT_FILE, content.encode())
    output.store.put(REPORT_TEXT_FILE, text.encode())
    write_card(output, manifest, text)
    return report


def read_report(root: Root, snapshot: Snapshot) -> SnapshotReport:
    """The report of a finished snapshot.

    Raises:
        JobError: it is missing or damaged.
    """
    store = root.output(snapshot).store
    try:
        return SnapshotReport.from_dict(json.loads(store.read_bytes(REPORT_FILE)))
    except (ValueError, KeyError, TypeError) as error:
        raise JobError(f"{store.url(REPORT_FILE)} is damaged", "publish another snapshot") from error
