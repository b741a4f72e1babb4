"""Facts of earlier snapshots, and the index of the annotations that a new snapshot can reuse.

Annotations are reused from the published snapshot, and from later ones that were never published
(interrupted, or held back). Older snapshots are left out. So are withdrawn ones, because they were faulty.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl

from dlcot_ray.commands.refresh.root import Catalogue, Pointer, Root, Snapshot, State
from dlcot_ray.outputs.facts import fact_schema
from dlcot_ray.outputs.layout import ANNOTATIONS, FACTS, Output
from dlcot_ray.outputs.recall import RecallSpec, write_index
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.tables import read_parquet

RECALL = "_recall"
_THREADS = 16
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """The facts of a snapshot's complete units.

    Attributes:
        snapshot: which.
        units: names of the units.
        facts: one row per input row: the columns of `outputs/facts.py`, and `unit`, an index into `units`.
    """

    snapshot: Snapshot
    units: tuple[str, ...]
    facts: pl.DataFrame


def load_facts(root: Root, snapshot: Snapshot) -> SnapshotFacts:
    """Read the facts of a snapshot.

    Raises:
        JobError: one of their objects cannot be read.
    """
    output = root.output(snapshot)
    units = tuple(sorted(output.done()))
    with ThreadPoolExecutor(_THREADS) as threads:
        frames = list(threads.map(lambda item: _facts(output, *item), enumerate(units)))
    empty = pl.DataFrame(fact_schema(snapshot.by).empty_table()).with_columns(unit=pl.lit(0, pl.UInt32))
    return SnapshotFacts(snapshot, units, pl.concat([empty, *frames]) if frames else empty)


def annotation_sources(catalogue: Catalogue, pointer: Pointer | None, new: Snapshot) -> list[Snapshot]:
    """The snapshots of the same judge whose annotations can be reused, the published one first."""
    latest = catalogue.get(pointer.snapshot) if pointer is not None else None
    since = latest.started if latest is not None else 0.0
    withdrawn = pointer.withdrawn if pointer is not None else ()
    others = [
        snapshot
        for snapshot in catalogue.snapshots
        if snapshot.started > since
        and snapshot.state is not State.REMOVING
        and snapshot.name not in (new.name, *withdrawn)
    ]
    found = [latest, *reversed(others)] if latest is not None else list(reversed(others))
    return [snapshot for snapshot in found if snapshot.judge == new.judge]


def index_annotations(
    root: Root, new: Snapshot, known: Sequence[SnapshotFacts], options: Mapping[str, Any]
) -> RecallSpec | None:
    """Write the index of all annotations of earlier snapshots; None if there are none.

    Args:
        new: the snapshot that will use the index; it is written into its folder.
        known: the facts of the snapshots of `annotation_sources`, in their order.
        options: fsspec options of the root.
    """
    objects: list[str] = []
    frames: list[pl.DataFrame] = []
    for item in known:
        annotated = item.facts.filter((pl.col("annotation") >= 0) & (pl.col("fingerprint") != ""))
        frames.append(
            annotated.select(
                "fingerprint",
                object=pl.col("unit").cast(pl.UInt32) + len(objects),
                row=pl.col("annotation"),
            )
        )
        objects += [f"{item.snapshot.folder}/{ANNOTATIONS}/{unit}.parquet" for unit in item.units]
    entries = pl.concat(frames) if frames else pl.DataFrame()
    if entries.is_empty():
        return None
    # A new folder for every attempt, because workers cache what they read from an index.
    folder = f"{new.folder}/{RECALL}/{secrets.token_hex(4)}"
    partitions = write_index(root.store, folder, objects, entries)
    return RecallSpec(
        url=root.store.given_url,
        index=folder,
        partitions=partitions,
        own=f"{known[0].snapshot.folder}/{ANNOTATIONS}",
        options=options,
    )


def _facts(output: Output, number: int, unit: str) -> pl.DataFrame:
    data = with_retries(_RETRIES, lambda: output.store.read_bytes(f"{FACTS}/{unit}.parquet"))
    return pl.DataFrame(read_parquet(data)).with_columns(unit=pl.lit(number, pl.UInt32))
