"""Units that come out the same as last night are copied inside the store instead of being read and made.

A unit is carried over only if everything that has a say in its bytes is as it was: settings, its file, its
name, and no row of it rejected for an id that occurred before, now or then (that depends on other files).
A unit in which a judgement failed is made again, so that the failed one gets another try. A copy that does
not succeed costs nothing: the unit is made like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import polars as pl

from dlcot_ray.commands.refresh.known import Known
from dlcot_ray.commands.refresh.root import Night, Root
from dlcot_ray.errors import Cause, InputFault, JobError
from dlcot_ray.inputs.shards import Shard
from dlcot_ray.outputs.layout import (
    ANNOTATIONS,
    ENHANCED,
    FACTS,
    PREFERENCES,
    REJECTED,
    InputRecord,
)
from dlcot_ray.plan.tasks import ReadTask, UnitTask
from dlcot_ray.storage.retries import with_retries
from dlcot_ray.storage.store import Store
from dlcot_ray.work.process import JUDGE_FAILED

_THREADS = 16
_ORDER = (ANNOTATIONS, REJECTED, PREFERENCES, FACTS, ENHANCED)
"""A unit is complete with its `enhanced/` object, so that one is copied last."""


class Carrier:
    """Carries units from the last night's snapshot into tonight's.

    Args:
        root: of both.
        last: what the last night knows.
        inputs: the files of the last night.
        tonight: the new snapshot.
        shards: tonight's files.
        retries: further attempts at each copy.

    Attributes:
        units: how many were carried over.
    """

    def __init__(
        self,
        root: Root,
        last: Known,
        inputs: Iterable[InputRecord],
        tonight: Night,
        shards: Sequence[Shard],
        retries: int,
    ) -> None:
        self._root, self._last, self._tonight, self._retries = root, last, tonight, retries
        self._same = _unchanged(inputs, shards)
        again = pl.col("reason").is_in([Cause.DUPLICATE_ID.value, JUDGE_FAILED])
        numbers = last.facts.filter(again)["unit"].unique().to_list()
        self._clean = set(last.units) - {last.units[number] for number in numbers}
        self._allowed = (last.night.settings, last.night.by) == (tonight.settings, tonight.by)
        self.units = 0

    def __call__(self, tasks: Sequence[ReadTask]) -> None:
        """Carry over what can be, of the units of these tasks."""
        if not self._allowed:
            return
        candidates = [unit for task in tasks for unit in task.units if self._stays(unit)]
        if not candidates:
            return
        present = self._present()
        with ThreadPoolExecutor(_THREADS) as threads:
            self.units += sum(threads.map(partial(self._copy, present), candidates))

    def _stays(self, unit: UnitTask) -> bool:
        return (
            self._same.get(unit.file) == unit.shard_name and unit.name in self._clean and not unit.duplicates
        )

    def _present(self) -> set[str]:
        store = self._root.output(self._last.night).store
        return {info.relative for folder in _ORDER for info in store.list(folder)}

    def _copy(self, present: set[str], unit: UnitTask) -> bool:
        store: Store = self._root.store
        names = [name for name in (f"{folder}/{unit.name}.parquet" for folder in _ORDER) if name in present]
        try:
            for name in names:
                source, target = f"{self._last.night.folder}/{name}", f"{self._tonight.folder}/{name}"
                with_retries(self._retries, partial(store.copy, source, target))
        except (JobError, InputFault, OSError):
            return False
        return bool(names) and names[-1].startswith(f"{ENHANCED}/")


def _unchanged(inputs: Iterable[InputRecord], shards: Sequence[Shard]) -> Mapping[str, str]:
    """Files that are as they were: label -> name of their outputs."""
    before = {(item.file, item.size, item.version): item.name for item in inputs}
    return {
        shard.file: before[key]
        for shard in shards
        if (key := (shard.file, shard.size, shard.version)) in before
    }
