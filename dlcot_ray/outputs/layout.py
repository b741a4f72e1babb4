"""The layout of a job's output: the names of its objects, and when a unit is complete.

A unit is up to six objects, each put once and atomically under a name that the plan determines. It is
complete when its object in `enhanced/`, written last, is in the LIST. Writing is therefore idempotent, a
resume skips the units in the LIST, and there is no other state. `_job.json` holds the settings that determine
the content; an output of other settings or of changed inputs is refused (`claim.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import FORMAT, InputRecord, JobRecord
from dlcot_ray.plan.names import UnitName, parse_unit_name
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.storage.tables import read_parquet_metadata, to_parquet

if TYPE_CHECKING:
    from dlcot_ray.outputs.results import UnitOutput


JOB_FILE = "_job.json"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "README.md"
PAGE_FILE = "report.html"
"""The page that shows the output to people (`dlcot report`)."""
ENHANCED, ANNOTATIONS, REJECTED = "enhanced", "annotations", "rejected"
PREFERENCES = "preferences"
MASKED = "masked"
FOLDERS = (ENHANCED, ANNOTATIONS, REJECTED, PREFERENCES, MASKED)
BEFORE_AFTER_FILE = "before_after/sample.parquet"
"""A sample of changed traces as plain text, for people (`before_after.py`)."""
FACTS = "_facts"
"""Facts of each row, for a refresh (`facts.py`); hidden from readers of Parquet folders."""
# These names do not end with .parquet, so that a reader of the whole folder finds units only.
INPUT_METADATA_FILE = "_input_metadata.arrow"
DUPLICATES_FILE = "_duplicates.arrow"
INPUTS_FILE = "inputs.jsonl"
JOURNAL = "_counts"
LIVE_FILE = "_live.json"
"""What a running job tells of itself (`live.py`)."""

_STATS_KEY = "dlcot.stats"
_JOB_KEY = "dlcot.job"


class Output:
    """The output of one job in a store. It is cheap to build, and can be pickled."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @property
    def display_url(self) -> str:
        """Its URL without credentials, for messages."""
        return self.store.display_url

    def record(self) -> JobRecord | None:
        """The job that this output belongs to; None if there is none yet.

        Raises:
            JobError: `_job.json` is damaged or of another version.
        """
        return self.record_versioned()[0]

    def record_versioned(self) -> tuple[JobRecord | None, str | None]:
        """The same, and the version of `_job.json` that a compare-and-swap compares.

        Raises:
            JobError: as `record`.
        """
        found = self.store.read_versioned(JOB_FILE)
        if found is None:
            return None, None
        try:
            content = json.loads(found.data)
            version = content["format"]
            if version == FORMAT:
                inputs = tuple(InputRecord(**item) for item in content["inputs"])
                layouts = tuple(content.get("layouts", ()))
                record = JobRecord(
                    content["command"], content["settings"], content["config"], inputs, layouts
                )
                return record, found.version
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(f"{self.store.url(JOB_FILE)} is damaged", "choose another output") from error
        raise JobError(
            f"{self.display_url} was written in format {version}, this version of dlcot writes {FORMAT}",
            "choose another output",
        )

    def done(self) -> set[str]:
        """Names of the complete units. For many units use `completed.complete_units`: 4 bytes per unit."""
        return {name for name, _ in self.units(self.objects(ENHANCED)) if parse_unit_name(name) is not None}

    def objects(self, folder: str) -> Iterator[tuple[str, int]]:
        """Names (relative to the folder) and sizes (bytes) of its objects, in the order of the LIST.

        Raises:
            JobError: it cannot be listed.
        """
        cut = len(folder) + 1
        for info in self.store.scan(folder):
            yield info.relative[cut:], info.size

    @staticmethod
    def units(objects: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
        """Names of units and sizes, from those of objects; only Parquet objects can be units."""
        for name, size in objects:
            if name.endswith(".parquet"):
                yield name.removesuffix(".parquet"), size

    def read_state(self, name: str) -> bytes | None:
        """The bytes of a cache object of this output; None if it cannot be read."""
        try:
            return self.store.read_bytes(name)
        except JobError:
            return None

    def put_unit(
        self,
        name: str,
        made: UnitOutput,
        *,
        store_annotations: bool = True,
        retries: int = 0,
        chunked: bool = False,
        job: str = "",
    ) -> int:
        """Write a unit; it is complete only after the last put.

        Objects of `rejected/`, `preferences/` and `masked/` are written only if they have rows. The counts
        are in the metadata of the `enhanced/` object.

        Args:
            name: name of the unit.
            made: its tables and counts.
            store_annotations: False if the job uses the annotations of another output.
            retries: further attempts at each put.
            chunked: content-defined chunks, for stores that keep equal ones once.
            job: fingerprint of the job, which is stored with the unit.

        Returns:
            Size of its `enhanced/` object (bytes).

        Raises:
            JobError: an object cannot be written.
        """
        tables = [
            (ANNOTATIONS, made.annotations if store_annotations else None),
            *((folder, table if table.num_rows else None) for folder, table in _optional(made)),
            (FACTS, made.facts),
        ]
        objects = [
            (folder, to_parquet(table, chunked=chunked)) for folder, table in tables if table is not None
        ]
        metadata = {_STATS_KEY: made.stats.to_json(), **({_JOB_KEY: job} if job else {})}
        objects.append((ENHANCED, to_parquet(made.enhanced, metadata, chunked=chunked)))
        for folder, data in objects:
            with_retries(retries, partial(self.store.put, f"{folder}/{name}.parquet", data))
        return len(objects[-1][1])

    def stats(self, name: str) -> UnitStats:
        """The counts of a complete unit, read from the footer of its `enhanced/` object.

        Raises:
            JobError: its object is damaged.
        """
        return self.footer(name)[0]

    def footer(self, name: str) -> tuple[UnitStats, str]:
        """The counts of a complete unit, and the fingerprint of the job that wrote it ("" if it has none).

        Raises:
            JobError: its object is damaged.
        """
        relative = f"{ENHANCED}/{name}.parquet"
        try:
            with self.store.open(relative) as file:
                metadata = read_parquet_metadata(file)
            return UnitStats.from_json(metadata[_STATS_KEY]), metadata.get(_JOB_KEY, "")
        except (pa.ArrowException, OSError, ValueError, KeyError, InputFault) as error:
            raise JobError(
                f"{self.store.url(relative)} is not a unit that dlcot wrote",
                "delete that object and run again: the unit is then made again",
            ) from error

    def remove_leftovers(self) -> int:
        """Remove half-written objects of killed workers; returns how many (files, or uploads in a bucket)."""
        return self.store.remove_temporary(belongs=lambda name: unit_object(name) is not None)


def _optional(made: UnitOutput) -> list[tuple[str, pa.Table]]:
    """The tables that are written only if they have rows."""
    return [(REJECTED, made.rejected), (PREFERENCES, made.preferences), (MASKED, made.masked)]


def unit_object(relative: str) -> tuple[str, UnitName] | None:
    """The folder of a unit's object and the unit's name, or None for any other object of an output."""
    folder, _, rest = relative.partition("/")
    if folder not in (*FOLDERS, FACTS) or not rest.endswith(".parquet"):
        return None
    name = parse_unit_name(rest.removesuffix(".parquet"))
    return (folder, name) if name is not None else None
