"""Unchanged units are copied from the previous snapshot, inside the store, instead of being made again.

A unit is copied only if nothing that determines its bytes changed: the settings, its file and its name.
Repeated ids depend on other files, so a unit with a row rejected as a duplicate, then or now, is made again.
So is a unit in which a judgement failed, to give that trace another attempt. A failed copy does no harm: the
unit is then made like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import polars as pl

from dlcot_ray.commands.refresh.reuse import SnapshotFacts
from dlcot_ray.commands.refresh.root import Root, Snapshot
from dlcot_ray.errors import Cause, InputFault, JobError
from dlcot_ray.inputs.files.shards import Shard
from dlcot_ray.outputs.job_record import InputRecord
from dlcot_ray.outputs.layout import ANNOTATIONS, ENHANCED, FACTS, MASKED, PREFERENCES, REJECTED
from dlcot_ray.plan.tasks import ReadTask, UnitTask
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.work.judging import JUDGE_FAILED

_THREADS = 16
_ORDER = (ANNOTATIONS, REJECTED, PREFERENCES, MASKED, FACTS, ENHANCED)
"""The `enhanced/` object makes a unit complete, so it is copied last."""


class UnitCopier:
    """Copies unchanged units from the previous snapshot into the new one.

    Args:
        root: the root of both.
        previous: the facts of the previous snapshot.
        inputs: the input files of the previous snapshot.
        new: the new snapshot.
        shards: its input files.
        retries: further attempts at each copy.

    Attributes:
        units: number of units copied so far.
    """

    def __init__(
        self,
        root: Root,
        previous: SnapshotFacts,
        inputs: Iterable[InputRecord],
        new: Snapshot,
        shards: Sequence[Shard],
        retries: int,
    ) -> None:
        self._root, self._previous, self._new, self._retries = root, previous, new, retries
        self._unchanged = _unchanged(inputs, shards)
        again = pl.col("reason").is_in([Cause.DUPLICATE_ID.value, JUDGE_FAILED])
        numbers = previous.facts.filter(again)["unit"].unique().to_list()
        self._clean = set(previous.units) - {previous.units[number] for number in numbers}
        old = previous.snapshot
        self._same_settings = (old.settings, old.by) == (new.settings, new.by)
        self.units = 0

    def __call__(self, tasks: Sequence[ReadTask]) -> None:
        """Copy those units of the tasks that are unchanged."""
        if not self._same_settings:
            return
        candidates = [unit for task in tasks for unit in task.units if self._is_unchanged(unit)]
        if not candidates:
            return
        present = self._present()
        with ThreadPoolExecutor(_THREADS) as threads:
            self.units += sum(threads.map(partial(self._copy, present), candidates))

    def _is_unchanged(self, unit: UnitTask) -> bool:
        same_file = self._unchanged.get(unit.file) == unit.shard_name
        return same_file and unit.name in self._clean and not unit.duplicates

    def _present(self) -> set[str]:
        store = self._root.output(self._previous.snapshot).store
        return {info.relative for folder in _ORDER for info in store.list(folder)}

    def _copy(self, present: set[str], unit: UnitTask) -> bool:
        store: Store = self._root.store
        old, new = self._previous.snapshot.folder, self._new.folder
        names = [name for name in (f"{folder}/{unit.name}.parquet" for folder in _ORDER) if name in present]
        try:
            for name in names:
                with_retries(self._retries, partial(store.copy, f"{old}/{name}", f"{new}/{name}"))
        except (JobError, InputFault, OSError):
            return False
        return bool(names) and names[-1].startswith(f"{ENHANCED}/")


def _unchanged(inputs: Iterable[InputRecord], shards: Sequence[Shard]) -> Mapping[str, str]:
    """The unchanged files: file -> name of its outputs."""
    before = {(item.file, item.size, item.version): item.name for item in inputs}
    return {
        shard.file: before[key]
        for shard in shards
        if (key := (shard.file, shard.size, shard.version)) in before
    }
