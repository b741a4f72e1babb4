"""The layout of a job's output: the names of its objects, when a unit is complete, and which job owns it.

A unit is up to six objects, each put once and atomically under a name that the plan determines. It is
complete when its object in `enhanced/`, written last, is in the LIST. Writing is therefore idempotent, a
resume skips the units in the LIST, and there is no other state. `_job.json` holds the settings that determine
the content; an output of other settings or of changed inputs is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pyarrow as pa

from dlcot_ray.errors import InputFault, JobError
from dlcot_ray.outputs.counts import UnitStats
from dlcot_ray.outputs.job_record import FORMAT, InputRecord, JobRecord, first_difference
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

_STATS_KEY = "dlcot.stats"


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
        if not self.store.exists(JOB_FILE):
            return None
        try:
            content = json.loads(self.store.read_bytes(JOB_FILE))
            version = content["format"]
            if version == FORMAT:
                inputs = tuple(InputRecord(**item) for item in content["inputs"])
                layouts = tuple(content.get("layouts", ()))
                return JobRecord(content["command"], content["settings"], content["config"], inputs, layouts)
        except (ValueError, KeyError, TypeError) as error:
            raise JobError(f"{self.store.url(JOB_FILE)} is damaged", "choose another output") from error
        raise JobError(
            f"{self.display_url} was written in format {version}, this version of dlcot writes {FORMAT}",
            "choose another output",
        )

    def write_record(self, record: JobRecord) -> None:
        """Write `_job.json`, before the first unit."""
        self.store.put(JOB_FILE, record.to_json())

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
        stats = {_STATS_KEY: made.stats.to_json()}
        objects.append((ENHANCED, to_parquet(made.enhanced, stats, chunked=chunked)))
        for folder, data in objects:
            with_retries(retries, partial(self.store.put, f"{folder}/{name}.parquet", data))
        return len(objects[-1][1])

    def stats(self, name: str) -> UnitStats:
        """The counts of a complete unit, read from the footer of its `enhanced/` object.

        Raises:
            JobError: its object is damaged.
        """
        relative = f"{ENHANCED}/{name}.parquet"
        try:
            with self.store.open(relative) as file:
                return UnitStats.from_json(read_parquet_metadata(file)[_STATS_KEY])
        except (pa.ArrowException, OSError, ValueError, KeyError, InputFault) as error:
            raise JobError(
                f"{self.store.url(relative)} is not a unit that dlcot wrote",
                "delete that object and run again: the unit is then made again",
            ) from error

    def clear(self) -> None:
        """Remove everything that dlcot wrote here, `_job.json` last, so that a killed run can do it again."""
        self.store.delete(MANIFEST_FILE)
        for folder in (*FOLDERS, FACTS):
            names = (info.relative for info in self.store.scan(folder))
            self.store.delete_all([name for name in names if unit_object(name) is not None])
        self.store.delete_all([info.relative for info in self.store.scan(JOURNAL)])
        for name in (
            BEFORE_AFTER_FILE,
            CARD_FILE,
            PAGE_FILE,
            INPUTS_FILE,
            INPUT_METADATA_FILE,
            DUPLICATES_FILE,
        ):
            self.store.delete(name)
        self.store.delete(JOB_FILE)

    def remove_leftovers(self) -> int:
        """Remove half-written objects of killed workers; returns how many (files, or uploads in a bucket)."""
        return self.store.remove_temporary(belongs=lambda name: unit_object(name) is not None)

    def claim(self, job: JobRecord, *, overwrite: bool) -> JobRecord:
        """Claim the output for `job`: it must be empty or of the same job, or is cleared.

        Args:
            job: the job that starts.
            overwrite: clear an output that has a record.

        Returns:
            The job as recorded here, with the inputs of earlier runs, or `job` if there is no record.

        Raises:
            JobError: the output belongs to another job or to another program.
        """
        found = self.record()
        if found is None:
            foreign = next((f for f in FOLDERS if next(self.store.scan(f), None) is not None), None)
            if foreign is not None:
                raise JobError(
                    f"{self.display_url} holds {foreign}/ but no {JOB_FILE}: another program's files",
                    "choose another output",
                )
            return job
        if overwrite:
            self.clear()
            return job
        difference = first_difference(found, job)
        if difference:
            raise JobError(
                f"{self.display_url} holds another job's results ({difference})",
                "choose another output, or set overwrite=true to remove them",
            )
        return replace(found, config=job.config)


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
