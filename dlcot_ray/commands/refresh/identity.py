"""What a refresh has to do: nothing, resume or publish a snapshot that exists, or make a new one.

The identity of a snapshot decides: a hash of the settings' fingerprint and of the inputs as they are listed.
The same identity means the same content. An interrupted snapshot of another identity is not lost: the new
snapshot reuses its annotations (`reuse.py`).
"""

from __future__ import annotations

import hashlib
import json
import time
from datetime import UTC, datetime

from dlcot_ray.commands.enhance import resolve_enhance
from dlcot_ray.commands.refresh.root import SNAPSHOTS, Catalogue, Pointer, Root, Snapshot, State
from dlcot_ray.config.settings import EnhanceConfig, RefreshConfig
from dlcot_ray.inputs.files.shards import Shard, find_shards
from dlcot_ray.outputs.job_record import JobRecord


def enhance_config(config: RefreshConfig, output: str) -> EnhanceConfig:
    """The settings of the job that makes one snapshot."""
    names = [name for name in EnhanceConfig.__dataclass_fields__ if name != "output"]
    return EnhanceConfig(output=output, **{name: getattr(config, name) for name in names})


def identify(config: RefreshConfig, root: Root, now: float) -> tuple[Snapshot, list[Shard]]:
    """The snapshot that these settings and inputs make, still without a name, and its input files.

    Args:
        now: when it starts, in seconds since 1970.

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
    return Snapshot("", identity, settings, judge, tuple(config.report_by), now), shards


def find_same(catalogue: Catalogue, pointer: Pointer | None, new: Snapshot) -> Snapshot | None:
    """The latest snapshot of the same identity to resume or publish, or None if there is none.

    A snapshot that readers took earlier and that was not withdrawn does not count. The data changed since and
    changed back, so the new state gets a snapshot of its own.
    """
    for snapshot in reversed(catalogue.snapshots):
        if snapshot.identity != new.identity or snapshot.state is State.REMOVING:
            continue
        if pointer is None or snapshot.name in (pointer.snapshot, *pointer.withdrawn):
            return snapshot
        if pointer.current_until(snapshot.name) == 0:
            return snapshot
    return None


def choose_name(catalogue: Catalogue, pointer: Pointer | None, given: str | None, now: float) -> str:
    """The name of a new snapshot: the given one or the date (UTC), with a number if it is taken.

    A name in the pointer's history stays taken after its snapshot was removed.
    """
    base = given or datetime.fromtimestamp(now, UTC).date().isoformat()
    name, number = base, 1
    while catalogue.get(name) is not None or (pointer is not None and pointer.mentions(name)):
        number += 1
        name = f"{base}.{number}"
    return name


def now_s() -> float:
    """Seconds since 1970; one function, so that tests can make snapshots that are days apart."""
    return time.time()
