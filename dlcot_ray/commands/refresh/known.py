"""What earlier nights know: their facts as one frame, and the index of annotations made of them.

Annotations are taken from the snapshot that readers have, and from what was made since but never became
the latest (a night that was broken off or held back): asking the judge again for those would be waste.
Older and withdrawn snapshots are left out, the latter because something was wrong with them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import polars as pl

from dlcot_ray.commands.refresh.root import Catalogue, Night, Pointer, Root, State
from dlcot_ray.outputs.facts import fact_schema
from dlcot_ray.outputs.layout import ANNOTATIONS, FACTS, Output
from dlcot_ray.outputs.recall import RecallSpec, write_index
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.tables import read_parquet

RECALL = "_recall"
_THREADS = 16
_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """The facts of a snapshot's complete units.

    Attributes:
        night: which.
        units: their names.
        facts: `job/facts.py`'s columns, and `unit`, an index into `units`.
    """

    night: Night
    units: tuple[str, ...]
    facts: pl.DataFrame


def load_known(root: Root, night: Night) -> Known:
    """Read a snapshot's facts.

    Raises:
        JobError: one of them cannot be read.
    """
    output = root.output(night)
    units = tuple(sorted(output.done()))
    with ThreadPoolExecutor(_THREADS) as threads:
        frames = list(threads.map(lambda item: _facts(output, *item), enumerate(units)))
    empty = pl.DataFrame(fact_schema(night.by).empty_table()).with_columns(unit=pl.lit(0, pl.UInt32))
    return Known(night, units, pl.concat([empty, *frames]) if frames else empty)


def sources(catalogue: Catalogue, pointer: Pointer | None, tonight: Night) -> list[Night]:
    """The nights whose annotations tonight's judge may have made already, the latest snapshot first."""
    latest = catalogue.get(pointer.snapshot) if pointer is not None else None
    since = latest.started if latest is not None else 0.0
    withdrawn = pointer.withdrawn if pointer is not None else ()
    others = [
        night
        for night in catalogue.nights
        if night.started > since
        and night.state is not State.REMOVING
        and night.name not in (tonight.name, *withdrawn)
    ]
    found = [latest, *reversed(others)] if latest is not None else list(reversed(others))
    return [night for night in found if night.judge == tonight.judge]


def index_known(
    root: Root, tonight: Night, known: Sequence[Known], options: Mapping[str, Any]
) -> RecallSpec | None:
    """Write the index of everything that `known` has annotated; None where that is nothing.

    Args:
        known: of the nights of `sources`, in their order.
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
        objects += [f"{item.night.folder}/{ANNOTATIONS}/{unit}.parquet" for unit in item.units]
    entries = pl.concat(frames) if frames else pl.DataFrame()
    if entries.is_empty():
        return None
    # A folder of its own for every attempt: workers keep what they have read of one.
    folder = f"{tonight.folder}/{RECALL}/{secrets.token_hex(4)}"
    partitions = write_index(root.store, folder, objects, entries)
    return RecallSpec(
        url=root.store.given_url,
        index=folder,
        partitions=partitions,
        own=f"{known[0].night.folder}/{ANNOTATIONS}",
        identity=tonight.judge,
        options=options,
    )


def _facts(output: Output, number: int, unit: str) -> pl.DataFrame:
    data = with_retries(_RETRIES, lambda: output.store.read_bytes(f"{FACTS}/{unit}.parquet"))
    return pl.DataFrame(read_parquet(data)).with_columns(unit=pl.lit(number, pl.UInt32))
